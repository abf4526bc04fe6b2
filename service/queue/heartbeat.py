"""The heartbeat: a thread with a loop and a connection of its own, so that no busy worker looks dead."""

import asyncio
import threading
from collections.abc import Callable
from typing import Any

import orjson
import structlog

from service.queue.link import BrokerAway, connected
from service.queue.scripting import Call, execute, script

log = structlog.get_logger(__name__)

BEAT = 2.0  # seconds between beats
AGAIN = 0.5  # seconds until the next try, while Redis is away
DEAD = 10.0  # seconds without a beat after which a worker's messages are given to others


class Heartbeat(threading.Thread):
    """Tells Redis, which goes by its own clock, that a worker lives and what it does."""

    def __init__(self, worker: str, profile: Callable[[], dict[str, Any]]) -> None:
        super().__init__(name="heartbeat", daemon=True)
        self._worker, self._profile = worker, profile
        self._loop = asyncio.new_event_loop()
        self._stopped = asyncio.Event()

    def run(self) -> None:
        try:
            self._loop.run_until_complete(self._beat())
        finally:
            self._loop.close()

    async def _beat(self) -> None:
        away = False
        async with connected():
            while not self._stopped.is_set():
                try:
                    await self._tell()
                    away = False
                except BrokerAway as error:
                    if not away:
                        log.warning("no heartbeat", worker=self._worker, error=str(error))
                    away = True
                await self._pause(AGAIN if away else BEAT)

    async def _tell(self) -> None:
        await execute(Call(script("beat"), [self._worker, orjson.dumps(self._profile())]))

    async def _pause(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._stopped.wait()
        except TimeoutError:
            return

    def stop(self) -> None:
        """Beat no more; returns when the last beat is over."""
        if self.is_alive() and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._stopped.set)
            self.join()
