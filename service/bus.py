"""The asyncio event bus: one per process; it turns committed events into tasks and calls this process's listeners.

Listeners are isolated: one that fails or hangs is counted and logged, and costs the others nothing but its time-out.
"""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Generator, Iterable, Sequence
from dataclasses import dataclass
from inspect import isawaitable
from time import perf_counter
from types import CoroutineType, coroutine
from typing import Any

import structlog

from service.database import reading
from service.event_log import EventRow, last_events
from service.events import Envelope, Event, origin
from service.queue.task import Dispatch

log = structlog.get_logger(__name__)

type_of_all = Event  # listeners of `Event` itself hear everything
Handler = Callable[[Envelope], Awaitable[object] | object]
Router = Callable[[Envelope], Iterable[Dispatch]]
Sender = Callable[[Sequence[Dispatch]], Awaitable[None]]

SLOW = 0.1  # seconds; the seeds' threshold
LIMIT = 5.0  # seconds that an asynchronous listener may wait


@dataclass(slots=True)
class ListenerStatistics:
    """How one listener fared."""

    calls: int = 0
    failures: int = 0
    slow: int = 0


class EventBus:
    """Dispatches envelopes to listeners in the order of their registration.

    `emit` awaits asynchronous listeners one after the other: a listener may rely on those before it having run.
    """

    def __init__(self, limit: float = LIMIT) -> None:
        self.limit = limit
        self.statistics: defaultdict[Handler, ListenerStatistics] = defaultdict(ListenerStatistics)
        self._listeners: dict[type[Event], tuple[Handler, ...]] = {}
        self._heard: dict[type[Event], tuple[tuple[Handler, ListenerStatistics], ...]] = {}

    def on(self, event: type[Event], handler: Handler) -> None:
        """Call `handler` with each envelope of this type; `Event` stands for all. Repeating is harmless."""
        if handler not in self._listeners.get(event, ()):
            self._listeners[event] = (*self._listeners.get(event, ()), handler)
            self._heard.clear()

    def off(self, event: type[Event], handler: Handler) -> None:
        """Stop calling `handler`; unknown ones are ignored."""
        self._listeners[event] = tuple(known for known in self._listeners.get(event, ()) if known != handler)
        self._heard.clear()

    def get_listeners(self, event: type[Event]) -> list[Handler]:
        """Return who hears this type, in calling order."""
        return [handler for handler, _ in self._heard.get(event) or self._resolve(event)]

    def expects(self, event: type[Event]) -> bool:
        """Tell whether somebody listens to this very type, and not only to all."""
        return bool(self._listeners.get(event))

    def _resolve(self, event: type[Event]) -> tuple[tuple[Handler, ListenerStatistics], ...]:
        handlers = self._listeners.get(event, ())
        if event is not type_of_all:
            handlers += tuple(known for known in self._listeners.get(type_of_all, ()) if known not in handlers)
        heard = self._heard[event] = tuple((handler, self.statistics[handler]) for handler in handlers)
        return heard

    async def emit(self, envelope: Envelope) -> None:
        """Call every listener of this envelope; never raises what a listener raises."""
        try:
            heard = self._heard[type(envelope.event)]
        except KeyError:
            heard = self._resolve(type(envelope.event))
        began = perf_counter()
        for handler, statistics in heard:
            try:
                result = handler(envelope)
                if result is not None:
                    if type(result) is CoroutineType:
                        steps = result.__await__()
                        for waits in steps:  # most end without: those need no time-out
                            async with asyncio.timeout(self.limit):
                                await _rest(steps, waits)
                            break
                    elif isawaitable(result):
                        async with asyncio.timeout(self.limit):
                            await result
            except Exception as error:
                statistics.failures += 1
                log.exception(
                    "listener failed", listener=_name(handler), event_name=envelope.event.name, error=repr(error)
                )
            ended = perf_counter()
            took = ended - began
            began = ended
            statistics.calls += 1
            if took > SLOW:
                statistics.slow += 1
                log.warning(
                    "slow listener", listener=_name(handler), event_name=envelope.event.name, seconds=round(took, 3)
                )

    async def get_event_history(self, limit: int = 100) -> Sequence[EventRow]:
        """Return the last events of all processes, oldest first; `limit` is 1 to 1000."""
        async with reading() as session:
            return await last_events(session, limit)

    async def publish(self, envelopes: Sequence[Envelope], route: Router, send: Sender) -> None:
        """Send the tasks of a batch of committed events in one hop, then call the listeners.

        Raises what `send` raises; then no listener was called and the whole batch can be repeated.
        """
        dispatches = [dispatch for envelope in envelopes for dispatch in route(envelope)]
        if dispatches:
            await send(dispatches)
        for envelope in envelopes:
            with origin(envelope.correlation_id, envelope.id, bulk=envelope.bulk):
                await self.emit(envelope)


@coroutine
def _rest(steps: Generator[Any, Any, object], waits: object) -> Generator[Any, Any, None]:
    """Await what is left of a coroutine that has run until it `waits` for something."""
    try:
        while True:
            try:
                yield waits
            except BaseException as error:  # a cancellation is the coroutine's to handle
                waits = steps.throw(error)
            else:
                waits = next(steps)
    except StopIteration:
        return


def _name(handler: Handler) -> str:
    return getattr(handler, "__qualname__", repr(handler))


bus = EventBus()
