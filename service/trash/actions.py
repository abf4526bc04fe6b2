"""Verbs of the trash: put in, take back, list, delete for good."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, and_, delete, func, or_, select, tuple_

from service.cursors import Cursor
from service.database import ReadSession, Session
from service.errors import NotFound
from service.outbox import emit
from service.security.accounts import Account
from service.trash import kept
from service.trash.events import ResourcesPurged
from service.trash.tables import Trashed, visible_to

AT_ONCE = 500  # deleted for good in one transaction
LISTED = (
    Trashed.id, Trashed.title, Trashed.url, Trashed.type, Trashed.private, Trashed.deleted_at, Trashed.deleted_by,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Listed:
    """Something in the trash, without what is kept of it."""

    id: UUID
    title: str
    url: str | None
    type: str
    private: bool
    deleted_at: datetime
    deleted_by: UUID | None


async def put(session: Session, account_id: UUID, resource_id: UUID) -> None:
    """Keep a locked resource that is about to be deleted, with all that people made of it."""
    await session.execute(kept.putting(), {"id": resource_id, "account_id": account_id})


async def take_back(session: Session, account_id: UUID, resource_id: UUID) -> None:
    """Make rows again of what is kept of a resource, as far as the account may; NotFound otherwise."""
    await _lock(session, account_id, resource_id)
    columns = {name: names for name, names in await session.execute(kept.COLUMNS, {"id": resource_id})}
    for statement in kept.taking_back(columns):
        await session.execute(statement, {"id": resource_id})
    await session.execute(delete(Trashed).where(Trashed.id == resource_id))


async def _lock(session: Session, account_id: UUID, resource_id: UUID) -> None:
    chosen = select(Trashed.id).where(Trashed.id == resource_id, visible_to(account_id)).with_for_update()
    if await session.scalar(chosen) is None:
        raise NotFound(what="resource in the trash", id=resource_id)


async def by_address(session: Session, account_id: UUID, address: str) -> UUID | None:
    """Return what was deleted last of what came in by an address, locked; None where the account sees nothing."""
    chosen = select(Trashed.id).where(Trashed.address == address, visible_to(account_id))
    return await session.scalar(chosen.order_by(Trashed.deleted_at.desc()).limit(1).with_for_update())


async def browse(
    session: ReadSession, account: Account, limit: int, after: Cursor | None = None
) -> tuple[int, Sequence[Listed], Cursor | None]:
    """Return how much an account sees in the trash, a page of it, deleted last first, and where more begins."""
    seen = visible_to(account.id)
    total = await session.scalar(select(func.count()).select_from(Trashed).where(seen))
    rows = select(*LISTED).where(seen).order_by(Trashed.deleted_at.desc(), Trashed.id.desc())
    if after is not None:
        rows = rows.where(tuple_(Trashed.deleted_at, Trashed.id) < tuple_(*after))
    found = (await session.execute(rows.limit(limit + 1))).all()
    more = len(found) > limit
    page = [Listed(*row) for row in found[:limit]]
    return total or 0, page, Cursor(page[-1].deleted_at, page[-1].id) if more else None


async def purge(session: Session, account: Account, resource_id: UUID) -> None:
    """Delete something in the trash for good; NotFound where the account sees no such thing."""
    await _lock(session, account.id, resource_id)
    await _forget(session, Trashed.id == resource_id)


async def empty(session: Session, account: Account) -> int:
    """Delete for good some of what the account owns or deleted; returns how much, 0 once nothing is left."""
    mine = or_(Trashed.owner_id == account.id, Trashed.deleted_by == account.id)
    return await _forget(session, and_(visible_to(account.id), mine))


async def purge_old(session: Session, days: int) -> int:
    """Delete for good some of what was deleted so many days ago; returns how much, 0 once nothing is left."""
    return await _forget(session, Trashed.deleted_at < func.now() - timedelta(days=days))


async def _forget(session: Session, which: ColumnElement[bool]) -> int:
    some = select(Trashed.id).where(which).order_by(Trashed.id).limit(AT_ONCE).with_for_update(skip_locked=True)
    gone = delete(Trashed).where(Trashed.id.in_(some))
    returned = Trashed.id, Trashed.originals, Trashed.private, Trashed.owner_id
    rows = (await session.execute(gone.returning(*returned))).all()
    told: dict[UUID | None, ResourcesPurged] = {}
    for row in rows:
        audience = row.owner_id if row.private else None
        event = told.setdefault(audience, ResourcesPurged(resource_ids=[], originals=[]))
        event.resource_ids.append(row.id)
        event.originals.extend(row.originals)
    for audience, event in told.items():
        emit(session, event, audience=audience)
    return len(rows)
