"""Verbs of resources: create, read, list, change, delete."""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import ColumnElement, Select, delete, func, select, text, update
from sqlalchemy.orm import load_only

from service.collections.concerned import concerned, tell_all
from service.collections.tables import Collection, CollectionResource, readable
from service.database import ReadSession, Session
from service.errors import NotFound, unchanged_since
from service.ingestion.events import IngestionStalled
from service.ingestion.identifiers import registered
from service.ingestion.tables import Ingestion
from service.outbox import emit
from service.quality.tables import Quality
from service.resources.changes import changing, differing
from service.resources.events import (
    ResourceContentChanged,
    ResourceCreated,
    ResourceDeleted,
    ResourceIdentified,
    ResourceMetadataChanged,
    ResourceRestored,
    ResourceUpdated,
)
from service.resources.tables import Resource, holds, visible, visible_to
from service.security.accounts import Account
from service.taxonomy.tables import in_category
from service.trash import actions as trash

_IDENTIFYING = frozenset({"id", "identifiers", "url", "canonical_url"})


def hash_of(content: str) -> str:
    """Return the SHA-256 of a text, hex."""
    return hashlib.sha256(content.encode()).hexdigest()


async def read(session: ReadSession, account: Account, resource_id: UUID) -> Resource:
    """Return a resource that this account may see; NotFound otherwise."""
    found = await session.scalar(select(Resource).where(Resource.id == resource_id, visible(account)))
    if found is None:
        raise NotFound(what="resource", id=resource_id)
    return found


async def create(
    session: Session, account: Account, fields: Mapping[str, Any], source: str, status: str = "completed"
) -> Resource:
    """Add a resource; one that has content is created for all the others, too: resource.created is emitted."""
    content: str = fields.get("content") or ""
    resource = Resource(
        **{"id": uuid4(), **fields},
        owner_id=account.id,
        **(of_content(content) if content else {"word_count": 0}),
        status=status,
        version=1,
    )
    if content:
        resource.duplicate_of = await twin(session, resource)
    session.add(resource)
    await session.flush()
    await session.refresh(resource, ["created_at", "updated_at"])
    if content:
        announce(session, resource, source, account.id)
    return resource


def announce(session: Session, resource: Resource, source: str, user_id: UUID | None) -> None:
    """Emit that a resource has its first content."""
    audience = resource.audience
    emit(session, ResourceCreated(resource_id=resource.id, title=resource.title, source=source), audience=audience)
    changed = ResourceContentChanged(resource_id=resource.id, changed_fields=["content"], user_id=user_id)
    emit(session, changed, audience=audience)
    _identify(session, {name: getattr(resource, name) for name in _IDENTIFYING}, audience)


def _identify(session: Session, row: Mapping[str, Any], audience: UUID | None) -> None:
    if named := registered(row["identifiers"] or (), (row["url"], row["canonical_url"])):
        emit(session, ResourceIdentified(resource_id=row["id"], identifier=named), audience=audience)


async def twin(session: ReadSession, resource: Resource) -> UUID | None:
    """Return the oldest resource with the same text that this one's owner may see."""
    return await session.scalar(
        select(Resource.id)
        .where(
            Resource.content_hash == (resource.content_hash or hash_of(resource.content)),
            Resource.id != resource.id,
            (Resource.private.is_(False)) | (Resource.owner_id == resource.owner_id),
        )
        .order_by(Resource.created_at)
        .limit(1)
    )


async def change(
    session: Session, account: Account, resource_id: UUID, fields: Mapping[str, Any], if_match: int | None = None
) -> Mapping[str, Any]:
    """Set fields of a resource and return its row; what equals the present value is no change and makes no event."""
    derived = of_content(fields["content"]) if "content" in fields else {}
    who = {"resource_id": resource_id, "account_id": account.id, "seen": if_match}
    rows = await session.fetch(changing(frozenset(fields)), **fields, **derived, **who) if fields else []
    if not rows:
        unchanged = await read(session, account, resource_id)
        unchanged_since(if_match, unchanged.version)
        return {column.key: getattr(unchanged, column.key) for column in Resource.__table__.c}
    row = {**rows[0], **fields}
    audience = row["owner_id"] if row["private"] or row["was_private"] else None
    changed = differing(row)
    announce_change(session, resource_id, changed, account.id, audience)
    if not _IDENTIFYING.isdisjoint(changed):
        _identify(session, row, audience)
    if "private" in changed:
        await tell_all(session, resource_id)
    return row


