"""A worker for the fault tests: `dramatiq tests.queue.program`. Its tasks write what they did to the file $EFFECTS."""

import asyncio
import os
import signal
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from service import database
from service.queue import Queue, Task, actor
from service.queue.broker import broker_of_process
from service.queue.worker import EngineBoot

NORMAL = Queue("default", 5)
NAP = Task("nap", NORMAL, backoff=0.2)
KILL = Task("kill", NORMAL)
BLOCK = Task("block", NORMAL)
STUBBORN = Task("stubborn", NORMAL)


def note(what: str, n: int) -> None:
    """Append one line, in one write."""
    with open(os.environ["EFFECTS"], "a") as file:
        file.write(f"{what} {n} {os.getpid()} {time.time()}\n")


def declare() -> None:
    """Declare the actors."""

    @actor(NAP)
    async def nap(n: int, seconds: float) -> None:
        note("start", n)
        await asyncio.sleep(seconds)
        note("end", n)

    @actor(KILL)
    async def kill(n: int) -> None:
        note("start", n)
        await asyncio.sleep(0.05)
        os.kill(os.getpid(), signal.SIGKILL)

    @actor(BLOCK)
    async def block(n: int, seconds: float) -> None:
        note("start", n)
        end = time.monotonic() + seconds
        while time.monotonic() < end:  # the loop stands still; the processor is never idle
            sum(range(10_000))
        note("end", n)

    @actor(STUBBORN)
    async def stubborn(n: int) -> None:
        note("start", n)
        while True:
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                note("refused", n)


@asynccontextmanager
async def resources() -> AsyncGenerator[None]:
    """Open the database, for dead letters."""
    await database.connect("worker", 2, 2)
    try:
        yield
    finally:
        await database.disconnect()


if __name__ != "__main__" and "EFFECTS" in os.environ:
    broker_of_process().add_middleware(EngineBoot(declare, resources))
