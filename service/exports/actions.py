"""Verbs of exports."""

from collections.abc import AsyncIterator, Mapping, Sequence
from uuid import UUID

from sqlalchemy import false, or_, select
from sqlalchemy.orm import load_only

from service.annotations.tables import Annotation
from service.collections.placing import DEEPEST
from service.collections.tables import Collection, CollectionResource, readable
from service.database import ReadSession, Session, reading
from service.errors import NotFound
from service.exports.events import ResourcesExported
from service.exports.record import Record
from service.imports.tables import Bibliography
from service.outbox import emit
from service.resources.tables import Resource, visible
from service.security.accounts import Account

PAGE = 500
MARKED = ("quote", "note", "tags", "colour")
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


async def exported(
    account: Account, only: Sequence[UUID] | None = None, *, text: bool = False
) -> AsyncIterator[list[Record]]:
    """Yield what the account may see, with or without its text, in pages by id; with `only`, these resources alone.

    A session is open only while a page is read.
    """
    last = UUID(int=0)
    names = (*FIELDS, "identifiers", *(("content",) if text else ()))
    shown = [getattr(Resource, name) for name in names]
    while True:
        query = select(Resource).where(visible(account), Resource.id > last).order_by(Resource.id).limit(PAGE)
        if only is not None:
            query = query.where(Resource.id.in_(only))
        async with reading() as session:
            rows = (await session.scalars(query.options(load_only(*shown, raiseload=True)))).all()
            if not rows:
                return
            records = {row.id: Record(**{name: getattr(row, name) for name in names}) for row in rows}
            await _surround(session, account, records)
        yield list(records.values())
        last = rows[-1].id


async def _surround(session: ReadSession, account: Account, records: Mapping[UUID, Record]) -> None:
    """Add the account's own collections and annotations, and what bibliographies say."""
    ids = list(records)
    paths = await _paths(session, account)
    member = CollectionResource
    held = select(member.resource_id, member.collection_id).join(Collection)
    held = held.where(member.resource_id.in_(ids), Collection.owner_id == account.id)
    for resource_id, collection_id in await session.execute(held.order_by(member.resource_id, member.collection_id)):
        records[resource_id].collections.append(paths[collection_id])
    columns = [getattr(Annotation, name) for name in MARKED]
    marked = select(Annotation.resource_id, *columns).where(
        Annotation.resource_id.in_(ids), Annotation.owner_id == account.id
    )
    for resource_id, *values in await session.execute(marked.order_by(Annotation.resource_id, Annotation.position)):
        records[resource_id].annotations.append(dict(zip(MARKED, values, strict=True)))
    known = select(Bibliography.resource_id, Bibliography.csl).where(Bibliography.resource_id.in_(ids))
    for resource_id, csl in await session.execute(known):
        records[resource_id].reference = csl


async def _paths(session: ReadSession, account: Account) -> dict[UUID, list[str]]:
    """Return the path of each collection of an account."""
    chosen = select(Collection.id, Collection.name, Collection.parent_id).where(Collection.owner_id == account.id)
    rows = {row.id: row for row in await session.execute(chosen)}
    paths: dict[UUID, list[str]] = {}
    for id, row in rows.items():
        path, here = [row.name], row
        while here.parent_id in rows and len(path) < DEEPEST:
            here = rows[here.parent_id]
            path.insert(0, here.name)
        paths[id] = path
    return paths
