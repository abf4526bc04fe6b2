"""The data of events, by type and version, as listeners may rely on them.

A field is added without a new version, and readers keep what they do not know; whatever else changes is a new version.
"""

from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any, ClassVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

import service
from service.broadcast.names import EventType
from service.events import Event


def _text(value: object) -> object:
    return value if value is None or isinstance(value, str | bool | float | bytes | dict | list) else str(value)


Id = Annotated[str, BeforeValidator(_text), StringConstraints(min_length=1, max_length=200)]  # UUID, number or any text
Line = Annotated[str, StringConstraints(max_length=2000)]
Name = Annotated[str, StringConstraints(min_length=1, max_length=200)]
Percent = Annotated[float, Field(ge=0, le=100)]
Count = Annotated[int, Field(ge=0)]


class Payload(BaseModel):
    """What one type of event says; `user_id` is whom it concerns."""

    model_config = ConfigDict(frozen=True, extra="allow")

    version: ClassVar[int] = 1

    user_id: Id


class _OfDocument(Payload):
    document_id: Id
    resource_id: Id | None = None


class DocumentUploaded(_OfDocument):
    """A file is stored; `size` in bytes."""

    filename: Annotated[str, StringConstraints(min_length=1, max_length=1000)]
    size: Count
    content_type: Annotated[str, StringConstraints(max_length=200)] | None = None


class DocumentProcessing(_OfDocument):
    """Its text is being read; `progress` in percent."""

    progress: Percent | None = None
    message: Line | None = None


class DocumentProcessed(_OfDocument):
    """Its text was read."""

    word_count: Count | None = None
    pages: Count | None = None


class DocumentFailed(_OfDocument):
    """It could not be read."""

    error: Line
    error_type: Name | None = None


class IndexingStarted(_OfDocument):
    """Its passages are being made and embedded."""


class IndexingProgress(_OfDocument):
    """`current` of `total` passages are embedded; `progress` in percent."""

    progress: Percent | None = None
    current: Count | None = None
    total: Count | None = None
    message: Line | None = None


class IndexingCompleted(_OfDocument):
    """It can be searched by its passages."""

    passages: Count | None = None


class IndexingFailed(_OfDocument):
    """It could not be indexed."""

    error: Line
    error_type: Name | None = None


class _OfQuiz(Payload):
    quiz_id: Id


class QuizGenerationStarted(_OfQuiz):
    """Questions are being written."""

    num_questions: Count | None = None


class QuizGenerationProgress(_OfQuiz):
    """So far they are; `progress` in percent."""

    progress: Percent | None = None
    message: Line | None = None


class QuizGenerated(_OfQuiz):
    """The quiz can be taken; it has so many `questions`."""

    questions: Count | None = None


class QuizGenerationFailed(_OfQuiz):
    """There will be no quiz."""

    error: Line


class TaskStatusUpdate(Payload):
    """How a task stands that a person asked for; `progress` in percent.

    Pharos says `started`, `processing`, `retrying`, `completed`, `failed` or `cancelled`.
    """

    task_id: Id
    task_type: Name
    status: Name
    progress: Percent | None = None
    message: Line | None = None


class UserNotification(Payload):
    """Somebody is told something."""

    notification_id: Id
    kind: Name
    title: Line
    message: Line


PAYLOADS: dict[str, type[Payload]] = {
    EventType.DOCUMENT_UPLOADED: DocumentUploaded,
    EventType.DOCUMENT_PROCESSING: DocumentProcessing,
    EventType.DOCUMENT_PROCESSED: DocumentProcessed,
    EventType.DOCUMENT_FAILED: DocumentFailed,
    EventType.INDEXING_STARTED: IndexingStarted,
    EventType.INDEXING_PROGRESS: IndexingProgress,
    EventType.INDEXING_COMPLETED: IndexingCompleted,
    EventType.INDEXING_FAILED: IndexingFailed,
    EventType.QUIZ_GENERATION_STARTED: QuizGenerationStarted,
    EventType.QUIZ_GENERATION_PROGRESS: QuizGenerationProgress,
    EventType.QUIZ_GENERATED: QuizGenerated,
    EventType.QUIZ_GENERATION_FAILED: QuizGenerationFailed,
    EventType.TASK_STATUS_UPDATE: TaskStatusUpdate,
    EventType.USER_NOTIFICATION: UserNotification,
}


@cache
def events_of_slices() -> dict[str, type[Event]]:
    """Return every event that Pharos emits, by name; loads the slices' `events`, which only their listeners need."""
    for path in sorted(Path(service.__path__[0]).glob("*/events.py")):
        import_module(f"service.{path.parent.name}.events")
    import_module("service.queue.requeue")
    return Event.registry


def model_of(name: str) -> type[Payload] | type[Event] | None:
    """Return what reads the data of this type; None for one that nobody knows."""
    return PAYLOADS.get(name) or events_of_slices().get(name)


def read(model: type[Payload] | type[Event], data: dict[str, Any]) -> Payload | Event:
    """Validate data; unknown fields do no harm. Raises ValidationError."""
    return model.model_validate(data, extra="allow" if issubclass(model, Payload) else "ignore")
