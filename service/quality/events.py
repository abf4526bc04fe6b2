"""What happens to the quality of a resource."""

from uuid import UUID

from service.events import Event, EventPriority, SystemEvent


class QualityComputed(Event):
    """The quality of a resource was computed from something new, or a person corrected it."""

    name = SystemEvent.QUALITY_COMPUTED
    resource_id: UUID
    score: float  # 0 to 1
    dimensions: dict[str, float]


class QualityStale(Event):
    """The reconciler found a resource whose quality is missing or was computed from something else."""

    name = SystemEvent.QUALITY_STALE
    priority = EventPriority.LOW
    resource_id: UUID


class QualityDegraded(Event):
    """A resource lost more than 0.2 of its quality within 30 days."""

    name = SystemEvent.QUALITY_DEGRADED
    resource_id: UUID
    score: float
    previous: float


class QualityOutlierDetected(Event):
    """A resource is unlike all the others in its quality; `dimensions` are those that stand out."""

    name = SystemEvent.QUALITY_OUTLIER_DETECTED
    resource_id: UUID
    score: float
    dimensions: list[str]
