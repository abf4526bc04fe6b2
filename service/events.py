"""What can happen: event names, the base of all payloads, and where an event comes from.

The payloads live with the slices (`service/<slice>/events.py`). They hold ids and small facts, never bodies.
"""

from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import IntEnum, StrEnum
from typing import Any, ClassVar, Self
from uuid import UUID, uuid4

from pydantic import BaseModel, ConfigDict


class EventPriority(IntEnum):
    """The weight of an event for those who read the log; tasks take theirs from their queue."""

    CRITICAL = 100
    HIGH = 75
    NORMAL = 50
    LOW = 25


class SystemEvent(StrEnum):
    """Every event that is emitted somewhere."""

    RESOURCE_CREATED = "resource.created"
    RESOURCE_UPDATED = "resource.updated"
    RESOURCE_DELETED = "resource.deleted"
    RESOURCE_RESTORED = "resource.restored"
    RESOURCE_MERGED = "resource.merged"
    RESOURCES_PURGED = "resources.purged"
    RESOURCE_CONTENT_CHANGED = "resource.content_changed"
    RESOURCE_METADATA_CHANGED = "resource.metadata_changed"
    RESOURCE_IDENTIFIED = "resource.identified"

    INGESTION_STARTED = "ingestion.started"
    INGESTION_PROGRESSED = "ingestion.progressed"
    INGESTION_COMPLETED = "ingestion.completed"
    INGESTION_FAILED = "ingestion.failed"
    INGESTION_STALLED = "ingestion.stalled"
    CITATIONS_EXTRACTED = "citations.extracted"
    AUTHORS_EXTRACTED = "authors.extracted"

    CITATIONS_STALE = "citations.stale"
    CITATIONS_RESOLVED = "citations.resolved"
    GRAPH_UPDATED = "graph.updated"
    GRAPH_STALE = "graph.stale"

    AUTHORS_NORMALIZED = "authors.normalized"
    AUTHORS_MERGED = "authors.merged"
    AUTHORS_SPLIT = "authors.split"
    AUTHORS_STALE = "authors.stale"

    DOCUMENT_UPLOADED = "document.uploaded"
    DOCUMENT_PROCESSING = "document.processing"
    DOCUMENT_PROCESSED = "document.processed"
    DOCUMENT_FAILED = "document.failed"
    INDEXING_STARTED = "indexing.started"
    INDEXING_PROGRESS = "indexing.progress"
    INDEXING_COMPLETED = "indexing.completed"
    INDEXING_FAILED = "indexing.failed"
    INDEXING_STALE = "indexing.stale"

    QUIZ_SESSION_STARTED = "quiz.session.started"
    QUIZ_SESSION_SUBMITTED = "quiz.session.submitted"

    REVIEWS_DUE = "reviews.due"

    BATCH_REQUESTED = "batch.requested"

    COLLECTION_CREATED = "collection.created"
    COLLECTION_UPDATED = "collection.updated"
    COLLECTION_DELETED = "collection.deleted"
    COLLECTION_RESOURCE_ADDED = "collection.resource_added"
    COLLECTION_RESOURCE_REMOVED = "collection.resource_removed"
    COLLECTION_EMBEDDING_UPDATED = "collection.embedding_updated"
    COLLECTION_STALE = "collection.stale"

    ANNOTATION_CREATED = "annotation.created"
    ANNOTATION_UPDATED = "annotation.updated"
    ANNOTATION_DELETED = "annotation.deleted"
    ANNOTATIONS_STALE = "annotations.stale"

    BACKGROUND_TASK_STARTED = "background_task.started"
    BACKGROUND_TASK_COMPLETED = "background_task.completed"
    BACKGROUND_TASK_FAILED = "background_task.failed"
    BACKGROUND_TASK_RETRY = "background_task.retry"

    SEARCH_INDEX_UPDATED = "search.index_updated"
    SEARCH_INDEX_STALE = "search.index_stale"
    SEARCH_EXECUTED = "search.executed"
    EMBEDDING_GENERATED = "embedding.generated"
    EMBEDDING_STALE = "embedding.stale"

    QUALITY_COMPUTED = "quality.computed"
    QUALITY_STALE = "quality.stale"
    QUALITY_DEGRADED = "quality.degraded"
    QUALITY_OUTLIER_DETECTED = "quality.outlier_detected"
    TAXONOMY_CHANGED = "taxonomy.changed"
    TAXONOMY_STALE = "taxonomy.stale"
    RESOURCE_CLASSIFIED = "resource.classified"
    CLASSIFICATION_STALE = "classification.stale"
    CLASSIFICATION_MODEL_TRAINED = "classification.model_trained"
    CLASSIFICATION_MODEL_ACTIVATED = "classification.model_activated"
    QUIZ_REQUESTED = "quiz.requested"
    QUIZ_STALLED = "quiz.stalled"
    QUIZ_GENERATION_STARTED = "quiz.generation.started"
    QUIZ_GENERATION_PROGRESS = "quiz.generation.progress"
    QUIZ_GENERATED = "quiz.generated"
    QUIZ_GENERATION_FAILED = "quiz.generation.failed"
    QUIZ_REPLACEMENT_REQUESTED = "quiz.replacement_requested"
    QUIZ_QUESTION_REPLACED = "quiz.question_replaced"

    IMPORT_REQUESTED = "import.requested"
    IMPORT_PROGRESSED = "import.progressed"
    IMPORT_COMPLETED = "import.completed"
    IMPORT_FAILED = "import.failed"
    IMPORT_STALLED = "import.stalled"

    RESOURCES_EXPORTED = "resources.exported"
    USER_INTERACTION_TRACKED = "user.interaction_tracked"
    USER_PROFILE_UPDATED = "user.profile_updated"
    USER_PROFILE_STALE = "user.profile_stale"
    USER_NOTIFICATION = "user.notification"

    WEBHOOK_CHANGED = "webhook.changed"
    WEBHOOK_DELIVERY_REQUESTED = "webhook.delivery_requested"
    WEBHOOK_TESTED = "webhook.tested"
    WEBHOOK_DISABLED = "webhook.disabled"
    FEED_DUE = "feed.due"
    DIGEST_DUE = "digest.due"

    BACKGROUND_TASK_REQUEUED = "background_task.requeued"
    SCHEDULE_RUN_REQUESTED = "schedule.run_requested"

    CACHE_HIT = "cache.hit"
    CACHE_MISS = "cache.miss"
    CACHE_INVALIDATED = "cache.invalidated"
    CACHE_WARMING_REQUESTED = "cache.warming_requested"
    TASK_STATUS_UPDATE = "task.status.update"


