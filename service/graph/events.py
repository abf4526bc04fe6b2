"""What happens to the graph. Counts leave out what is private to others: they would tell of it."""

from uuid import UUID

from service.events import Event, EventPriority, SystemEvent


class CitationsResolved(Event):
    """Citations of a resource lead to other items than before; `count` of them lead to one now."""

    name = SystemEvent.CITATIONS_RESOLVED
    resource_id: UUID
    count: int


class GraphUpdated(Event):
    """The importance of the items was computed again, of so many shared ones."""

    name = SystemEvent.GRAPH_UPDATED
    priority = EventPriority.LOW
    nodes: int


class GraphStale(Event):
    """The reconciler found citations that lead nowhere or were not looked up, or ranks that are missing or old."""

    name = SystemEvent.GRAPH_STALE
    priority = EventPriority.LOW
    resource_id: UUID
