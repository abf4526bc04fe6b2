"""Which handlers an event has, and calling them: what they raise stays here."""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Callable, Collection
from contextvars import ContextVar
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from inspect import isawaitable, iscoroutinefunction

from service.broadcast.names import KNOWN
from service.broadcast.wire import BroadcastEvent
from service.errors import Invalid

log = logging.getLogger(__name__)

Handler = Callable[[BroadcastEvent], object]

within: ContextVar[bool] = ContextVar("pharos_broadcast_handling", default=False)  # a handler runs here


class UnknownEventType(Invalid):
    """There is no event type {pattern}, and none that it stands for."""


@dataclass(slots=True)
class Statistics:
    """What became of the events that a consumer got."""

    received: int = 0  # of the types that it has handlers for
    handled: int = 0  # by all their handlers
    failures: int = 0  # of handlers
    unreadable: defaultdict[str, int] = field(default_factory=lambda: defaultdict(int))  # by reason
    dead: int = 0  # events that became dead letters
    taken_over: int = 0  # from consumers that were lost
    missed: int = 0  # at least so many were gone before they could be read


class Subscriptions:
    """Handlers by patterns of event types."""

    def __init__(self) -> None:
        self._rows: list[tuple[str, Handler]] = []
        self._found: dict[str, tuple[Handler, ...]] = {}

    def add(self, pattern: str, handler: Handler) -> None:
        """Call `handler` for a type, or for all that a pattern like `quiz.*` stands for; raises UnknownEventType."""
        if not any(fnmatchcase(name, pattern) for name in KNOWN) and pattern not in KNOWN:
            raise UnknownEventType(pattern=pattern)
        if (pattern, handler) not in self._rows:
            self._rows.append((pattern, handler))
            self._found = {}

    def of(self, name: str) -> tuple[Handler, ...]:
        """Return who hears this type, each once, in the order of subscribing."""
        found = self._found.get(name)
        if found is None:
            rows = [handler for pattern, handler in self._rows if fnmatchcase(name, pattern)]
            found = tuple(dict.fromkeys(rows))
            if len(self._found) < 1000:  # names come from outside
                self._found[name] = found
        return found


async def call(handler: Handler, event: BroadcastEvent) -> Exception | None:
    """Call a handler, one that is no coroutine in a thread, and return what it raised."""
    token = within.set(True)
    try:
        if iscoroutinefunction(handler):
            await handler(event)
            return None
        result = await asyncio.to_thread(_settled, handler, event)
        if isawaitable(result):
            await result
        return result if isinstance(result, _Raised) else None
    except Exception as error:
        return error
    finally:
        within.reset(token)


class _Raised(Exception): ...


def _settled(handler: Handler, event: BroadcastEvent) -> object:
    try:
        return handler(event)
    except (Exception, SystemExit) as error:  # a future takes no StopIteration, and a loop ends with a SystemExit
        raised = _Raised(f"{type(error).__name__}: {error}")
        raised.__cause__ = error
        return raised


def said(error: Exception) -> str:
    """Return an error in one line."""
    return str(error) if isinstance(error, _Raised) else f"{type(error).__name__}: {error}"


async def call_all(handlers: Collection[Handler], event: BroadcastEvent, statistics: Statistics) -> dict[Handler, str]:
    """Call every handler, and return what those said that failed."""
    failed: dict[Handler, str] = {}
    for handler in handlers:
        error = await call(handler, event)
        if error is not None:
            statistics.failures += 1
            failed[handler] = said(error)
            name = getattr(handler, "__qualname__", repr(handler))
            cause = error.__cause__ if isinstance(error, _Raised) else error
            log.warning("handler %s failed with %s (%s)", name, event.event_type, failed[handler], exc_info=cause)
    if not failed:
        statistics.handled += 1
    return failed
