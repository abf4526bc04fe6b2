"""Verbs of collections: make, list, change, delete them, put resources in and take them out."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, and_, delete, func, insert, select, update

from service.collections.events import (
    CollectionCreated,
    CollectionDeleted,
    CollectionResourceAdded,
    CollectionResourceRemoved,
    CollectionUpdated,
)
from service.collections.placing import check_place, take_turn
from service.collections.tables import Collection, CollectionResource, Parent, readable
from service.database import ReadSession, Session
from service.errors import Forbidden, NotFound, unchanged_since
from service.outbox import emit
from service.resources.tables import Resource, visible
from service.security.accounts import Account

NAMED = 20  # unknown resources that an error names


class NotYours(Forbidden):
    """The collection {id} is somebody else's: you may read it, not change it."""


class UnknownResources(NotFound):
    """Nothing was added, since there are no such resources that you may see: {ids}."""


def described(account: Account) -> Select[*tuple[Any, ...]]:
    """Select the collections that an account may see, as it sees them: counts, and the parent if it may see that."""
    member = CollectionResource
    count = (
        select(func.count())
        .select_from(member)
        .join(Resource, Resource.id == member.resource_id)
        .where(member.collection_id == Collection.id, visible(account))
        .scalar_subquery()
    )
    return (
        select(
            Collection.id,
            Collection.name,
            Collection.description,
            Collection.visibility,
            Parent.id.label("parent_id"),
            (Collection.owner_id == account.id).label("own"),
            count.label("resource_count"),
            Collection.version,
            Collection.created_at,
            Collection.updated_at,
        )
        .outerjoin(Parent, and_(Parent.id == Collection.parent_id, readable(account, Parent)))
        .where(readable(account))
    )


async def read(session: ReadSession, account: Account, id: UUID) -> dict[str, Any]:
    """Return a collection as the account sees it; NotFound where it does not."""
    row = (await session.execute(described(account).where(Collection.id == id))).mappings().one_or_none()
    if row is None:
        raise NotFound(what="collection", id=id)
    return dict(row)


async def own(session: ReadSession, account: Account, id: UUID, *, lock: bool = False) -> Collection:
    """Return a collection that the account may change; raises NotFound or NotYours."""
    chosen = select(Collection).where(Collection.id == id, readable(account))
    found = await session.scalar(chosen.with_for_update(key_share=True) if lock else chosen)
    if found is None:
        raise NotFound(what="collection", id=id)
    if found.owner_id != account.id:
        raise NotYours(id=id)
    return found


async def browse(
    session: ReadSession,
    account: Account,
    *,
    limit: int,
    offset: int,
    q: str | None = None,
    own: bool | None = None,
    parent_id: UUID | None = None,
    resource_id: UUID | None = None,
) -> tuple[int, list[dict[str, Any]]]:
    """Return how many collections match, and one page of them by name; `resource_id` chooses those that hold it."""
    asked = [readable(account)]
    if q:
        asked.append(Collection.name.icontains(q, autoescape=True))
    if own is not None:
        asked.append((Collection.owner_id == account.id) == own)
    if parent_id:
        seen = select(Parent.id).where(Parent.id == parent_id, readable(account, Parent))
        asked.append(Collection.parent_id.in_(seen))
    if resource_id:
        held = select(CollectionResource.collection_id).join(Resource).where(Resource.id == resource_id)
        asked.append(Collection.id.in_(held.where(visible(account))))
    # Counted without the parents: the join would cost nothing, and yet keep the count from an index.
    total = await session.scalar(select(func.count()).select_from(Collection).where(*asked))
    order = func.lower(Collection.name), Collection.id
    page = described(account).where(*asked).order_by(*order).limit(limit).offset(offset)
    return total or 0, [dict(row) for row in (await session.execute(page)).mappings()]


async def create(session: Session, account: Account, fields: Mapping[str, Any]) -> dict[str, Any]:
    """Make a collection; raises NotFound or NotYours for its parent, TooDeep."""
    if parent_id := fields.get("parent_id"):
        await take_turn(session, account.id)
        await check_place(session, await own(session, account, parent_id), None)
    collection = Collection(owner_id=account.id, **fields)
    session.add(collection)
    await session.flush()
    created = CollectionCreated(collection_id=collection.id, name=collection.name, user_id=account.id)
    emit(session, created, audience=collection.audience)
    return await read(session, account, collection.id)