async def apply(session: Session, resource: Resource, fields: Mapping[str, Any], user_id: UUID | None) -> None:
    """Set fields of a locked row and emit what changed."""
    before = resource.audience
    changed = sorted(name for name, value in fields.items() if getattr(resource, name) != value)
    if not changed:
        return
    values = {name: fields[name] for name in changed}
    if "content" in values:
        values = {"content_html": None} | values | of_content(values["content"])  # the old HTML showed the old text
    for name, value in values.items():
        setattr(resource, name, value)
    resource.version += 1
    resource.updated_at = datetime.now(UTC)
    await session.flush()
    announce_change(session, resource.id, changed, user_id, resource.audience or before)
    if not _IDENTIFYING.isdisjoint(changed):
        _identify(session, {name: getattr(resource, name) for name in _IDENTIFYING}, resource.audience or before)


def of_content(content: str) -> dict[str, Any]:
    """Return the fields that are derived from a text as soon as it is stored."""
    return {"content_hash": hash_of(content), "word_count": len(content.split())}


def announce_change(
    session: Session, resource_id: UUID, changed: list[str], user_id: UUID | None, audience: UUID | None
) -> None:
    """Emit which fields changed: all of them, and those of the text and of the metadata by themselves."""
    about: dict[str, Any] = {"resource_id": resource_id, "user_id": user_id}
    emit(session, ResourceUpdated(**about, changed_fields=changed), audience=audience)
    if "content" in changed:
        emit(session, ResourceContentChanged(**about, changed_fields=["content"]), audience=audience)
    if metadata := [name for name in changed if name not in ("content", "content_html")]:
        emit(session, ResourceMetadataChanged(**about, changed_fields=metadata), audience=audience)


async def set_status(session: Session, resource_id: UUID, status: str) -> None:
    """Tell how far the ingestion of a resource is; no change of the resource itself, so no event and no version."""
    await session.execute(
        update(Resource)
        .where(Resource.id == resource_id, Resource.status != status)
        .values(status=status)
        .execution_options(synchronize_session=False)
    )


async def fill(session: Session, resource: Resource, fields: Mapping[str, Any], source: str) -> None:
    """Give a locked resource what was read from its original: its first content, or a newer one."""
    is_first = resource.content_hash is None
    resource.status = "completed"
    if not is_first:
        await apply(session, resource, fields, resource.owner_id)
        return
    for name, value in {**fields, **of_content(fields["content"])}.items():
        setattr(resource, name, value)
    resource.duplicate_of = await twin(session, resource)
    resource.version += 1
    resource.updated_at = datetime.now(UTC)
    await session.flush()
    announce(session, resource, source, resource.owner_id)


async def remove(session: Session, account: Account, resource_id: UUID, if_match: int | None = None) -> None:
    """Put a resource, with all that hangs on it, into the trash; raises NotFound, PreconditionFailed."""
    await remove_for(session, account.id, resource_id, if_match)


async def remove_for(session: Session, account_id: UUID, resource_id: UUID, if_match: int | None = None) -> None:
    """Put a resource into the trash as far as the account of that id may; NotFound otherwise."""
    chosen = select(Resource.title, Resource.private, Resource.owner_id, Resource.version)
    chosen = chosen.where(Resource.id == resource_id, visible_to(account_id)).with_for_update()
    row = (await session.execute(chosen)).one_or_none()  # locked first: nobody puts it into a collection any more
    if row is None:
        raise NotFound(what="resource", id=resource_id)
    unchanged_since(if_match, row.version)
    audience = row.owner_id if row.private else None
    collection_ids = await concerned(session, resource_id, audience)
    await trash.put(session, account_id, resource_id)
    await session.execute(delete(Resource).where(Resource.id == resource_id))
    emit(
        session,
        ResourceDeleted(resource_id=resource_id, title=row.title, collection_ids=collection_ids),
        audience=audience,
    )


