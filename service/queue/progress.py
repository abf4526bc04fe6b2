"""How far a task is: told from wherever it runs, written at most four times a second, the last word always."""

import asyncio
import time
from contextvars import ContextVar
from threading import Lock

import orjson
import structlog

from service.queue.delivery import Run
from service.queue.link import BrokerAway
from service.queue.scripting import Call, execute, script

log = structlog.get_logger(__name__)

PAUSE = 0.25  # seconds between two writes


class Reporter:
    """Takes what one run says of itself, in any thread, to Redis, and to those who hear of a person's task."""

    def __init__(self, run: Run, loop: asyncio.AbstractEventLoop) -> None:
        self._task_id, self._loop = run.claim.id, loop
        self._message = run.delivery.message if run.delivery is not None else None
        self._word: bytes | None = None  # said, and not written yet
        self._writing: asyncio.Task[None] | None = None
        self._next = 0.0

    def say(self, word: bytes) -> None:
        """Have it written soon, in the place of what was said before."""
        unwritten, self._word = self._word, word
        if unwritten is None:
            self._loop.call_soon_threadsafe(self._begin)

    def _begin(self) -> None:
        if self._writing is None or self._writing.done():
            self._writing = self._loop.create_task(self._write())

    async def _write(self) -> None:
        while self._word is not None:
            await asyncio.sleep(max(0.0, self._next - time.monotonic()))
            await self._put()

    async def _put(self) -> None:
        word, self._word = self._word, None
        if word is None:
            return
        self._next = time.monotonic() + PAUSE
        try:
            await execute(Call(script("progress"), [self._task_id, word, *self._told(word)]))
        except BrokerAway as error:
            log.info("progress not written", id=self._task_id.decode("utf-8", "replace"), error=str(error))

    def _told(self, word: bytes) -> list[str | bytes]:
        """Return the channel and the event of a task that a person asked for."""
        message = self._message
        if message is None or "accepted" not in message.options:
            return []
        from service.broadcast.statuses import CHANNEL, progress_told  # which knows the queue's events

        owner_id, origin = message.options["accepted"][1], message.options.get("correlation_id")
        return [CHANNEL, progress_told(message.message_id, message.actor_name, owner_id, origin, word)]

    async def close(self) -> None:
        """Write the last word, before the task ends."""
        writing, self._writing = self._writing, None
        if writing is not None and self._word is not None:
            writing.cancel()  # it waits for its turn, or what it writes is out of date
        if writing is not None:
            await asyncio.wait([writing])
        await self._put()


_running: ContextVar[Run | None] = ContextVar("pharos_running", default=None)
_first_word = Lock()


def reporting(run: Run | None) -> None:
    """Let `progress` speak for this run from now on, in this context and those copied from it."""
    _running.set(run)


def progress(current: int, total: int | None = None, message: str = "") -> None:
    """Say how far the running task is; harmless outside of one. Callable as often as wanted, from any thread."""
    run = _running.get()
    if run is None or run.task is None:
        return
    with _first_word:
        reporter = run.reporter = run.reporter or Reporter(run, run.task.get_loop())
    reporter.say(orjson.dumps({"current": current, "total": total, "message": message}))
