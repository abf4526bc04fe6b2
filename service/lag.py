"""How late the event loop of this process turns: what waits for its turn waits that long, whatever it is."""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from time import monotonic

EVERY = 0.25  # seconds
KEPT = round(30 / EVERY)  # looks: half a minute's

_lags: deque[float] = deque(maxlen=KEPT)


def greatest() -> float:
    """Return by how many seconds the loop was late at most in the last half minute."""
    return max(_lags, default=0.0)


async def _watch() -> None:
    while True:
        due = monotonic() + EVERY
        await asyncio.sleep(EVERY)
        _lags.append(max(0.0, monotonic() - due))


@asynccontextmanager
async def watched() -> AsyncGenerator[None]:
    """Watch the running loop within the block."""
    watching = asyncio.create_task(_watch(), name="lag")
    try:
        yield
    finally:
        watching.cancel()
        _lags.clear()
