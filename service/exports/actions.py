"""Verbs of exports."""

from collections.abc import AsyncIterator, Sequence
from uuid import UUID

from sqlalchemy import false, or_, select
from sqlalchemy.orm import load_only

from service.collections.tables import Collection, CollectionResource, readable
from service.database import Session, reading
from service.errors import NotFound
from service.exports.events import ResourcesExported
from service.outbox import emit
from service.resources.tables import Resource, visible
from service.security.accounts import Account

PAGE = 500
TOLD = 500  # resources that one event names
FIELDS = (
    "id", "title", "url", "authors", "description", "type", "language", "subjects", "tags", "published_at", "site",
    "status", "word_count", "private", "created_at", "updated_at",
)  # fmt: skip


async def chosen(session: Session, account: Account, ids: Sequence[UUID], collection: UUID | None) -> list[UUID]:
    """Return the named resources, and those of a collection, that the account may see, and tell of their export.

    Raises NotFound for a collection that is not there for the account.
    """
    wanted = or_(Resource.id.in_(ids), false())
    if collection is not None:
        if not await session.scalar(select(Collection.id).where(Collection.id == collection, readable(account))):
            raise NotFound(what="collection", id=collection)
        held = select(CollectionResource.resource_id).where(CollectionResource.collection_id == collection)
        wanted = or_(wanted, Resource.id.in_(held))
    found = list(await session.scalars(select(Resource.id).where(visible(account), wanted).order_by(Resource.id)))
    for start in range(0, len(found), TOLD):
        told = ResourcesExported(resource_ids=found[start : start + TOLD], user_id=account.id)
        emit(session, told, audience=account.id)
    return found


async def exported(account: Account, only: Sequence[UUID] | None = None) -> AsyncIterator[Sequence[Resource]]:
    """Yield what the account may see, without its text, in pages by id; with `only`, these resources alone.

    A session is open only while a page is read.
    """
    last = UUID(int=0)
    shown = [getattr(Resource, name) for name in FIELDS]
    while True:
        query = select(Resource).where(visible(account), Resource.id > last).order_by(Resource.id).limit(PAGE)
        if only is not None:
            query = query.where(Resource.id.in_(only))
        async with reading() as session:
            rows = (await session.scalars(query.options(load_only(*shown, raiseload=True)))).all()
        if not rows:
            return
        yield rows
        last = rows[-1].id
