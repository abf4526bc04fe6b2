"""Verbs of annotations: mark a passage, list, change and delete marks. Each account sees its own, and no others."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, func, select
from sqlalchemy.orm import load_only

from service.annotations.anchoring import CONTEXT
from service.annotations.events import AnnotationCreated, AnnotationDeleted, AnnotationUpdated
from service.annotations.tables import Annotation
from service.database import ReadSession, Session
from service.errors import Conflict, Invalid, NotFound, unchanged_since
from service.outbox import emit
from service.resources.tables import Resource, visible
from service.security.accounts import Account

MOST = 5000  # of one account on one resource
SHOWN = (
    "id", "resource_id", "start", "end", "quote", "prefix", "suffix", "similarity", "note", "tags", "colour",
    "version", "created_at", "updated_at",
)  # fmt: skip


class OutsideTheText(Invalid):
    """The passage from {start} to {end} is outside the text, which has {length} characters (code points)."""


class OtherText(Conflict):
    """The text from {start} to {end} is not the quote, but “{found}”: read the resource again, it may have changed."""


class TooMany(Conflict):
    """You have {most} annotations on this resource, which is as many as are kept: delete one first."""


def marked(account: Account) -> Select[*tuple[Any, ...]]:
    """Select an account's annotations of what it may see, as they are answered."""
    columns = [getattr(Annotation, name) for name in SHOWN]
    return (
        select(
            *columns,
            Annotation.start.is_(None).label("orphaned"),
            Annotation.anchored_in.is_distinct_from(Resource.content_hash).label("stale"),
        )
        .join(Resource, Resource.id == Annotation.resource_id)
        .where(Annotation.owner_id == account.id, visible(account))
    )


async def read(session: ReadSession, account: Account, id: UUID) -> dict[str, Any]:
    """Return one of the account's annotations; raises NotFound."""
    row = (await session.execute(marked(account).where(Annotation.id == id))).mappings().one_or_none()
    if row is None:
        raise NotFound(what="annotation", id=id)
    return dict(row)


async def check(session: ReadSession, account: Account, resource_id: UUID) -> Resource:
    """Return a resource, without its text; NotFound where the account may not see it."""
    chosen = select(Resource).where(Resource.id == resource_id, visible(account))
    found = await session.scalar(chosen.options(load_only(Resource.id, Resource.title, raiseload=True)))
    if found is None:
        raise NotFound(what="resource", id=resource_id)
    return found


async def browse(
    session: ReadSession,
    account: Account,
    *,
    limit: int,
    offset: int,
    resource_id: UUID | None = None,
    tag: str | None = None,
    q: str | None = None,
    orphaned: bool | None = None,
) -> tuple[int, list[dict[str, Any]]]:
    """Return how many of the account's annotations match, and one page: those of a resource in reading order."""
    matching = marked(account)
    if tag:
        matching = matching.where(Annotation.tags.contains([tag]))
    if q:
        found = Annotation.quote.icontains(q, autoescape=True) | Annotation.note.icontains(q, autoescape=True)
        matching = matching.where(found)
    if orphaned is not None:
        matching = matching.where(Annotation.start.is_(None) == orphaned)
    if resource_id:
        matching = matching.where(Annotation.resource_id == resource_id)
        matching = matching.order_by(func.coalesce(Annotation.start, Annotation.position), Annotation.id)
    else:
        matching = matching.order_by(Annotation.updated_at.desc(), Annotation.id)
    counted = matching.order_by(None).with_only_columns(Annotation.id).subquery()
    total = await session.scalar(select(func.count()).select_from(counted))
    rows = (await session.execute(matching.limit(limit).offset(offset))).mappings()
    return total or 0, [dict(row) for row in rows]


async def create(session: Session, account: Account, resource_id: UUID, fields: Mapping[str, Any]) -> dict[str, Any]:
    """Mark a passage; raises NotFound, OutsideTheText, OtherText, TooMany."""
    passage = await _passage(session, account, resource_id, fields)
    held = select(func.count()).where(Annotation.owner_id == account.id, Annotation.resource_id == resource_id)
    if (await session.scalar(held) or 0) >= MOST:
        raise TooMany(most=MOST)
    annotation = Annotation(owner_id=account.id, resource_id=resource_id, **{**fields, **passage})
    session.add(annotation)
    await session.flush()
    created = AnnotationCreated(annotation_id=annotation.id, resource_id=resource_id, user_id=account.id)
    emit(session, created, audience=account.id)
    return await read(session, account, annotation.id)


async def change(
    session: Session, account: Account, id: UUID, fields: Mapping[str, Any], if_match: int | None = None
) -> dict[str, Any]:
    """Set fields, or mark another passage of the same resource.

    Raises NotFound, OutsideTheText, OtherText, PreconditionFailed.
    """
    resource_id: UUID = (await read(session, account, id))["resource_id"]
    values = dict(fields)
    if "start" in fields:  # the resource is locked before the annotation, as where a resource is deleted
        values |= await _passage(session, account, resource_id, fields)
    annotation = await session.get(Annotation, id, with_for_update=True)
    if annotation is None:
        raise NotFound(what="annotation", id=id)
    unchanged_since(if_match, annotation.version)
    changed = {name: value for name, value in values.items() if getattr(annotation, name) != value}
    if changed:
        for name, value in changed.items():
            setattr(annotation, name, value)
        annotation.version += 1
        annotation.updated_at = datetime.now(UTC)
        await session.flush()
        updated = AnnotationUpdated(annotation_id=id, resource_id=resource_id, user_id=account.id)
        emit(session, updated, audience=account.id)
    return await read(session, account, id)


async def remove(session: Session, account: Account, id: UUID, if_match: int | None = None) -> None:
    """Delete an annotation; raises NotFound, PreconditionFailed."""
    resource_id: UUID = (await read(session, account, id))["resource_id"]
    annotation = await session.get(Annotation, id, with_for_update=True)
    if annotation is None:
        raise NotFound(what="annotation", id=id)
    unchanged_since(if_match, annotation.version)
    await session.delete(annotation)
    await session.flush()
    deleted = AnnotationDeleted(annotation_id=id, resource_id=resource_id, user_id=account.id)
    emit(session, deleted, audience=account.id)


async def _passage(session: Session, account: Account, resource_id: UUID, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the columns that mark a passage; the text cannot change until the transaction ends."""
    start, end = given["start"], given["end"]
    low = max(0, start - CONTEXT)
    content = Resource.content
    columns = (
        Resource.content_hash,
        func.char_length(content).label("length"),
        func.substr(content, start + 1, end - start).label("quote"),
        func.substr(content, low + 1, start - low).label("prefix"),
        func.substr(content, end + 1, CONTEXT).label("suffix"),
    )
    chosen = select(*columns).where(Resource.id == resource_id, visible(account)).with_for_update(read=True)
    row = (await session.execute(chosen)).one_or_none()
    if row is None:
        raise NotFound(what="resource", id=resource_id)
    if end > row.length:
        raise OutsideTheText(start=start, end=end, length=row.length)
    if given.get("quote") not in (None, row.quote):
        raise OtherText(start=start, end=end, found=row.quote[:200])
    selector = {"quote": row.quote, "prefix": row.prefix, "suffix": row.suffix, "position": start}
    return {**selector, "start": start, "end": end, "similarity": 1.0, "anchored_in": row.content_hash}
