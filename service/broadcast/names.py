"""The names that programs beside Pharos rely on: event types, channels, streams."""

from enum import StrEnum

from service.errors import Invalid
from service.events import SystemEvent
from service.settings import settings


class EventType(StrEnum):
    """The types that other programs publish as well; all of Pharos's own are in `service.events.SystemEvent`."""

    DOCUMENT_UPLOADED = "document.uploaded"
    DOCUMENT_PROCESSING = "document.processing"
    DOCUMENT_PROCESSED = "document.processed"
    DOCUMENT_FAILED = "document.failed"
    INDEXING_STARTED = "indexing.started"
    INDEXING_PROGRESS = "indexing.progress"
    INDEXING_COMPLETED = "indexing.completed"
    INDEXING_FAILED = "indexing.failed"
    QUIZ_GENERATION_STARTED = "quiz.generation.started"
    QUIZ_GENERATION_PROGRESS = "quiz.generation.progress"
    QUIZ_GENERATED = "quiz.generated"
    QUIZ_GENERATION_FAILED = "quiz.generation.failed"
    TASK_STATUS_UPDATE = "task.status.update"
    USER_NOTIFICATION = "user.notification"


PUBLISHED: frozenset[str] = frozenset(EventType)
KNOWN: frozenset[str] = PUBLISHED | frozenset(SystemEvent)

CHANNELS = "pharos_events:"  # and the type
STREAM = "pharos_events:stream"  # what Pharos tells; nobody else writes to it
OUTSIDE = "pharos_events:outside"  # what other programs tell
OUTSIDE_KEPT = 10_000  # events
DEAD_KEPT = 10_000  # events, of each group
LARGEST = 64 * 1024  # bytes of an event: facts, never bodies

PHAROS = "pharos"  # as the source of an event


def family(name: str) -> list[EventType]:
    """Return the types `{name}.*` among those above; Pharos's own housekeeping (`indexing.stale`) is none of them."""
    return [event for event in EventType if event.startswith(f"{name}.")]


def dead_letters_of(group: str) -> str:
    """Return the key of what a group could not handle."""
    return f"pharos_events:dead:{group}"


def again_of(group: str) -> str:
    """Return the key of the dead letters that a group is to try again."""
    return f"pharos_events:again:{group}"


def type_of(name: str) -> EventType | SystemEvent:
    """Return the event type of this name; ValueError where there is none."""
    return EventType(name) if name in PUBLISHED else SystemEvent(name)


class BadAddress(Invalid):
    """The address of Redis is `redis://[user:password@]host[:port][/database]`, `rediss://...` or `unix://...`."""


def address(redis_url: str | None) -> str:
    """Return where Redis is: as said, else PHAROS_BROKER_URL, else on this machine; raises BadAddress."""
    url = redis_url or settings().broker_url or "redis://localhost:6379"
    if not url.startswith(("redis://", "rediss://", "unix://")):
        raise BadAddress
    return url