async def change(
    session: Session, account: Account, id: UUID, fields: Mapping[str, Any], if_match: int | None = None
) -> dict[str, Any]:
    """Set fields; what equals the present value is no change.

    Raises NotFound, NotYours, InsideItself, TooDeep, PreconditionFailed.
    """
    if "parent_id" in fields:
        await take_turn(session, account.id)
    collection = await own(session, account, id, lock=True)
    unchanged_since(if_match, collection.version)
    changed = sorted(name for name, value in fields.items() if getattr(collection, name) != value)
    if "parent_id" in changed and fields["parent_id"] is not None:
        await check_place(session, await own(session, account, fields["parent_id"]), id)
    if changed:
        before = collection.audience
        for name in changed:
            setattr(collection, name, fields[name])
        collection.version += 1
        collection.updated_at = datetime.now(UTC)
        await session.flush()
        updated = CollectionUpdated(collection_id=id, changed_fields=changed, user_id=account.id)
        emit(session, updated, audience=collection.audience or before)
    return await read(session, account, id)


async def remove(session: Session, account: Account, id: UUID, if_match: int | None = None) -> None:
    """Delete a collection, not what is in it; the collections in it move up to where it was."""
    await take_turn(session, account.id)
    collection = await own(session, account, id, lock=True)
    unchanged_since(if_match, collection.version)
    moved = (
        update(Collection)
        .where(Collection.parent_id == id)
        .values(parent_id=collection.parent_id, version=Collection.version + 1)
    )
    for child in (await session.scalars(moved.returning(Collection))).all():
        told = CollectionUpdated(collection_id=child.id, changed_fields=["parent_id"], user_id=account.id)
        emit(session, told, audience=child.audience)
    await session.execute(delete(Collection).where(Collection.id == id))
    gone = CollectionDeleted(collection_id=id, name=collection.name, user_id=account.id)
    emit(session, gone, audience=collection.audience)


async def add(session: Session, account: Account, id: UUID, resource_ids: Iterable[UUID]) -> list[UUID]:
    """Put resources into a collection and return those that were not in it; all or, with UnknownResources, none."""
    collection = await own(session, account, id, lock=True)
    asked = set(resource_ids)
    chosen = select(Resource.id, Resource.owner_id, Resource.private).where(Resource.id.in_(asked), visible(account))
    rows = (await session.execute(chosen.order_by(Resource.id).with_for_update(read=True, key_share=True))).all()
    if unknown := sorted(asked - {row.id for row in rows}, key=str):
        more = f" and {len(unknown) - NAMED} more" if len(unknown) > NAMED else ""
        raise UnknownResources(ids=", ".join(map(str, unknown[:NAMED])) + more)
    member = CollectionResource
    present = select(member.resource_id).where(member.collection_id == id, member.resource_id.in_(asked))
    known = set(await session.scalars(present))
    fresh = [row for row in rows if row.id not in known]
    if fresh:
        await session.execute(insert(member), [{"collection_id": id, "resource_id": row.id} for row in fresh])
    for audience, ids in _told_apart(collection, fresh).items():
        added = CollectionResourceAdded(collection_id=id, resource_ids=ids, user_id=account.id)
        emit(session, added, audience=audience)
    return [row.id for row in fresh]


async def take_out(session: Session, account: Account, id: UUID, resource_id: UUID) -> None:
    """Take a resource out of a collection; NotFound where it is not in it, as far as the account sees."""
    collection = await own(session, account, id, lock=True)
    chosen = select(Resource.id, Resource.owner_id, Resource.private).where(Resource.id == resource_id)
    row = (await session.execute(chosen.where(visible(account)))).one_or_none()
    member = CollectionResource
    gone = delete(member).where(member.collection_id == id, member.resource_id == resource_id)
    if row is None or (await session.execute(gone.returning(member.resource_id))).one_or_none() is None:
        raise NotFound(what="resource in this collection with the id", id=resource_id)
    for audience, ids in _told_apart(collection, [row]).items():
        removed = CollectionResourceRemoved(collection_id=id, resource_ids=ids, user_id=account.id)
        emit(session, removed, audience=audience)


def _told_apart(collection: Collection, rows: Sequence[Any]) -> dict[UUID | None, list[UUID]]:
    """Return resources by who may hear of them: a private one in a shared collection its owner only."""
    told: dict[UUID | None, list[UUID]] = {}
    for row in rows:
        audience = collection.audience or (row.owner_id if row.private else None)
        told.setdefault(audience, []).append(row.id)
    return told
