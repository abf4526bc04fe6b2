"""What happens to duplicates."""

from uuid import UUID

from service.events import Event, EventPriority, SystemEvent


class ResourceMerged(Event):
    """What people made of other resources, now in the trash, is this one's; it is in these collections."""

    name = SystemEvent.RESOURCE_MERGED
    priority = EventPriority.HIGH
    resource_id: UUID
    merged_ids: list[UUID]
    collection_ids: list[UUID]
    user_id: UUID
