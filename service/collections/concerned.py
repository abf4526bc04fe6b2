"""Which collections a change of a resource concerns; the slices that tell of such changes ask here.

An event that everybody may see must not name somebody's private collection. Its owner is told by an event of its own.
"""

from uuid import UUID

from sqlalchemy import select

from service.collections.events import CollectionStale
from service.collections.tables import Collection, CollectionResource
from service.database import ReadSession, Session
from service.outbox import emit


async def concerned(session: Session, resource_id: UUID, audience: UUID | None) -> list[UUID]:
    """Return the collections of a resource that all of `audience` may see; emit collection.stale for the others."""
    collections = await _holding(session, resource_id)
    shown = [one for one in collections if one.audience in (None, audience)]
    for hidden in collections:
        if hidden not in shown:
            _tell(session, hidden)
    return [one.id for one in shown]


async def tell_all(session: Session, resource_id: UUID) -> None:
    """Emit collection.stale for every collection of a resource."""
    for collection in await _holding(session, resource_id):
        _tell(session, collection)


async def _holding(session: ReadSession, resource_id: UUID) -> list[Collection]:
    membership = CollectionResource.collection_id == Collection.id
    held = select(Collection).join(CollectionResource, membership).where(CollectionResource.resource_id == resource_id)
    return list(await session.scalars(held.order_by(Collection.id)))


def _tell(session: Session, collection: Collection) -> None:
    emit(session, CollectionStale(collection_id=collection.id), audience=collection.audience)
