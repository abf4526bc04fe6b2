"""What every contestant's sender does: `python -m bench.peers.NAME KIND COUNT [PAUSES]` prints what came of it as JSON.

Asynchronous senders keep 100 in flight. With PAUSES each one waits for 20 to 150 ms before it is sent, one at a time.
"""

import asyncio
import json
import random
import sys
import time
from collections.abc import Awaitable, Callable

FLIGHT = 100


def _say(count: int, seconds: float) -> None:
    json.dump({"count": count, "seconds": seconds}, sys.stdout)


async def flood(send: Callable[[], Awaitable[object]], count: int) -> None:
    """Send `count` tasks, 100 in flight."""

    async def one(share: int) -> None:
        for _ in range(share):
            await send()

    began = time.perf_counter()
    await asyncio.gather(*(one(count // FLIGHT) for _ in range(FLIGHT)))
    _say(count // FLIGHT * FLIGHT, time.perf_counter() - began)


async def drip(send: Callable[[], Awaitable[object]], count: int) -> None:
    """Send `count` tasks one by one."""
    for _ in range(count):
        await asyncio.sleep(random.uniform(0.02, 0.15))
        await send()
    _say(count, 0)


def flood_blocking(send: Callable[[], object], count: int) -> None:
    """Send `count` tasks, each when the one before is sent."""
    began = time.perf_counter()
    for _ in range(count):
        send()
    _say(count, time.perf_counter() - began)


def drip_blocking(send: Callable[[], object], count: int) -> None:
    """Send `count` tasks one by one, with pauses."""
    for _ in range(count):
        time.sleep(random.uniform(0.02, 0.15))
        send()
    _say(count, 0)
