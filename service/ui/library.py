"""The list of what was added, each item with how far it is."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, func, or_, select, true
from sqlalchemy.orm import load_only

from service.database import ReadSession
from service.duplicates import separations
from service.ingestion.actions import STEPS
from service.ingestion.status import status_of
from service.ingestion.tables import Ingestion
from service.readings.actions import of_many
from service.readings.tables import Reading
from service.resources.actions import LISTED
from service.resources.tables import Resource, visible
from service.search.tables import Embedding, SearchDocument
from service.security.accounts import Account
from service.ui.text import text

Phase = Literal["working", "ready", "failed"]
Filter = Literal["all", "working", "failed"]

PAGE = 25
RESTART = {"url": "fetched", "upload": "extracted", "content": "extracted"}
LATELY = timedelta(hours=1)  # what is read but not yet indexed counts as in progress for so long


@dataclass(frozen=True, slots=True)
class Item:
    """A resource in the list: its phase, its steps, and in words what it waits for or why it failed."""

    resource: Resource
    phase: Phase
    steps: list[dict[str, Any]] = field(default_factory=list)
    waiting_for: str | None = None
    error: str | None = None
    retry_from: str = "fetched"
    again_from: str = "indexed"  # the step from which it is read again
    reading: Reading | None = None  # of who looks
    twin: UUID | None = None  # what it is a duplicate of, or nearly, unless who looks said that it is none


def _shown(shown: Filter) -> ColumnElement[bool]:
    """Return the condition under which a filter shows a resource."""
    match shown:
        case "all":
            return true()
        case "failed":
            return Resource.status == "failed"
        case "working":
            derived = select(Embedding.resource_id).join(
                SearchDocument, SearchDocument.resource_id == Embedding.resource_id
            )
            unfinished = and_(
                Resource.updated_at > func.now() - LATELY,
                Resource.content_hash.is_not(None),
                ~derived.where(Embedding.resource_id == Resource.id).exists(),
            )
            return or_(Resource.status.in_(("pending", "processing")), and_(Resource.status == "completed", unfinished))


@dataclass(frozen=True, slots=True)
class Reason:
    """Why items of a batch failed, and which."""

    words: str
    ids: list[UUID]


@dataclass(frozen=True, slots=True)
class Batch:
    """What became of things that were added together."""

    id: UUID
    total: int
    waiting: int
    failed: int
    reasons: list[Reason]

    @property
    def done(self) -> int:
        return self.total - self.waiting - self.failed

    @property
    def failed_ids(self) -> list[UUID]:
        return [id for reason in self.reasons for id in reason.ids]


def _within(batch: UUID | None) -> ColumnElement[bool]:
    """Return the condition under which a resource came in with a batch; none is asked for: always."""
    if batch is None:
        return true()
    return Resource.id.in_(select(Ingestion.resource_id).where(Ingestion.batch_id == batch))


async def batch_of(session: ReadSession, account: Account, batch: UUID | None) -> Batch | None:
    """Return how far a batch is, as much of it as the account may see, with the reasons of its failures."""
    if batch is None:
        return None
    counted = await counts(session, account, batch)
    failures = select(Ingestion.error, Ingestion.resource_id).join(Resource, Resource.id == Ingestion.resource_id)
    failures = failures.where(visible(account), Ingestion.batch_id == batch, Resource.status == "failed")
    reasons: dict[str, list[UUID]] = {}
    for error, id in await session.execute(failures.order_by(Resource.created_at, Resource.id)):
        reasons.setdefault(error or text("batch.unknown"), []).append(id)
    told = sorted((Reason(words, ids) for words, ids in reasons.items()), key=lambda reason: -len(reason.ids))
    return Batch(batch, counted["all"], counted["working"], counted["failed"], told)


async def counts(session: ReadSession, account: Account, batch: UUID | None = None) -> dict[Filter, int]:
    """Return how many items each filter shows, of all or of one batch."""
    filters: tuple[Filter, ...] = ("all", "working", "failed")
    counted = (func.count().filter(_shown(name)) for name in filters)
    row = (await session.execute(select(*counted).select_from(Resource).where(visible(account), _within(batch)))).one()
    return dict(zip(filters, row, strict=True))


async def recent(
    session: ReadSession, account: Account, shown: Filter, page: int, batch: UUID | None = None
) -> list[Item]:
    """Return one page of what was added, newest first."""
    listing = select(Resource).where(visible(account), _shown(shown), _within(batch))
    listing = listing.order_by(Resource.created_at.desc(), Resource.id)
    return await _items(session, account, listing.limit(PAGE).offset((page - 1) * PAGE))


async def some(session: ReadSession, account: Account, ids: Sequence[UUID]) -> list[Item]:
    """Return these items, as far as the account may see them, newest first."""
    chosen = select(Resource).where(visible(account), Resource.id.in_(ids))
    return await _items(session, account, chosen.order_by(Resource.created_at.desc(), Resource.id))


async def _items(session: ReadSession, account: Account, listing: Select[Resource]) -> list[Item]:
    listed = load_only(*LISTED, Resource.media_type, raiseload=True)
    resources: Sequence[Resource] = (await session.scalars(listing.options(listed))).all()
    if not resources:
        return []
    ways = (
        select(Resource.id, Ingestion, SearchDocument.resource_id, Embedding.resource_id)
        .outerjoin(Ingestion, Ingestion.resource_id == Resource.id)
        .outerjoin(SearchDocument, SearchDocument.resource_id == Resource.id)
        .outerjoin(Embedding, Embedding.resource_id == Resource.id)
        .where(Resource.id.in_([resource.id for resource in resources]))
    )
    known = {row[0]: (row[1], row[2], row[3]) for row in await session.execute(ways)}
    readings = await of_many(session, account, list(known))
    twins = await twins_of(session, account, resources)
    items: list[Item] = []
    for resource in resources:
        entered, indexed, embedded = known.get(resource.id, (None, None, None))
        if resource.status == "completed" and indexed and embedded:
            item = Item(resource, "ready", _all_done(entered))
        else:
            item = await progress(session, resource, entered)
        known_of = {"reading": readings.get(resource.id), "twin": twins.get(resource.id)}
        items.append(replace(item, again_from=again_from(entered), **known_of))
    return items


def again_from(entered: Ingestion | None) -> str:
    """Return the first step that can be taken again: what was not fetched is not fetched again."""
    return RESTART[entered.source] if entered else "indexed"


async def twins_of(session: ReadSession, account: Account, resources: Sequence[Resource]) -> dict[UUID, UUID]:
    """Return of what each of these is a duplicate, or nearly, unless the account said that it is none."""
    twins = {one.id: twin for one in resources if (twin := one.duplicate_of or one.near_duplicate_of)}
    said = await separations.of(session, account, [*twins, *twins.values()]) if twins else {}
    return {id: twin for id, twin in twins.items() if any(separations.alike([id, twin], said))}


def _all_done(entered: Ingestion | None) -> list[dict[str, Any]]:
    own = STEPS[2:] if entered is None else STEPS if entered.source == "url" else STEPS[1:]
    return [{"name": name, "state": "completed"} for name in (*own, "indexed", "embedded")]


async def progress(session: ReadSession, resource: Resource, entered: Ingestion | None) -> Item:
    """Return how far a single resource is, with the times and errors of its steps."""
    status = await status_of(session, resource, entered)
    steps: list[dict[str, Any]] = status["steps"]
    broken = next((step for step in steps if step["state"] == "failed"), None)
    phase: Phase = (
        "failed"
        if status["status"] == "failed" or broken
        else "ready"
        if all(step["state"] == "completed" for step in steps)
        else "working"
    )
    return Item(
        resource,
        phase,
        steps,
        status.get("waiting_for"),
        status.get("error") or (broken or {}).get("error"),
        broken["name"] if broken else "fetched",
    )
