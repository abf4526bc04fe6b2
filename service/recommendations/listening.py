"""Interactions that other slices tell of: one row of THE TABLE for each kind.

On(AnnotationCreated,        record_annotation),
On(CollectionResourceAdded,  record_collection_add),
On(ResourcesExported,        record_export),
"""

from typing import Any
from uuid import UUID

from service.database import transaction
from service.events import Envelope
from service.recommendations.actions import track
from service.recommendations.events import InteractionType


async def record_annotation(envelope: Envelope) -> None:
    """Record that the event's user annotated its resource."""
    await _record(envelope, "annotation")


async def record_collection_add(envelope: Envelope) -> None:
    """Record that the event's user put its resources into a collection."""
    await _record(envelope, "collection_add")


async def record_export(envelope: Envelope) -> None:
    """Record that the event's user exported its resources."""
    await _record(envelope, "export")


async def _record(envelope: Envelope, interaction_type: InteractionType) -> None:
    """Record an event with `user_id` and `resource_id` or `resource_ids`, once however often it is carried on."""
    event: Any = envelope.event
    if event.user_id is None:
        return
    many: list[UUID] | None = getattr(event, "resource_ids", None)
    async with transaction() as session:
        for resource_id in sorted(set([event.resource_id] if many is None else many)):
            await track(session, event.user_id, resource_id, interaction_type, event_id=envelope.id)
