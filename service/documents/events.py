"""What happens to an uploaded document."""

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
