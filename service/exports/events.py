"""What happens when somebody takes something out of the library."""

from uuid import UUID

from service.events import Event, EventPriority, SystemEvent


class ResourcesExported(Event):
    """Somebody exported these resources, or a collection that holds them; told to that account only."""

    name = SystemEvent.RESOURCES_EXPORTED
    priority = EventPriority.LOW

    resource_ids: list[UUID]
    user_id: UUID