async def restore(session: Session, account: Account, resource_id: UUID) -> Resource:
    """Take a resource back from the trash with all that people made of it; what is derived is made anew.

    Raises NotFound.
    """
    await trash.take_back(session, account.id, resource_id)
    resource = await session.get_one(Resource, resource_id, populate_existing=True)
    audience = resource.audience
    collection_ids = await concerned(session, resource_id, audience)
    restored = ResourceRestored(
        resource_id=resource_id, title=resource.title, collection_ids=collection_ids, user_id=account.id
    )
    emit(session, restored, audience=audience)
    way = (
        await session.execute(select(Ingestion.source, Ingestion.state).where(Ingestion.resource_id == resource_id))
    ).one_or_none()
    if resource.content_hash is not None:
        announce(session, resource, way.source if way else "content", account.id)
    if way and way.state in ("pending", "processing"):
        emit(session, IngestionStalled(resource_id=resource_id), audience=audience)
    return resource


async def restore_address(session: Session, account: Account, address: str) -> UUID | None:
    """Take back from the trash what came in by this address, where the account may; returns its id."""
    found = await trash.by_address(session, account.id, address)
    return (await restore(session, account, found)).id if found else None


_START = func.left(Resource.title, text("100"))  # an index has no room for a whole title
SORTS: Mapping[str, tuple[ColumnElement[Any], ...]] = {
    "created_at": (Resource.created_at.asc(),),
    "-created_at": (Resource.created_at.desc(),),
    "updated_at": (Resource.updated_at.asc(),),
    "-updated_at": (Resource.updated_at.desc(),),
    "published_at": (Resource.published_at.asc(),),  # what has no date is last, either way
    "-published_at": (Resource.published_at.desc().nulls_last(),),
    "title": (_START.asc(), Resource.title.asc()),
    "-title": (_START.desc(), Resource.title.desc()),
}

LISTED = (
    Resource.id, Resource.title, Resource.url, Resource.description, Resource.type, Resource.language,
    Resource.authors, Resource.subjects, Resource.tags, Resource.published_at, Resource.site, Resource.status,
    Resource.version, Resource.word_count, Resource.duplicate_of, Resource.near_duplicate_of, Resource.private,
    Resource.created_at, Resource.updated_at,
)  # fmt: skip


async def browse(
    session: ReadSession,
    account: Account,
    *,
    limit: int,
    offset: int,
    sort: str = "-created_at",
    q: str | None = None,
    types: Sequence[str] = (),
    language: str | None = None,
    subject: str | None = None,
    author: str | None = None,
    tag: str | None = None,
    status: str | None = None,
    collection: UUID | None = None,
    created_from: datetime | None = None,
    created_to: datetime | None = None,
    category: str | None = None,
    min_quality: float | None = None,
) -> tuple[int, Sequence[Resource]]:
    """Return how many resources match, and one page of them without their text."""
    matching: Select[Any] = select(Resource).where(visible(account))
    if q:
        matching = matching.where(Resource.title.icontains(q, autoescape=True))
    if types:
        matching = matching.where(Resource.type.in_(types))
    if language:
        matching = matching.where(Resource.language == language)
    if subject:
        matching = matching.where(holds(Resource.subjects, subject))
    if author:
        matching = matching.where(holds(Resource.authors, author))
    if tag:
        matching = matching.where(Resource.tags.contains([tag]))
    if status:
        matching = matching.where(Resource.status == status)
    if min_quality is not None:
        good = select(Quality.resource_id).where(Quality.overall >= min_quality)
        matching = matching.where(Resource.id.in_(good))
    if category:
        matching = matching.where(Resource.id.in_(in_category(category)))
    if collection:
        held = select(CollectionResource.resource_id).join(Collection)
        held = held.where(Collection.id == collection, readable(account))
        matching = matching.where(Resource.id.in_(held))
    if created_from:
        matching = matching.where(Resource.created_at >= created_from)
    if created_to:
        matching = matching.where(Resource.created_at <= created_to)
    total = await session.scalar(select(func.count()).select_from(matching.with_only_columns(Resource.id).subquery()))
    page = matching.options(load_only(*LISTED, raiseload=True)).order_by(*SORTS[sort], Resource.id)
    rows = await session.scalars(page.limit(limit).offset(offset))
    return total or 0, rows.all()
