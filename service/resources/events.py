"""What happens to a resource."""

from uuid import UUID

from service.events import Event, EventPriority, SystemEvent


class ResourceCreated(Event):
    """A resource has its first content; `source` is `url`, `upload` or `content`."""

    name = SystemEvent.RESOURCE_CREATED
    resource_id: UUID
    title: str
    source: str  # url, upload or content


class ResourceUpdated(Event):
    """Some field of a resource changed; its content or its metadata, which the two events below tell."""

    name = SystemEvent.RESOURCE_UPDATED
    resource_id: UUID
    changed_fields: list[str]
    user_id: UUID | None


class ResourceContentChanged(Event):
    """The text of a resource changed; a new resource's first text counts."""

    name = SystemEvent.RESOURCE_CONTENT_CHANGED
    priority = EventPriority.HIGH
    resource_id: UUID
    changed_fields: list[str]
    user_id: UUID | None


class ResourceMetadataChanged(Event):
    """A field besides the text changed."""

    name = SystemEvent.RESOURCE_METADATA_CHANGED
    resource_id: UUID
    changed_fields: list[str]
    user_id: UUID | None


class ResourceIdentified(Event):
    """A resource has a DOI or an arXiv identifier of its own: since it came in, or since its address changed."""

    name = SystemEvent.RESOURCE_IDENTIFIED
    resource_id: UUID
    identifier: str  # doi:10.1000/182


class ResourceDeleted(Event):
    """A resource is in the trash; the collections that held it were read before."""

    name = SystemEvent.RESOURCE_DELETED
    priority = EventPriority.HIGH
    resource_id: UUID
    title: str
    collection_ids: list[UUID]


class ResourceRestored(Event):
    """A resource is back from the trash, in these collections; resource.created follows where it has a text."""

    name = SystemEvent.RESOURCE_RESTORED
    priority = EventPriority.HIGH
    resource_id: UUID
    title: str
    collection_ids: list[UUID]
    user_id: UUID
