"""What happens to authors."""

from uuid import UUID

from service.events import Event, EventPriority, SystemEvent


class AuthorsNormalized(Event):
    """The author names of a resource lead to authors; so many of them."""

    name = SystemEvent.AUTHORS_NORMALIZED
    resource_id: UUID
    count: int


class AuthorsMerged(Event):
    """Somebody said that two authors are one; told to that account."""

    name = SystemEvent.AUTHORS_MERGED
    author_id: UUID
    into_id: UUID
    user_id: UUID


class AuthorsSplit(Event):
    """Somebody said that an author is two; told to that account."""

    name = SystemEvent.AUTHORS_SPLIT
    author_id: UUID
    new_id: UUID
    user_id: UUID


class AuthorsStale(Event):
    """The reconciler found a resource whose author names were not read, or others than it has now."""

    name = SystemEvent.AUTHORS_STALE
    priority = EventPriority.LOW
    resource_id: UUID
