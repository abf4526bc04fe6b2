"""What happens to an uploaded document, and to its passages."""

from uuid import UUID

from service.events import Event, EventPriority, SystemEvent


class DocumentUploaded(Event):
    """A file is stored and its rows are committed."""

    name = SystemEvent.DOCUMENT_UPLOADED
    priority = EventPriority.HIGH
    resource_id: UUID
    document_id: UUID
    user_id: UUID
    filename: str
    size: int  # bytes


class DocumentProcessing(Event):
    """It is being read; `progress` is a percentage of the whole way to `ready`."""

    name = SystemEvent.DOCUMENT_PROCESSING
    priority = EventPriority.LOW
    resource_id: UUID
    document_id: UUID
    user_id: UUID
    progress: int
    message: str


class DocumentProcessed(Event):
    """Its text is stored."""

    name = SystemEvent.DOCUMENT_PROCESSED
    resource_id: UUID
    document_id: UUID
    user_id: UUID
    word_count: int
    pages: int | None  # None where the format has none


class DocumentFailed(Event):
    """It could not be read, and is not tried again by itself."""

    name = SystemEvent.DOCUMENT_FAILED
    priority = EventPriority.HIGH
    resource_id: UUID
    document_id: UUID
    user_id: UUID
    error: str
    error_type: str


class IndexingStarted(Event):
    """Its text is to be cut into passages."""

    name = SystemEvent.INDEXING_STARTED
    resource_id: UUID
    document_id: UUID
    user_id: UUID


class IndexingProgress(Event):
    """A step of its indexing is done; `progress` is a percentage of the whole way to `ready`."""

    name = SystemEvent.INDEXING_PROGRESS
    priority = EventPriority.LOW
    resource_id: UUID
    document_id: UUID
    user_id: UUID
    progress: int
    message: str


class IndexingCompleted(Event):
    """It is found by its words and by its meaning, and its passages are there."""

    name = SystemEvent.INDEXING_COMPLETED
    resource_id: UUID
    document_id: UUID
    user_id: UUID
    passages: int


class IndexingFailed(Event):
    """Its indexing was given up; the reconciler does not ask again until the text changes or somebody asks."""

    name = SystemEvent.INDEXING_FAILED
    priority = EventPriority.HIGH
    resource_id: UUID
    document_id: UUID
    user_id: UUID
    error: str
    error_type: str


class IndexingStale(Event):
    """Its passages are missing, or were cut from an older text."""

    name = SystemEvent.INDEXING_STALE
    priority = EventPriority.LOW
    resource_id: UUID