class Event(BaseModel):
    """One thing that happened: a frozen payload. Subclasses set `name` and, where another fits, `priority`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: ClassVar[SystemEvent]
    version: ClassVar[int] = 1
    priority: ClassVar[EventPriority] = EventPriority.NORMAL
    subject_field: ClassVar[str] = "resource_id"  # the field that holds the id of what it happened to

    registry: ClassVar[dict[str, type["Event"]]] = {}

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        super().__pydantic_init_subclass__(**kwargs)
        if Event.registry.setdefault(cls.name, cls) is not cls:
            raise TypeError(f"{cls.name} is declared by {Event.registry[cls.name].__name__} and by {cls.__name__}")

    @property
    def subject(self) -> UUID | None:
        return getattr(self, self.subject_field, None)


@dataclass(frozen=True, slots=True)
class Origin:
    """Why something happens: the request it belongs to, the event that caused it, and whether it is bulk work."""

    correlation_id: str
    cause: UUID | None = None
    bulk: bool = False


_origin: ContextVar[Origin | None] = ContextVar("pharos_origin", default=None)


def current_origin() -> Origin:
    """Return where the running code comes from; a fresh origin where nobody said."""
    return _origin.get() or Origin(str(uuid4()))


@contextmanager
def origin(correlation_id: str | None = None, cause: UUID | None = None, *, bulk: bool = False) -> Generator[Origin]:
    """Set where the code inside comes from; its events carry it."""
    token = _origin.set(Origin(correlation_id or str(uuid4()), cause, bulk))
    try:
        yield current_origin()
    finally:
        _origin.reset(token)


@dataclass(frozen=True, slots=True)
class Envelope:
    """An event on its way: the payload, when and why it happened, and who may hear of it."""

    event: Event
    correlation_id: str
    cause: UUID | None = None
    audience: UUID | None = None  # the only account that may see it; None: everyone
    bulk: bool = False
    id: UUID = field(default_factory=uuid4)
    timestamp: datetime = field(default_factory=lambda: datetime.now(UTC))

    @classmethod
    def of(cls, event: Event, audience: UUID | None = None) -> Self:
        """Wrap an event that happens here and now."""
        here = current_origin()
        return cls(event, here.correlation_id, here.cause, audience, here.bulk)
