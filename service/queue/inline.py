"""Tasks without a broker (`PHAROS_TASKS=inline`): what the scripts and the engine do, in the memory of one process.

For a test, a notebook, or a migration. Middleware, retries, time limits and dead letters are those of the workers: the
same runner does it. Different are:

    delays     `SOON` at most: long enough for a burst to be one run; pauses between two tries are kept
    order      that of arrival; queues have no priorities, bounds and order per key are not kept
    a crash    forgets what waited, retries included; the reconciler finds what is missing
    states     those of tasks that a person asked for, in PostgreSQL; there is no Redis to keep others, nor progress
"""

import asyncio
from asyncio import AbstractEventLoop
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from time import monotonic
from typing import cast

import structlog

from service.queue import figures
from service.queue.broker import PharosBroker
from service.queue.delivery import Again, Claim, Outcome, Run
from service.queue.ledger import marked
from service.queue.retries import OUTAGE_CAP
from service.queue.runner import Runner
from service.queue.send import Packed, pack
from service.queue.task import BACKGROUND, Dispatch

log = structlog.get_logger(__name__)

SOON = 0.1  # seconds
WATCH = 0.5  # seconds between looks whether a task runs beyond its limit
CANCELLED = 2.0  # seconds that a cancelled task gets to clean up
REMEMBERED = 10_000  # ids of messages by which a repeated event is recognised

_Message = tuple[str, str, str, str, int, int, int, str, str, bytes]  # what `pack` returns


@dataclass(eq=False, slots=True)
class _Waiting:
    """A message until it has ended; `keys` is what it gathers, None where it gathers nothing."""

    id: str
    lane: str
    slot: str
    body: bytes
    keys: set[bytes] | None
    go: asyncio.Event = field(default_factory=asyncio.Event)  # do not wait any longer
    retrying: bool = False


class Inline:
    """Runs what is sent on the current event loop, `concurrency` tasks at a time."""

    def __init__(self, broker: PharosBroker, concurrency: int) -> None:
        self._runner = Runner(broker, concurrency)
        self._room = asyncio.Semaphore(concurrency)
        self._loop: AbstractEventLoop = asyncio.get_running_loop()
        self._seen: dict[str, None] = {}
        self._open: dict[str, _Waiting] = {}  # by slot: what absorbs
        self._tasks: dict[asyncio.Task[None], Run | None] = {}

    async def send(self, dispatches: Sequence[Dispatch]) -> None:
        """Start tasks; sending one again is harmless. Raises MessageTooLarge or NotJson, and then none is started."""
        for message in [pack(dispatch) for dispatch in await marked(dispatches)]:
            self._take(message)

    def carry(self, message: Packed) -> bool:
        """Take what an actor or a middleware sends, from any thread."""
        self._loop.call_soon_threadsafe(self._take, message)
        return True

    async def settled(self) -> None:
        """Wait until nothing waits and nothing runs; what a task sends and emits counts once it is here."""
        while self._tasks:
            await asyncio.wait(self._tasks)

    async def close(self, grace: float) -> None:
        """Let what runs end within `grace` seconds, and cancel the rest."""
        running = [task for task, run in self._tasks.items() if run is not None]
        if running:
            await asyncio.wait(running, timeout=grace)
        for task, run in list(self._tasks.items()):
            if run is not None:
                run.handed_back = True
                log.warning("task is interrupted", task=run.name, id=run.claim.id.decode())
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._runner.close()

    def _take(self, message: Packed) -> None:
        id, _, lane, slot, after, _, gathers, key, _, body = cast("_Message", tuple(message))
        if id in self._seen:
            return
        self._seen[id] = None
        if len(self._seen) > REMEMBERED:
            del self._seen[next(iter(self._seen))]
        waiting = self._open.get(slot) if slot else None
        if waiting is None:
            waiting = _Waiting(id, lane, slot, body, set() if gathers else None)
            if slot:
                self._open[slot] = waiting
            task = self._loop.create_task(self._see_through(waiting, min(after / 1000, SOON)))
            self._tasks[task] = None
            task.add_done_callback(self._tasks.pop)
        elif waiting.keys is None and not (waiting.retrying and lane.endswith(":bulk")):
            waiting.body = body.replace(id.encode(), waiting.id.encode())
            if waiting.retrying:
                waiting.go.set()
        if waiting.keys is not None:
            waiting.keys.add(key.encode())
            if len(waiting.keys) >= gathers:
                waiting.go.set()
                self._open.pop(slot, None)

    async def _see_through(self, message: _Waiting, delay: float) -> None:
        """Run a message until it has ended, or until a newer one of its slot does its work."""
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(delay):
                    await message.go.wait()
            async with self._room:
                if self._open.get(message.slot) is message:
                    del self._open[message.slot]  # what is sent from now on is not what this run sees
                outcome = await self._attempt(message)
            if not isinstance(outcome, Again):
                return
            if message.keys is None and message.slot:
                if message.slot in self._open:
                    return
                self._open[message.slot] = message
            message.body, delay = outcome.body, outcome.delay
            message.go, message.retrying = asyncio.Event(), True

    async def _attempt(self, message: _Waiting) -> Outcome:
        keys = None if message.keys is None else list(message.keys)
        run = Run(
            Claim(message.id.encode(), message.lane.encode(), message.body, 1, 0, keys), BACKGROUND, suspect=False
        )
        this = asyncio.current_task()
        assert this is not None
        self._tasks[this] = run
        attempt = run.task = asyncio.create_task(self._runner.run(run))
        try:
            while not (await asyncio.wait([attempt], timeout=WATCH))[0]:
                if monotonic() - run.begun > run.soft and not run.overdue:
                    run.overdue = True
                    attempt.cancel()
            return attempt.result()
        except asyncio.CancelledError:
            attempt.cancel()
            await asyncio.wait([attempt], timeout=CANCELLED)
            raise
        except Exception as error:
            log.critical("task could not be run", id=message.id, exc_info=error)
            return Again(OUTAGE_CAP, 0, repr(error), message.body)
        finally:
            self._tasks[this] = None


@asynccontextmanager
async def running(broker: PharosBroker, concurrency: int, grace: float) -> AsyncGenerator[Inline]:
    """Run in this process what is sent within the block; `grace` is how long running tasks may go on after it."""
    inline = Inline(broker, concurrency)
    before, broker.carry = broker.carry, inline.carry
    telling = asyncio.create_task(figures.telling())
    try:
        yield inline
    finally:
        broker.carry = before
        await inline.close(grace)
        telling.cancel()
        await asyncio.wait([telling])
