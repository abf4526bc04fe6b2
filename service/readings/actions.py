"""Verbs of readings: keep, put many on the list, list, count, take off."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, delete, func, select, tuple_, update
from sqlalchemy.dialects.postgresql import insert

from service.cursors import Cursor
from service.database import ReadSession, Session, Statement
from service.errors import NotFound
from service.readings.progress import STATES, Standing, State, moved
from service.readings.tables import Reading
from service.resources.tables import Resource, visible
from service.security.accounts import Account

# What somebody is in the middle of stays as it is.
_PUT = Statement(
    """WITH seen AS MATERIALIZED (
        SELECT r.id FROM resources r
        WHERE r.id = ANY(CAST(:ids AS uuid[])) AND (NOT r.private OR r.owner_id = :account)
        ORDER BY r.id FOR KEY SHARE
    ),
    put AS (
        INSERT INTO readings AS k (user_id, resource_id, state, progress)
        SELECT :account, id, 'unread', 0 FROM seen
        ON CONFLICT (user_id, resource_id) DO UPDATE
        SET state = 'unread', progress = 0, finished_at = NULL, updated_at = now()
        WHERE k.state IN ('read', 'archived')
    )
    SELECT count(*) AS number FROM seen"""
)


async def read(session: ReadSession, account: Account, resource_id: UUID) -> Reading | None:
    """Return how far the account is with a resource, None where it never was; NotFound where it may not see that."""
    await _seen(session, account, resource_id)
    return await session.get(Reading, (account.id, resource_id))


async def _seen(session: ReadSession, account: Account, resource_id: UUID, *, lock: bool = False) -> None:
    seen = select(Resource.id).where(Resource.id == resource_id, visible(account))
    if await session.scalar(seen.with_for_update(read=True, key_share=True) if lock else seen) is None:
        raise NotFound(what="resource", id=resource_id)


async def keep(
    session: Session, account: Account, resource_id: UUID, state: State | None, progress: float | None
) -> Reading:
    """Write down a state, a place in the text from 0 to 1, or both; NotFound where the account may not see it."""
    await _seen(session, account, resource_id, lock=True)
    now = moved(None, state, progress)
    row = insert(Reading).values(user_id=account.id, resource_id=resource_id, **_columns(now))
    made = await session.scalar(row.on_conflict_do_nothing().returning(Reading))
    if made is not None:
        return made
    mine = (Reading.user_id == account.id, Reading.resource_id == resource_id)
    known = (await session.scalars(select(Reading).where(*mine).with_for_update())).one()
    now = moved(Standing(known.state, known.progress), state, progress)
    if now == (known.state, known.progress):
        return known
    ended = known.finished_at if now.state in ("read", "archived") else None
    changed = update(Reading).where(*mine).values(**_columns(now, ended), updated_at=func.now()).returning(Reading)
    return (await session.scalars(changed, execution_options={"populate_existing": True})).one()


def _columns(now: Standing, ended: Any = None) -> dict[str, Any]:
    """Return the columns of a standing; `ended` is when it came to an end before."""
    return {**now._asdict(), "finished_at": func.now() if now.state == "read" and ended is None else ended}


async def put(session: Session, account: Account, ids: Sequence[UUID]) -> int:
    """Put resources on the account's list, to be read later; returns how many of them it may see."""
    rows = await session.fetch(_PUT, account=account.id, ids=list(ids))
    return rows[0]["number"]


async def take_off(session: Session, account: Account, resource_id: UUID) -> None:
    """Forget that the account wanted to read a resource, and how far it was; NotFound where nothing is known."""
    gone = delete(Reading).where(Reading.user_id == account.id, Reading.resource_id == resource_id)
    if await session.scalar(gone.returning(Reading.resource_id)) is None:
        raise NotFound(what="reading", id=resource_id)


async def listed(
    session: ReadSession, account: Account, states: Collection[State], limit: int, after: Cursor | None
) -> tuple[Sequence[tuple[Reading, Resource]], Cursor | None]:
    """Return a page of what the account reads, what changed last first, and where it ends if there is more."""
    place = tuple_(Reading.updated_at, Reading.resource_id)
    rows = select(Reading, Resource).join(Resource, Resource.id == Reading.resource_id).where(*_of(account, states))
    if after is not None:
        rows = rows.where(place < tuple_(*after))
    order = (Reading.updated_at.desc(), Reading.resource_id.desc())
    found = [(row[0], row[1]) for row in await session.execute(rows.order_by(*order).limit(limit + 1))]
    if len(found) <= limit:
        return found, None
    last = found[limit - 1][0]
    return found[:limit], Cursor(last.updated_at, last.resource_id)


async def counts(session: ReadSession, account: Account) -> dict[State, int]:
    """Return how many resources are in each state."""
    counted = select(Reading.state, func.count()).join(Resource, Resource.id == Reading.resource_id)
    counted = counted.where(*_of(account, ())).group_by(Reading.state)
    known: dict[State, int] = dict.fromkeys(STATES, 0)
    known.update((row[0], row[1]) for row in await session.execute(counted))
    return known


async def of_many(session: ReadSession, account: Account, ids: Sequence[UUID]) -> Mapping[UUID, Reading]:
    """Return what is known of these resources, by id."""
    mine = select(Reading).where(Reading.user_id == account.id, Reading.resource_id.in_(ids))
    return {row.resource_id: row for row in await session.scalars(mine)}


def _of(account: Account, states: Collection[State]) -> tuple[ColumnElement[bool], ...]:
    own = (Reading.user_id == account.id, visible(account))
    return (*own, Reading.state.in_(states)) if states else own
