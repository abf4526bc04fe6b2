"""What happens to the tree of categories, and to the classification of a resource."""

from typing import Literal
from uuid import UUID

from service.events import Event, EventPriority, SystemEvent


class TaxonomyChanged(Event):
    """Somebody changed the tree; `change` is `created`, `updated`, `merged` or `deleted`."""

    name = SystemEvent.TAXONOMY_CHANGED
    subject_field = "category_id"
    category_id: UUID
    change: Literal["created", "updated", "merged", "deleted"]
    user_id: UUID


class TaxonomyStale(Event):
    """The reconciler found categories whose meaning is missing or made from something else; this is one of them."""

    name = SystemEvent.TAXONOMY_STALE
    priority = EventPriority.LOW
    subject_field = "category_id"
    category_id: UUID


class ResourceClassified(Event):
    """What a resource is about is not what it was; the ids are those that filters go by, best first."""

    name = SystemEvent.RESOURCE_CLASSIFIED
    resource_id: UUID
    taxonomy_ids: list[UUID]  # the categories that count for lists and filters, best first


class ClassificationStale(Event):
    """The reconciler found a resource whose predictions are missing or made by or from something else."""

    name = SystemEvent.CLASSIFICATION_STALE
    priority = EventPriority.LOW
    resource_id: UUID


class ModelTrained(Event):
    """A classification model was trained and is active."""

    name = SystemEvent.CLASSIFICATION_MODEL_TRAINED
    model: int
    kind: str
    accuracy: float
    macro_f1: float
    labels: int


class ModelActivated(Event):
    """Somebody went back to a model of before, or forward again."""

    name = SystemEvent.CLASSIFICATION_MODEL_ACTIVATED
    model: int
    user_id: UUID
