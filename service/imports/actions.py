"""Verbs of imports: ask for one, tell how far it is, keep what was read, add it, try again, cancel, end."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import delete, func, select, text, update
from sqlalchemy.dialects.postgresql import insert

from service.collections import actions as collections
from service.database import ReadSession, Session
from service.errors import Conflict, NotFound
from service.events import current_origin, origin
from service.imports import adding
from service.imports.entry import Entry, Found, storable
from service.imports.events import (
    ImportCompleted,
    ImportFailed,
    ImportProgressed,
    ImportRequested,
    ImportStalled,
)
from service.imports.highlights import account_of
from service.imports.tables import Import, ImportEntry
from service.outbox import emit
from service.queue.ledger import accept
from service.queue.task import Dispatch
from service.security.accounts import Account
from service.tasks import IMPORT

STATES = ("pending", "added", "merged", "failed")
MOST_WAITING = 20  # imports of an account that are not finished

_TURN = text("SELECT pg_advisory_xact_lock(7262041, uuid_hash(CAST(:owner AS uuid)))")
_STALLED = text(
    """SELECT i.id, i.owner_id FROM imports i
    WHERE i.state IN ('pending', 'adding') AND i.updated_at < now() - make_interval(secs => :age)
        AND NOT EXISTS (SELECT FROM tasks t WHERE t.id = i.task_id AND t.cancelled_at IS NOT NULL)
        AND NOT EXISTS (SELECT FROM dead_letters l WHERE l.name = :task AND l.failed_at > i.updated_at
            AND l.arguments ->> 'import_id' = CAST(i.id AS text))
    ORDER BY i.updated_at LIMIT :most"""
)


class TooManyImports(Conflict):
    """{most} imports of yours are not finished: wait for one of them, or cancel one."""


class NothingToRetry(Conflict):
    """Nothing of this import failed that could be tried again."""


class Ended(Conflict):
    """The import has ended already: {state}."""


class NobodysImport(Conflict):
    """Whoever asked for this import may not add anything any more."""


@dataclass(frozen=True, slots=True)
class Counts:
    """How many entries of an import are in which state."""

    pending: int = 0
    added: int = 0
    merged: int = 0
    failed: int = 0

    @property
    def total(self) -> int:
        return self.pending + self.added + self.merged + self.failed


async def request(
    session: Session,
    account: Account,
    *,
    filename: str,
    original: str,
    format: str,
    collection_id: UUID | None = None,
    private: bool = False,
    tags: Sequence[str] = (),
) -> Import:
    """Ask for the import of a stored file; its task is bulk work. Raises NotFound, NotYours, TooManyImports."""
    if collection_id is not None:
        await collections.own(session, account, collection_id)
    await session.execute(_TURN, {"owner": account.id})
    unfinished = select(func.count()).where(Import.owner_id == account.id, Import.state.in_(("pending", "adding")))
    if (await session.scalar(unfinished) or 0) >= MOST_WAITING:
        raise TooManyImports(most=MOST_WAITING)
    row = Import(
        owner_id=account.id, filename=filename, original=original, format=format,
        collection_id=collection_id, private=private, tags=list(tags),
    )  # fmt: skip
    session.add(row)
    await session.flush()
    await _start(session, row)
    return row


async def _start(session: Session, row: Import) -> None:
    here = current_origin()
    with origin(here.correlation_id, here.cause, bulk=True):
        event_id = emit(session, ImportRequested(import_id=row.id, user_id=row.owner_id), audience=row.owner_id)
    task_id = row.task_id = Dispatch(IMPORT, {"import_id": str(row.id)}, event_id).message_id
    await session.flush()
    await accept(session, row.owner_id, IMPORT, task_id)


async def read(session: ReadSession, account: Account, import_id: UUID, *, lock: bool = False) -> Import:
    """Return an import of this account; NotFound otherwise."""
    chosen = select(Import).where(Import.id == import_id, Import.owner_id == account.id)
    found = await session.scalar(chosen.with_for_update() if lock else chosen)
    if found is None:
        raise NotFound(what="import", id=import_id)
    return found


async def counts(session: ReadSession, import_ids: Sequence[UUID]) -> dict[UUID, Counts]:
    """Return how far imports are."""
    number = select(ImportEntry.import_id, ImportEntry.state, func.count().label("number"))
    rows = await session.execute(
        number.where(ImportEntry.import_id.in_(import_ids)).group_by(ImportEntry.import_id, ImportEntry.state)
    )
    found: dict[UUID, dict[str, int]] = {id: {} for id in import_ids}
    for row in rows:
        found[row.import_id][row.state] = row.number
    return {id: Counts(**states) for id, states in found.items()}


async def browse(session: ReadSession, account: Account, limit: int, offset: int) -> tuple[int, Sequence[Import]]:
    """Return how many imports an account has, and one page, the newest first."""
    mine = select(Import).where(Import.owner_id == account.id)
    total = await session.scalar(select(func.count()).select_from(mine.subquery()))
    page = mine.order_by(Import.created_at.desc(), Import.id).limit(limit).offset(offset)
    return total or 0, (await session.scalars(page)).all()


async def errors(session: ReadSession, import_id: UUID, limit: int, after: int = -1) -> Sequence[ImportEntry]:
    """Return what of an import failed, in the order of the file, from an ordinal on."""
    failed = select(ImportEntry).where(
        ImportEntry.import_id == import_id, ImportEntry.state == "failed", ImportEntry.ordinal > after
    )
    return (await session.scalars(failed.order_by(ImportEntry.ordinal).limit(limit))).all()


async def failed(session: ReadSession, import_id: UUID, limit: int, offset: int) -> Sequence[ImportEntry]:
    """Return one page of what failed."""
    chosen = select(ImportEntry).where(ImportEntry.import_id == import_id, ImportEntry.state == "failed")
    return (await session.scalars(chosen.order_by(ImportEntry.ordinal).limit(limit).offset(offset))).all()


async def unfinished(session: ReadSession, import_id: UUID) -> Import | None:
    """Return an import that there is something to do for; None where there is not, or not any more."""
    chosen = select(Import).where(Import.id == import_id, Import.state.in_(("pending", "adding")))
    return await session.scalar(chosen)


async def keep(session: Session, import_id: UUID, start: int, found: Sequence[Found]) -> None:
    """Write what a file holds, from a place in it on; what is there already stays as it is."""
    if found:
        rows = [_row(import_id, ordinal, one) for ordinal, one in enumerate(found, start)]
        await session.execute(insert(ImportEntry).on_conflict_do_nothing(), rows)
        await session.execute(update(Import).where(Import.id == import_id).values(updated_at=func.now()))


def _row(import_id: UUID, ordinal: int, one: Found) -> dict[str, Any]:
    place = {"import_id": import_id, "ordinal": ordinal, "line": min(one.line, 2**31 - 1)}
    if isinstance(one, Entry):
        shown = (one.title or one.url or "")[:300]
        return place | {"shown": shown, "entry": adding.as_json(one), "state": "pending", "reason": None}
    problem = {"shown": storable(one.shown)[:300], "reason": storable(one.reason)[:1000]}
    return place | problem | {"entry": None, "state": "failed"}


async def begin(session: Session, import_id: UUID, format: str | None) -> None:
    """Note that a file is read: what was kept of it is to be added. A file of no known format has failed."""
    row = await session.get(Import, import_id, with_for_update=True)
    if row is None or row.state != "pending":
        return
    row.original = None
    row.total = (await counts(session, [import_id]))[import_id].total
    row.state = "adding"
    if format is None:
        reasons = await errors(session, import_id, 1)
        await give_up(session, import_id, reasons[0].reason or "" if reasons else "Nothing in it can be read.")
    else:
        row.format = format
    await session.flush()


async def pending(session: ReadSession, import_id: UUID, limit: int) -> Sequence[ImportEntry]:
    """Return the next entries that are to be added."""
    left = select(ImportEntry).where(ImportEntry.import_id == import_id, ImportEntry.state == "pending")
    return (await session.scalars(left.order_by(ImportEntry.ordinal).limit(limit))).all()


async def add(session: Session, import_id: UUID, chunk: Sequence[adding.Prepared]) -> Counts | None:
    """Add some entries; None where the import has ended meanwhile. Raises NobodysImport."""
    row = await session.get(Import, import_id, with_for_update=True, populate_existing=True)
    if row is None or row.state != "adding":
        return None
    account = await account_of(session, row.owner_id)
    if account is None or "write" not in account.scopes:
        raise NobodysImport
    await session.execute(_TURN, {"owner": account.id})
    still = select(ImportEntry.ordinal).where(
        ImportEntry.import_id == import_id,
        ImportEntry.state == "pending",
        ImportEntry.ordinal.in_([one.ordinal for one in chunk]),
    )
    left = set(await session.scalars(still))
    await adding.add_chunk(session, account, row, [one for one in chunk if one.ordinal in left])
    row.updated_at = func.now()
    now = (await counts(session, [import_id]))[import_id]
    emit(session, ImportProgressed(import_id=import_id, **_told(now)), audience=row.owner_id)
    return now


def _told(now: Counts) -> dict[str, int]:
    return {"added": now.added, "merged": now.merged, "failed": now.failed, "total": now.total}


async def finish(session: Session, import_id: UUID) -> dict[str, Any]:
    """End an import of which nothing is left to be added, and return what became of it."""
    row = await session.get(Import, import_id, with_for_update=True, populate_existing=True)
    now = (await counts(session, [import_id]))[import_id]
    if row is not None and row.state == "adding" and not now.pending:
        row.state, row.finished_at = "completed", func.now()
        emit(session, ImportCompleted(import_id=import_id, **_told(now)), audience=row.owner_id)
    state = "gone" if row is None else row.state
    return {"import_id": str(import_id), "status": state, **_told(now)}


async def give_up(session: Session, import_id: UUID, error: str, state: str = "failed") -> None:
    """End an import that cannot go on."""
    row = await session.get(Import, import_id, with_for_update=True)
    if row is None or row.state not in ("pending", "adding"):
        return
    row.state, row.error, row.original, row.finished_at = state, error, None, func.now()
    await session.flush()
    emit(session, ImportFailed(import_id=import_id, error=error), audience=row.owner_id)


async def cancel(session: Session, account: Account, import_id: UUID) -> Import:
    """End an import where it stands; what is in the library stays there. Raises NotFound, Ended."""
    row = await read(session, account, import_id, lock=True)
    if row.state not in ("pending", "adding"):
        raise Ended(state=row.state)
    await give_up(session, import_id, "It was cancelled.", "cancelled")
    return row


async def retry(session: Session, account: Account, import_id: UUID) -> Import:
    """Try again what failed, or go on with what was cancelled. Raises NotFound, Ended, NothingToRetry."""
    row = await read(session, account, import_id, lock=True)
    if row.state in ("pending", "adding"):
        raise Ended(state="it is under way")
    again = update(ImportEntry).where(
        ImportEntry.import_id == import_id, ImportEntry.state == "failed", ImportEntry.entry.is_not(None)
    )
    await session.execute(again.values(state="pending").execution_options(synchronize_session=False))
    if not (await counts(session, [import_id]))[import_id].pending:
        raise NothingToRetry
    row.state, row.error, row.finished_at = "adding", None, None
    await _start(session, row)
    return row


async def remove(session: Session, account: Account, import_id: UUID) -> None:
    """Forget an import that has ended; what it added stays. Raises NotFound, Conflict."""
    row = await read(session, account, import_id, lock=True)
    if row.state in ("pending", "adding"):
        raise Conflict("The import is under way: cancel it first.")
    await session.execute(delete(Import).where(Import.id == row.id))


async def announce_stalled(session: Session, limit: int = 100, age: float = 600) -> int:
    """Ask again for imports that nobody goes on with; returns how many there were."""
    rows = (await session.execute(_STALLED, {"most": limit, "age": age, "task": IMPORT.name})).all()
    for row in rows:
        emit(session, ImportStalled(import_id=row.id), audience=row.owner_id)
    return len(rows)
