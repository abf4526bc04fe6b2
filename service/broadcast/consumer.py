"""EventConsumer: handlers for events, in a plain script or on an event loop."""

import asyncio
import logging
import os
import socket
import threading
from collections.abc import Callable, Iterable
from datetime import datetime
from secrets import token_hex
from typing import Protocol, Self

from service.broadcast.gaps import Gap
from service.broadcast.groups import after
from service.broadcast.names import address, family
from service.broadcast.subscriptions import Handler, Statistics, Subscriptions, within
from service.broadcast.threads import Threads
from service.errors import Conflict, Invalid

log = logging.getLogger(__name__)

_NOT_READY = "no events yet: Redis does not answer within %g s"
READY = 5.0  # seconds that `start` waits for the subscription


class Running(Conflict):
    """This consumer runs already."""


class BadGroup(Invalid):
    """A consumer group needs {need}."""


class _Reader(Protocol):
    async def run(self, ready: Callable[[], None], stopping: asyncio.Event) -> None: ...


class EventConsumer:
    """Calls handlers, functions or coroutine functions, with each event of the types that they are subscribed to.

    Without a `group` it hears what is told while it runs. With one, each event is handled by one consumer of the group
    and acknowledged then; a handler that raises is called again, `attempts` times in all, after `backoff` seconds and
    twice as long each time; what a consumer had that is silent for `patience` seconds goes to another one. A new group
    begins with what is told from now on, or at `start`: "oldest", a time, or a position.
    """

    def __init__(
        self,
        redis_url: str | None = None,
        *,
        group: str | None = None,
        consumer: str | None = None,
        start: str | datetime = "new",
        attempts: int = 5,
        backoff: float = 1.0,
        patience: float = 30.0,
    ) -> None:
        if group is not None and not 0 < len(group) <= 100:
            raise BadGroup(need="a name of up to 100 characters")
        if attempts < 1 or backoff < 0 or patience <= 0:
            raise BadGroup(need="at least one attempt, and a backoff and a patience of some time")
        self.redis_url = address(redis_url)
        self.group = group
        self.consumer = consumer or f"{socket.gethostname()}-{os.getpid()}-{token_hex(3)}"
        self.statistics = Statistics()
        self._begin = start if isinstance(start, str) and start in ("new", "oldest") else after(start)
        self._attempts, self._backoff, self._patience = attempts, backoff, patience
        self._subscriptions = Subscriptions()
        self._gap_handlers: list[Callable[[Gap], object]] = []
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopping: asyncio.Event | None = None
        self._thread: threading.Thread | None = None
        self._task: asyncio.Task[None] | None = None

    def subscribe(self, what: str | Iterable[str], handler: Handler) -> None:
        """Call `handler` for an event type, or several, or all that a pattern like `resource.*` stands for.

        Raises UnknownEventType.
        """
        for pattern in (what,) if isinstance(what, str) else what:
            self._subscriptions.add(pattern, handler)

    def subscribe_to_document_events(self, handler: Handler) -> None:
        """Call `handler` when a document is uploaded, or read, or cannot be."""
        self.subscribe(family("document"), handler)

    def subscribe_to_indexing_events(self, handler: Handler) -> None:
        """Call `handler` while a document is indexed, and when it is or cannot be."""
        self.subscribe(family("indexing"), handler)

    def subscribe_to_quiz_events(self, handler: Handler) -> None:
        """Call `handler` while a quiz is generated, and when it is or cannot be."""
        self.subscribe(family("quiz"), handler)

    def subscribe_to_task_events(self, handler: Handler) -> None:
        """Call `handler` when a task begins, goes on or ends that a person asked for."""
        self.subscribe(family("task"), handler)

    def subscribe_to_all_events(self, handler: Handler) -> None:
        """Call `handler` for every event."""
        self.subscribe("*", handler)

    def on_gap(self, handler: Callable[[Gap], object]) -> None:
        """Call `handler`, which must not block, when events were gone before this consumer's group read them."""
        self._gap_handlers.append(handler)

    def start(self) -> None:
        """Consume in a thread, which keeps the program alive until `stop`; returns once events are heard.

        Where Redis is away it returns after five seconds, and goes on trying.
        """
        if self._thread is not None or self._task is not None:
            raise Running
        ready = threading.Event()
        self._thread = threading.Thread(
            target=lambda: asyncio.run(self._run_in_thread(ready.set)), name="pharos events"
        )
        self._thread.start()
        if not ready.wait(READY):
            log.warning(_NOT_READY, READY)

    def stop(self) -> None:
        """End, after the event that is being handled; from a handler: as soon as that has returned."""
        loop, stopping, thread = self._loop, self._stopping, self._thread
        if loop is not None and stopping is not None and not loop.is_closed():
            loop.call_soon_threadsafe(stopping.set)
        if thread is not None and not within.get() and thread is not threading.current_thread():
            thread.join()

    async def run(self) -> None:
        """Consume on this event loop until `stop`, or until it is cancelled."""
        if self._thread is not None or self._task is not None:
            raise Running
        await self._run(lambda: None)

    async def __aenter__(self) -> Self:
        """Consume in the background of the block; returns once events are heard."""
        if self._thread is not None or self._task is not None:
            raise Running
        ready = asyncio.Event()
        self._task = asyncio.create_task(self._run(ready.set), name="pharos events")
        waiting = asyncio.create_task(ready.wait())
        await asyncio.wait({self._task, waiting}, timeout=READY, return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
        if not ready.is_set():
            log.warning(_NOT_READY, READY)
        return self

    async def __aexit__(self, *_: object) -> None:
        self.stop()
        if self._task is not None:
            await self._task

    async def _run_in_thread(self, ready: Callable[[], None]) -> None:
        asyncio.get_running_loop().set_default_executor(Threads())
        await self._run(ready)

    async def _run(self, ready: Callable[[], None]) -> None:
        self._loop, self._stopping = asyncio.get_running_loop(), asyncio.Event()
        try:
            await self._reader().run(ready, self._stopping)
        finally:
            self._loop = self._stopping = self._thread = self._task = None

    def _reader(self) -> _Reader:
        if self.group is None:
            from service.broadcast.hearing import Hearing

            return Hearing(self.redis_url, self._subscriptions, self.statistics)
        from service.broadcast.durable import Durable, Policy

        policy = Policy(self.group, self.consumer, self._begin, self._attempts, self._patience, self._backoff)
        return Durable(self.redis_url, policy, self._subscriptions, self.statistics, self._tell_gap)

    def _tell_gap(self, gap: Gap) -> None:
        for handler in self._gap_handlers:
            try:
                handler(gap)
            except Exception as error:
                log.warning("handler %r failed: %r", handler, error)
