"""What happens on the way of a resource into the library."""

from uuid import UUID

from service.events import Event, EventPriority, SystemEvent


class IngestionStarted(Event):
    """A page was asked for, or is to be read again."""

    name = SystemEvent.INGESTION_STARTED
    resource_id: UUID
    url: str | None


class IngestionProgressed(Event):
    """One step began, ended, or is to be tried again."""

    name = SystemEvent.INGESTION_PROGRESSED
    priority = EventPriority.LOW
    resource_id: UUID
    step: str
    state: str


class IngestionCompleted(Event):
    """The content is stored."""

    name = SystemEvent.INGESTION_COMPLETED
    resource_id: UUID
    status: str
    success: bool
    duration_seconds: float


class IngestionFailed(Event):
    """It did not work and is not tried again by itself."""

    name = SystemEvent.INGESTION_FAILED
    priority = EventPriority.HIGH
    resource_id: UUID
    success: bool = False
    error: str
    error_type: str


class IngestionStalled(Event):
    """An ingestion that nobody works on any more, found by the reconciler."""

    name = SystemEvent.INGESTION_STALLED
    resource_id: UUID


class CitationsExtracted(Event):
    """The identifiers, links and references of a text were found."""

    name = SystemEvent.CITATIONS_EXTRACTED
    resource_id: UUID
    citation_ids: list[UUID]
    count: int


class CitationsStale(Event):
    """The reconciler found a text that somebody gave, and in which citations were not looked for."""

    name = SystemEvent.CITATIONS_STALE
    priority = EventPriority.LOW
    resource_id: UUID


class AuthorsExtracted(Event):
    """The authors that a page or a document names were found."""

    name = SystemEvent.AUTHORS_EXTRACTED
    resource_id: UUID
    author_names: list[str]
    count: int
