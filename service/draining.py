"""A web server that is told to stop says so first, and answers for a while yet: its proxy asks another one meanwhile.

From then on `/ready` is 503, and every answer has its connection closed. A server that just stops listening loses the
requests that are on their way to it, over connections that it accepted or keeps open.
"""

import asyncio
import signal
from collections.abc import Generator
from contextlib import contextmanager
from types import FrameType

import structlog

log = structlog.get_logger(__name__)

Headers = list[tuple[bytes, bytes]]

_begun = False


def begun() -> bool:
    """Tell whether this server is about to stop."""
    return _begun


def headers() -> Headers:
    """Return what every answer says besides, once the server is about to stop."""
    return [(b"connection", b"close")] if _begun else []


@contextmanager
def before_the_end(seconds: float) -> Generator[None]:
    """Within the block, have SIGTERM stop the server after so many seconds only; a second one stops it at once."""
    global _begun
    stop = signal.getsignal(signal.SIGTERM)
    if not seconds or not callable(stop):
        yield
        return
    loop = asyncio.get_running_loop()

    def drain(number: int, frame: FrameType | None) -> None:
        global _begun
        if _begun:
            stop(number, frame)
            return
        _begun = True
        log.info("stops soon", seconds=seconds)
        loop.call_soon_threadsafe(loop.call_later, seconds, stop, number, None)

    signal.signal(signal.SIGTERM, drain)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, stop)
        _begun = False
