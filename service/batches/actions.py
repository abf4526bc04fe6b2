"""Verbs of batches: ask for one, tell what is left of it, settle its items, end it."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import func, select, text, update

from service.batches.events import BatchRequested
from service.batches.tables import Batch, BatchItem
from service.database import ReadSession, Session
from service.errors import Invalid, NotFound
from service.events import current_origin, origin
from service.outbox import emit
from service.queue.ledger import accept
from service.queue.task import Dispatch
from service.resources.tables import Resource, visible_to
from service.security.accounts import Account
from service.tasks import PROCESS_BATCH

OPERATIONS = {
    "regenerate_embeddings": "embedded",
    "reindex": "indexed",
    "recompute_quality": "assessed",
    "reclassify": "classified",
}  # each makes one derived thing again
DELETE = "delete_documents"  # asked for by the slice of documents
ERRORS = 1000  # that a result lists

_ADD_ITEMS = text(
    """INSERT INTO batch_items (batch_id, ordinal, resource_id)
    SELECT :batch_id, ordinal, id FROM unnest(CAST(:ids AS uuid[])) WITH ORDINALITY AS item(id, ordinal)"""
)


class NotAvailable(Invalid):
    """This library cannot {operation} yet; it can {available}."""


async def request(session: Session, account: Account, operation: str, resource_ids: Sequence[UUID]) -> UUID:
    """Ask for an operation on resources, each once; returns the id of the task that does it, as bulk work."""
    if operation not in OPERATIONS:
        raise NotAvailable(operation=operation, available=" and ".join(OPERATIONS))
    return await _request(session, account, operation, resource_ids)


async def request_deletion(session: Session, account: Account, resource_ids: Sequence[UUID]) -> UUID:
    """Ask for the deletion of documents, each with its resource; returns the id of the task that does it."""
    return await _request(session, account, DELETE, resource_ids)


async def _request(session: Session, account: Account, operation: str, resource_ids: Sequence[UUID]) -> UUID:
    ids = list(dict.fromkeys(resource_ids))
    batch = Batch(owner_id=account.id, operation=operation, total=len(ids))
    session.add(batch)
    await session.flush()
    await session.execute(_ADD_ITEMS, {"batch_id": batch.id, "ids": ids})
    here = current_origin()
    with origin(here.correlation_id, here.cause, bulk=True):
        event = BatchRequested(batch_id=batch.id, operation=operation, count=len(ids), user_id=account.id)
        event_id = emit(session, event, audience=account.id)
    task_id = Dispatch(PROCESS_BATCH, {"batch_id": str(batch.id)}, event_id).message_id
    await accept(session, account.id, PROCESS_BATCH, task_id)
    return task_id


async def read(session: ReadSession, batch_id: UUID) -> tuple[Batch, int]:
    """Return a batch and how many of its items are settled."""
    batch = await session.get(Batch, batch_id)
    if batch is None:
        raise NotFound(what="batch", id=batch_id)
    pending = select(func.count()).where(BatchItem.batch_id == batch_id, BatchItem.state == "pending")
    return batch, batch.total - (await session.scalar(pending) or 0)


async def pending(session: ReadSession, batch_id: UUID, limit: int) -> Sequence[BatchItem]:
    """Return the next items that are not settled."""
    left = select(BatchItem).where(BatchItem.batch_id == batch_id, BatchItem.state == "pending")
    return (await session.scalars(left.order_by(BatchItem.ordinal).limit(limit))).all()


async def settle(session: Session, item: BatchItem, error: str | None = None) -> None:
    """Write, with what was done to it, that an item is done; or what went wrong with it."""
    await session.execute(
        update(BatchItem)
        .where(BatchItem.batch_id == item.batch_id, BatchItem.ordinal == item.ordinal)
        .values(state="failed" if error else "done", error=error)
        .execution_options(synchronize_session=False)
    )


async def check(session: ReadSession, owner_id: UUID, resource_id: UUID) -> None:
    """Raise NotFound for a resource that whoever asked for the batch may not see."""
    seen = select(Resource.id).where(Resource.id == resource_id, visible_to(owner_id))
    if await session.scalar(seen) is None:
        raise NotFound(what="resource", id=resource_id)


async def finish(session: Session, batch_id: UUID) -> dict[str, Any]:
    """End a batch and return what became of it, with the first errors."""
    batch = await session.get_one(Batch, batch_id)
    batch.finished_at = func.now()
    failed = select(BatchItem).where(BatchItem.batch_id == batch_id, BatchItem.state == "failed")
    count = await session.scalar(select(func.count()).select_from(failed.subquery())) or 0
    items = await session.scalars(failed.order_by(BatchItem.ordinal).limit(ERRORS))
    return {
        "batch_id": str(batch_id),
        "status": "completed_with_errors" if count else "completed",
        "processed_count": batch.total - count,
        "failed_count": count,
        "errors": [{"resource_id": str(item.resource_id), "error": item.error} for item in items],
    }
