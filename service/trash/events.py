"""What happens in the trash."""

from uuid import UUID

from service.events import Event, EventPriority, SystemEvent


class ResourcesPurged(Event):
    """Deleted resources are gone for good; `originals` are the keys of their stored bytes, which others may share."""

    name = SystemEvent.RESOURCES_PURGED
    priority = EventPriority.LOW
    resource_ids: list[UUID]
    originals: list[str]
