"""The list of what was added, each item with how far it is."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import load_only

from service.database import ReadSession
from service.ingestion.actions import STEPS
from service.ingestion.status import status_of
from service.ingestion.tables import Ingestion
from service.resources.actions import LISTED
from service.resources.tables import Resource, visible
from service.search.tables import Embedding, SearchDocument
from service.security.accounts import Account

Phase = Literal["working", "ready", "failed"]
Filter = Literal["all", "working", "failed"]

STATUSES: dict[Filter, tuple[str, ...]] = {
    "all": (),
    "working": ("pending", "processing"),
    "failed": ("failed",),
}
PAGE = 25


@dataclass(frozen=True, slots=True)
class Item:
    """A resource in the list: its phase, its steps, and in words what it waits for or why it failed."""

    resource: Resource
    phase: Phase
    steps: list[dict[str, Any]] = field(default_factory=list)
    waiting_for: str | None = None
    error: str | None = None
    retry_from: str = "fetched"


async def counts(session: ReadSession, account: Account) -> dict[Filter, int]:
    """Return how many items each filter shows."""
    rows = await session.execute(
        select(Resource.status, func.count()).where(visible(account)).group_by(Resource.status)
    )
    by_status = {status: count for status, count in rows}
    return {
        name: sum(count for status, count in by_status.items() if status in statuses or not statuses)
        for name, statuses in STATUSES.items()
    }


async def recent(session: ReadSession, account: Account, shown: Filter, page: int) -> list[Item]:
    """Return one page of what was added, newest first."""
    listing = select(Resource).where(visible(account))
    if STATUSES[shown]:
        listing = listing.where(Resource.status.in_(STATUSES[shown]))
    return await _items(
        session, listing.order_by(Resource.created_at.desc(), Resource.id).limit(PAGE).offset((page - 1) * PAGE)
    )


async def some(session: ReadSession, account: Account, ids: Sequence[UUID]) -> list[Item]:
    """Return these items, as far as the account may see them, newest first."""
    chosen = select(Resource).where(visible(account), Resource.id.in_(ids))
    return await _items(session, chosen.order_by(Resource.created_at.desc(), Resource.id))


async def _items(session: ReadSession, listing: Any) -> list[Item]:
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
    items: list[Item] = []
    for resource in resources:
        entered, indexed, embedded = known.get(resource.id, (None, None, None))
        if resource.status == "completed" and indexed and embedded:
            items.append(Item(resource, "ready", _all_done(entered)))
        else:
            items.append(await progress(session, resource, entered))
    return items


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
