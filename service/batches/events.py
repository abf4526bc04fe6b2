"""What happens to batches."""

from uuid import UUID

from service.events import Event, EventPriority, SystemEvent


class BatchRequested(Event):
    """One operation on many resources was asked for."""

    name = SystemEvent.BATCH_REQUESTED
    priority = EventPriority.LOW
    subject_field = "batch_id"
    batch_id: UUID
    operation: str
    count: int
    user_id: UUID
