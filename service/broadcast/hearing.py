"""Plain pub/sub: events as they are told; what is told while nobody listens, or while Redis is away, is not heard."""

import asyncio
import logging
from collections.abc import Callable
from typing import Any

from redis.asyncio import Redis
from redis.asyncio.client import PubSub
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from service.broadcast.names import CHANNELS
from service.broadcast.subscriptions import Statistics, Subscriptions, call_all
from service.broadcast.wire import Unreadable, decode

log = logging.getLogger(__name__)

WAITING = 10_000  # events that handlers may be behind; more are dropped, and counted as missed
SILENCE = 5.0  # seconds after which the connection is asked whether it lives
TIMEOUT = 5.0  # seconds
PAUSE = 0.5  # seconds between two tries to connect
AWAY = (RedisError, OSError, TimeoutError)

_Told = tuple[str, bytes]


def connect(url: str) -> Redis:
    """Return a client that fails at once: who calls knows what to do then."""
    return Redis.from_url(
        url,
        protocol=2,
        socket_timeout=TIMEOUT,
        socket_connect_timeout=TIMEOUT,
        retry=Retry(NoBackoff(), 0),
    )


class Hearing:
    """Hears the channels and calls the handlers, one event after the other."""

    def __init__(self, url: str, subscriptions: Subscriptions, statistics: Statistics) -> None:
        self._url, self._subscriptions, self._statistics = url, subscriptions, statistics
        self._waiting: asyncio.Queue[_Told] = asyncio.Queue(WAITING)

    async def run(self, ready: Callable[[], None], stopping: asyncio.Event) -> None:
        """Hear until `stopping` is set; an event that is being handled is seen through."""
        hearing = asyncio.create_task(self._hear(ready))
        handling = asyncio.create_task(self._handle(stopping))
        stop = asyncio.create_task(stopping.wait())
        try:
            await asyncio.wait({hearing, handling, stop}, return_when=asyncio.FIRST_COMPLETED)
            for task in (hearing, handling):
                if task.done():
                    task.result()
            hearing.cancel()
            self._wake()
            await handling
        finally:
            for task in (hearing, handling, stop):
                task.cancel()
            await asyncio.gather(hearing, handling, stop, return_exceptions=True)

    def _wake(self) -> None:
        if self._waiting.empty():
            self._waiting.put_nowait(("", b""))

    async def _hear(self, ready: Callable[[], None]) -> None:
        away = False
        while True:
            try:
                async with connect(self._url) as redis, redis.pubsub() as channels:
                    await channels.psubscribe(f"{CHANNELS}*")
                    while True:
                        message = await self._next(channels)
                        if message["type"] == "psubscribe":
                            ready()
                            if away:
                                log.warning("listening again")
                            away = False
                        elif message["type"] == "pmessage":
                            self._take(message)
            except AWAY as error:
                if not away:
                    log.warning("not listening, events of this time are not heard: %s", error)
                away = True
                await asyncio.sleep(PAUSE)

    @staticmethod
    async def _next(channels: PubSub) -> dict[str, Any]:
        message = await channels.get_message(timeout=SILENCE)
        if message is None:
            await channels.ping()
            message = await channels.get_message(timeout=TIMEOUT)
        if message is None:
            raise TimeoutError("Redis does not answer")
        return message

    def _take(self, message: dict[str, Any]) -> None:
        name = message["channel"].decode("utf-8", "replace").removeprefix(CHANNELS)
        if not self._subscriptions.of(name):
            return
        self._statistics.received += 1
        if self._waiting.full():
            self._waiting.get_nowait()
            self._statistics.missed += 1
            if self._statistics.missed % 1000 == 1:
                log.warning("handlers are too slow: %d events were dropped", self._statistics.missed)
        self._waiting.put_nowait((name, message["data"]))

    async def _handle(self, stopping: asyncio.Event) -> None:
        while True:
            name, wire = await self._waiting.get()
            if stopping.is_set():
                return
            try:
                event = decode(wire)
            except Unreadable as error:
                self._statistics.unreadable[error.reason] += 1
                log.warning("%s left out: %s", name, error.detail)
                continue
            if event.event_type != name:
                self._statistics.unreadable["malformed"] += 1
                log.warning("%s left out: the event is of another type", name)
                continue
            await call_all(self._subscriptions.of(name), event, self._statistics)
