"""Our worker for the faults: `dramatiq tests.faults.program`. Its tasks write what they did to the file $EFFECTS."""

import asyncio
import ctypes
import os
import signal
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import asyncpg
from sqlalchemy import text

from service import database
from service.events import current_origin
from service.queue import Queue, Task, actor, unit
from service.queue.broker import broker_of_process
from service.queue.worker import EngineBoot
from tests.faults.ledger import EFFECTS, note

URGENT = Queue("urgent", 9)
NORMAL = Queue("default", 5)
BATCH = Queue("batch", 3)
CONNECTIONS = 2  # of a worker to the database
LEAKED: list[asyncio.Task[None] | bytes] = []

NAP = Task("nap", NORMAL, backoff=0.2)
KILL = Task("kill", NORMAL)
BLOCK = Task("block", NORMAL)
HOLD = Task("hold", NORMAL)
STUBBORN = Task("stubborn", NORMAL)
LEAK = Task("leak", NORMAL)
QUERY = Task("query", NORMAL, retries=3, backoff=0.2)
SAVE = Task("save", NORMAL, key="n")
HASTEN = Task("hasten", URGENT)
GRIND = Task("grind", BATCH)
APPEND = Task("append", NORMAL, key="key", ordered=True)
STEP = Task("step", NORMAL)
TICK = Task("tick", NORMAL)


async def nap(n: int, seconds: float) -> None:
    note("start", n)
    await asyncio.sleep(seconds)
    note("end", n)


async def hold(n: int, seconds: float) -> None:
    """Stay in C without giving up the interpreter's lock."""
    note("start", n)
    ctypes.PyDLL(None).sleep(round(seconds))
    note("end", n)


async def kill(n: int, how: str = "signal") -> None:
    """End this process: by a signal, by a bad pointer, or by taking memory until somebody does."""
    note("start", n)
    await asyncio.sleep(0.05)
    match how:
        case "signal":
            os.kill(os.getpid(), signal.SIGKILL)
        case "pointer":
            ctypes.string_at(0)
        case _:
            taken = []
            while len(taken) < 100:
                taken.append(b"\1" * 2**24)
                await asyncio.sleep(0.01)


async def block(n: int, seconds: float) -> None:
    note("start", n)
    end = time.monotonic() + seconds
    while time.monotonic() < end:  # the loop stands still; the processor is never idle
        sum(range(10_000))
    note("end", n)


async def stubborn(n: int) -> None:
    note("start", n)
    while True:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            note("refused", n)


async def leak(n: int, how: str) -> None:
    """Leave a task behind that runs on; a stubborn one also when it is cancelled. Or keep 16 MB of memory."""

    async def run_on() -> None:
        while True:
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                if how != "stubborn":
                    raise

    LEAKED.append(b"\1" * 2**24 if how == "memory" else asyncio.create_task(run_on()))
    note("start", n)
    note("end", n)


async def query(n: int, seconds: float) -> None:
    """Hold one of few connections for a while."""
    note("start", n)
    async with database.transaction() as session:
        await session.execute(text("SELECT pg_sleep(:seconds)"), {"seconds": seconds})
    note("end", n)


async def query_alone(n: int, seconds: float) -> None:
    """Do the same where no pool is open."""
    note("start", n)
    connection = await asyncpg.connect(os.environ["PHAROS_DATABASE_URL"], timeout=5)
    try:
        await connection.execute(f"SELECT pg_sleep({seconds})")
    finally:
        await connection.close()
    note("end", n)


async def save(n: int, version: int) -> None:
    note("start", n, version)
    note("end", n, version)


async def append(n: int, key: int) -> None:
    """Be one of the ordered jobs of a key."""
    note("start", n, key)
    await asyncio.sleep(0.02)
    note("end", n, key)


async def step(n: int, part: int, of: int) -> None:
    """Be one step of chain `n`."""
    note("step", n, part)
    await asyncio.sleep(0.05)
    note("stepped", n, part)
    if part == of:
        note("end", n)


def numbered(event_id: UUID) -> int:
    """Return a number for an event."""
    return event_id.int >> 80


async def tick() -> None:
    """Be what the timetable asks for."""
    cause = current_origin().cause
    assert cause is not None
    note("start", numbered(cause))
    note("end", numbered(cause))


FUNCTIONS: dict[Task, Callable[..., Awaitable[Any]]] = {
    NAP: nap, KILL: kill, BLOCK: block, HOLD: hold, STUBBORN: stubborn, QUERY: query, SAVE: save, HASTEN: nap,
    GRIND: nap, APPEND: append, STEP: step, LEAK: leak, TICK: tick,
}  # fmt: skip


def declare() -> None:
    """Declare the actors."""
    unit.YOUNGEST = float(os.environ.get("YOUNGEST", unit.YOUNGEST))
    for task, function in FUNCTIONS.items():
        actor(task)(function)


@asynccontextmanager
async def resources() -> AsyncGenerator[None]:
    """Open the database, for dead letters and queries."""
    await database.connect("worker", CONNECTIONS, 0)
    note("ready", 0)
    try:
        yield
    finally:
        await database.disconnect()


if __name__ != "__main__" and EFFECTS in os.environ:
    broker_of_process().add_middleware(EngineBoot(declare, resources))
