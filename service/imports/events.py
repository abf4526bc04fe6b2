"""What happens to imports."""

from uuid import UUID

from service.events import Event, EventPriority, SystemEvent


class ImportRequested(Event):
    """Somebody gave a file of another program, or wants what failed of it tried again; told to that account only."""

    name = SystemEvent.IMPORT_REQUESTED
    priority = EventPriority.LOW
    subject_field = "import_id"
    import_id: UUID
    user_id: UUID


class ImportProgressed(Event):
    """Some more entries of a file are in the library, or refused."""

    name = SystemEvent.IMPORT_PROGRESSED
    priority = EventPriority.LOW
    subject_field = "import_id"
    import_id: UUID
    added: int
    merged: int
    failed: int
    total: int


class ImportCompleted(Event):
    """All entries of a file are in the library, or refused."""

    name = SystemEvent.IMPORT_COMPLETED
    subject_field = "import_id"
    import_id: UUID
    added: int
    merged: int
    failed: int
    total: int


class ImportFailed(Event):
    """A file could not be read at all, or its import was cancelled."""

    name = SystemEvent.IMPORT_FAILED
    subject_field = "import_id"
    import_id: UUID
    error: str


class ImportStalled(Event):
    """An import is unfinished and nobody works on it: Redis was emptied, or a task was given up."""

    name = SystemEvent.IMPORT_STALLED
    priority = EventPriority.LOW
    subject_field = "import_id"
    import_id: UUID
