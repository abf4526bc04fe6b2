"""A worker as one of several: it wears out and is replaced, it is told to retire, it does not stand still for ever.

ready     it takes tasks: a supervisor that waits for a successor lets the predecessor retire
replace   it has done its share: a supervisor starts a successor first; where there is none, it stops by itself
retire    SIGUSR1: take nothing more, finish what runs however long that takes, end
"""

import asyncio
import faulthandler
import os
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING

import orjson
import psutil
import structlog

from service.settings import settings

if TYPE_CHECKING:
    from service.queue.engine import Engine

log = structlog.get_logger(__name__)

LOOK = 1.0  # seconds
YOUNGEST = 30.0  # seconds that a worker lives at least: quick tasks would wear it out faster than another one starts
AGAIN = 30.0  # seconds until a supervisor that has not replaced a worn worker is asked again
STDERR = 2  # its number: Dramatiq replaces `sys.stderr` by a pipe of its own
SLOW = 5.0  # seconds without a turn of the loop, after which the log says what holds it


async def tell(what: str) -> bool:
    """Tell the supervisor, and return whether it has heard; False where there is none."""
    path = settings().supervisor
    if path is None:
        return False
    message = {"do": what, "unit": os.getppid(), "pid": os.getpid()}
    with suppress(OSError, TimeoutError):
        async with asyncio.timeout(LOOK):
            reader, writer = await asyncio.open_unix_connection(path)
            try:
                writer.write(orjson.dumps(message) + b"\n")
                return bool(await reader.readline())
            finally:
                writer.close()
    return False


async def wear(engine: "Engine") -> None:
    """Watch how much an engine has done, and have it replaced in time."""
    await tell("ready")
    began = time.monotonic()
    while True:
        await asyncio.sleep(LOOK)
        if time.monotonic() - began >= YOUNGEST and worn(engine.processed, psutil.Process().memory_info().rss):
            break
    while (
        settings().supervisor is not None
    ):  # it sends the signal when the successor is there; asking again is harmless
        await tell("replace")
        await asyncio.sleep(AGAIN)
    log.info("worker has done its share, and stops", worker=engine.id, processed=engine.processed)
    engine.retire()


def worn(processed: int, resident: int) -> bool:
    """Tell whether a worker has run as many tasks, or takes as many bytes, as one may."""
    tasks, memory = settings().worker_tasks, settings().worker_memory_mb
    return 0 < tasks <= processed or 0 < memory <= resident >> 20


class Watchdog(threading.Thread):
    """Says what holds an event loop that stands still, and ends the process when that takes too long.

    The end comes from a thread of the interpreter's own that needs no lock, so it also comes where a C call keeps the
    GIL. What ran is delivered again, and counts as a delivery: what stops three workers is poison.
    """

    def __init__(self, running: Callable[[], list[str]]) -> None:
        super().__init__(name="watchdog", daemon=True)
        self._running = running
        self._loop_thread = threading.get_ident()
        self._turned = time.monotonic()
        self._over = threading.Event()

    async def watch(self) -> None:
        """Turn with the loop until cancelled; to be run on it."""
        self.start()
        try:
            while True:
                self._turned = time.monotonic()
                faulthandler.dump_traceback_later(settings().worker_stuck, exit=True, file=STDERR)
                await asyncio.sleep(LOOK)
        finally:
            faulthandler.cancel_dump_traceback_later()
            self._over.set()

    def run(self) -> None:
        said = 0.0
        while not self._over.wait(LOOK):
            if time.monotonic() - self._turned > SLOW and said != self._turned:
                said = self._turned
                frame = sys._current_frames().get(self._loop_thread)  # pyright: ignore[reportPrivateUsage]
                where = f"{frame.f_code.co_filename}:{frame.f_lineno}" if frame is not None else "unknown"
                log.error("the event loop stands still", at=where, tasks=self._running(), seconds=SLOW)
