"""What happens in the cache. The first three are told to listeners of this process alone, where there are any."""

from service.events import Event, EventPriority, SystemEvent


class CacheHit(Event):
    """A value was there."""

    name = SystemEvent.CACHE_HIT
    priority = EventPriority.LOW
    key: str


class CacheMiss(Event):
    """A value was not there."""

    name = SystemEvent.CACHE_MISS
    priority = EventPriority.LOW
    key: str


class CacheInvalidated(Event):
    """A name was forgotten, and all below it."""

    name = SystemEvent.CACHE_INVALIDATED
    priority = EventPriority.LOW
    key: str


class WarmingRequested(Event):
    """Somebody wants what is used most to be in the cache."""

    name = SystemEvent.CACHE_WARMING_REQUESTED
    priority = EventPriority.LOW
    prefixes: str  # by commas
