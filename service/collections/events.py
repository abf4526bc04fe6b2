"""What happens to a collection."""

from uuid import UUID

from pydantic import ConfigDict, Field

from service.events import Event, EventPriority, SystemEvent


class CollectionCreated(Event):
    """Somebody made a collection."""

    model_config = ConfigDict(serialize_by_alias=True)

    name = SystemEvent.COLLECTION_CREATED
    subject_field = "collection_id"
    collection_id: UUID
    title: str = Field(alias="name")  # `name` is the event's own here
    user_id: UUID


class CollectionUpdated(Event):
    """A collection was renamed, described, moved, or is for others to see than before."""

    name = SystemEvent.COLLECTION_UPDATED
    subject_field = "collection_id"
    collection_id: UUID
    changed_fields: list[str]
    user_id: UUID


class CollectionDeleted(Event):
    """A collection is gone; what was in it is still there."""

    model_config = ConfigDict(serialize_by_alias=True)

    name = SystemEvent.COLLECTION_DELETED
    subject_field = "collection_id"
    collection_id: UUID
    title: str = Field(alias="name")
    user_id: UUID


class CollectionResourceAdded(Event):
    """Resources were put into a collection; a private one is told to its owner only."""

    name = SystemEvent.COLLECTION_RESOURCE_ADDED
    subject_field = "collection_id"
    collection_id: UUID
    resource_ids: list[UUID]
    user_id: UUID


class CollectionResourceRemoved(Event):
    """Resources were taken out of a collection; a deleted one is told by `resource.deleted`."""

    name = SystemEvent.COLLECTION_RESOURCE_REMOVED
    subject_field = "collection_id"
    collection_id: UUID
    resource_ids: list[UUID]
    user_id: UUID


class CollectionEmbeddingUpdated(Event):
    """The meaning of a collection is that of its present members; so many count."""

    name = SystemEvent.COLLECTION_EMBEDDING_UPDATED
    priority = EventPriority.LOW
    subject_field = "collection_id"
    collection_id: UUID
    members: int  # whose meaning counts


class CollectionStale(Event):
    """The meaning of a collection may not be that of its members: something changed, or was found to differ."""

    name = SystemEvent.COLLECTION_STALE
    priority = EventPriority.LOW
    subject_field = "collection_id"
    collection_id: UUID
