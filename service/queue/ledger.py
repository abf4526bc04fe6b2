"""The ledger: tasks that a person asked for keep a row, written with the request, until after Redis forgot them.

Their messages carry the person and, since a message may absorb others, the id of the row. What is written of a task is
told as an event, in the same transaction. What no person asked for may run 20,000 times a second: only its failures are
told.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import orjson
import structlog
from dramatiq import Message
from sqlalchemy import or_, select, tuple_

from service.database import ReadSession, Session, Statement, fetch, transaction
from service.errors import Conflict
from service.events import Event, current_origin, origin
from service.outbox import emit
from service.queue.cancel import cancel as cancel_message
from service.queue.delivery import Done
from service.queue.events import (
    BackgroundTaskCompleted,
    BackgroundTaskFailed,
    BackgroundTaskRetry,
    BackgroundTaskStarted,
)
from service.queue.send import send
from service.queue.state import CANCELLED, FAILED, SUCCEEDED, TaskState
from service.queue.tables import AcceptedTask
from service.queue.task import Dispatch, Queue, Task

log = structlog.get_logger(__name__)

_ACCEPT = Statement(
    """INSERT INTO tasks (id, name, queue, owner_id, correlation_id)
    VALUES (:id, :name, :queue, :owner_id, :correlation_id) ON CONFLICT DO NOTHING"""
)
_OWNERS = Statement("SELECT id, owner_id FROM tasks WHERE id = ANY(:ids) AND ended_at IS NULL")
_END = Statement(
    """UPDATE tasks SET status = :status, attempts = :attempts, ended_at = now(), error = nullif(:error, ''),
        result = CAST(nullif(CAST(:result AS text), '') AS jsonb),
        started_at = now() - make_interval(secs => :seconds)
    WHERE id = ANY(:ids) AND ended_at IS NULL RETURNING id"""
)


FORGOTTEN = timedelta(hours=1)  # after which Redis has dropped what has ended
MOST = 1000  # rows that are looked at


class AlreadyEnded(Conflict):
    """The task has ended already: {status}."""


class Merged(Conflict):
    """The task waits as part of task {into}, which other requests wait for, too."""


@dataclass(frozen=True, slots=True)
class Accepted:
    """Who asked for the task that a message carries, and the ids of its rows."""

    owner_id: UUID
    ids: tuple[UUID, ...]

    @classmethod
    def of(cls, message: Message[Any]) -> "Accepted | None":
        """Read it from a message; None where no person asked for it."""
        accepted = message.options.get("accepted")
        if accepted is None:
            return None
        return cls(UUID(accepted[1]), tuple({UUID(accepted[0]), UUID(message.message_id)}))


async def accept(session: Session, owner_id: UUID, task: Task, task_id: UUID) -> None:
    """Write down, with the request, that a person asked for a task."""
    belongs = {"owner_id": owner_id, "correlation_id": current_origin().correlation_id}
    await session.fetch(_ACCEPT, id=task_id, name=task.name, queue=task.queue.name, **belongs)


async def was_cancelled(session: ReadSession, task_id: UUID | None) -> bool:
    """Tell whether a person cancelled a task."""
    row = await session.get(AcceptedTask, task_id) if task_id else None
    return row is not None and row.cancelled_at is not None


async def recent(session: ReadSession, owner_id: UUID | None, name: str | None) -> Sequence[AcceptedTask]:
    """Return the last tasks that a person (None: anybody) asked for."""
    chosen = select(AcceptedTask).order_by(AcceptedTask.created_at.desc()).limit(MOST)
    if owner_id is not None:
        chosen = chosen.where(AcceptedTask.owner_id == owner_id)
    if name is not None:
        chosen = chosen.where(AcceptedTask.name == name)
    return (await session.scalars(chosen)).all()


async def older(
    session: ReadSession,
    before: tuple[datetime, UUID] | None,
    limit: int,
    *,
    name: str | None = None,
    queue: str | None = None,
    status: str | None = None,
) -> Sequence[AcceptedTask]:
    """Return tasks that anybody asked for, newest first, those beyond a place (time and id); by an index, however many.

    With a status come also those whose end is not written: their state is in Redis.
    """
    chosen = select(AcceptedTask).order_by(AcceptedTask.created_at.desc(), AcceptedTask.id.desc()).limit(limit)
    if before is not None:
        chosen = chosen.where(tuple_(AcceptedTask.created_at, AcceptedTask.id) < before)
    if name is not None:
        chosen = chosen.where(AcceptedTask.name == name)
    if queue is not None:
        chosen = chosen.where(AcceptedTask.queue == queue)
    if status in (SUCCEEDED, FAILED, CANCELLED):
        chosen = chosen.where(or_(AcceptedTask.status == status, AcceptedTask.status.is_(None)))
    elif status is not None:
        chosen = chosen.where(AcceptedTask.status.is_(None))
    return (await session.scalars(chosen)).all()


def state_of(row: AcceptedTask) -> TaskState:
    """Return how a task stands of which Redis knows nothing: not yet, or not any more."""
    young = row.created_at > datetime.now(UTC) - FORGOTTEN
    status = row.status or (CANCELLED if row.cancelled_at else "queued" if young else FAILED)
    unknown = "Nobody knows how it ended: what Redis kept of it is gone." if not (row.status or young) else None
    return TaskState(
        task_id=row.id,
        name=row.name,
        queue=row.queue,
        priority=Queue.named(row.queue).priority,
        status=status,
        attempts=row.attempts,
        queued_at=row.created_at,
        started_at=row.started_at,
        date_done=row.ended_at or row.cancelled_at,
        result=row.result,
        error=row.error or (unknown if status == FAILED else None),
    )


async def cancel(session: Session, row: AcceptedTask) -> bool:
    """Cancel a task whose row is locked; False where its worker is told, and it is yet to end.

    Raises AlreadyEnded, Merged and BrokerAway.
    """
    status, into = await cancel_message(row.id, row.queue, row.name)
    if into is not None:
        raise Merged(into=into)
    row.cancelled_at = datetime.now(UTC)
    if status == "running":
        return False
    if status != CANCELLED:
        raise AlreadyEnded(status=status)
    row.status, row.ended_at = CANCELLED, row.cancelled_at
    emit(session, cancelled(str(row.id), row.name, row.queue, row.attempts), audience=row.owner_id)
    return True


async def send_on(dispatches: Sequence[Dispatch]) -> None:
    """Send what events ask for, marked where a person did."""
    if dispatches:
        await send(await marked(dispatches))


async def marked(dispatches: Sequence[Dispatch]) -> Sequence[Dispatch]:
    """Return requests with the person who asked for each, where one did."""
    rows = await fetch(_OWNERS, ids=[dispatch.message_id for dispatch in dispatches])
    owners = {row["id"]: row["owner_id"] for row in rows}
    return [replace(one, owner_id=owners.get(one.message_id)) for one in dispatches] if owners else dispatches


async def started(message: Message[Any]) -> None:
    """Tell that a worker begins with a task that a person asked for."""
    accepted = Accepted.of(message)
    event = BackgroundTaskStarted(**_facts(message), attempts=attempts(message))
    await _tell(message, event, accepted and accepted.owner_id)


async def retried(message: Message[Any], error: BaseException, said: str, failed: int, delay: float) -> None:
    """Tell that a task has failed and is tried again."""
    accepted = Accepted.of(message)
    shown = said if accepted else type(error).__name__
    event = BackgroundTaskRetry(**_facts(message), attempts=failed, error=shown, delay_seconds=delay)
    await _tell(message, event, accepted and accepted.owner_id)


async def ended(message: Message[Any], outcome: Done, seconds: float) -> None:
    """Write how a task that a person asked for has ended, and tell it; a failure is told with its dead letter."""
    accepted, tried = Accepted.of(message), attempts(message)
    if accepted is None:
        return
    try:
        with _origin_of(message):
            async with transaction() as session:
                rows = await session.fetch(
                    _END,
                    ids=list(accepted.ids),
                    status=outcome.status,
                    attempts=tried,
                    error=outcome.error.replace("\0", "\ufffd"),
                    result=_storable(outcome.result),
                    seconds=seconds,
                )
                event: Event | None = None
                if outcome.status == SUCCEEDED:
                    took = round(seconds, 3)
                    event = BackgroundTaskCompleted(**_facts(message), attempts=tried, duration_seconds=took)
                elif outcome.status == CANCELLED:
                    event = cancelled(message.message_id, message.actor_name, message.queue_name, tried)
                if rows and event is not None:
                    emit(session, event, audience=accepted.owner_id)
    except Exception as trouble:  # its work is done: Redis knows for an hour, and no other try would be better
        log.warning("end of a task not written", id=message.message_id, task=message.actor_name, trouble=repr(trouble))


def failed(
    message: Message[Any], error: BaseException, said: str, tried: int, reason: str
) -> tuple[Event, UUID | None]:
    """Return what is to be told with a dead letter, and to whom."""
    accepted = Accepted.of(message)
    shown = said if accepted else type(error).__name__
    event = BackgroundTaskFailed(**_facts(message), attempts=tried, error=shown, reason=reason)
    return event, accepted and accepted.owner_id


def cancelled(task_id: str, name: str, queue: str, tried: int) -> Event:
    """Return what is to be told of a task that was cancelled."""
    return BackgroundTaskFailed(
        task_id=task_id, task_name=name, queue=queue, attempts=tried, error="cancelled", reason=CANCELLED
    )


def attempts(message: Message[Any]) -> int:
    """Return how often a message has been tried, this time included."""
    return message.options.get("retries", 0) + 1


async def _tell(message: Message[Any], event: Event, audience: UUID | None) -> None:
    try:
        with _origin_of(message):
            async with transaction() as session:
                emit(session, event, audience=audience)
    except Exception as trouble:
        log.warning("event not written", event_name=event.name, id=message.message_id, trouble=repr(trouble))


def _facts(message: Message[Any]) -> dict[str, Any]:
    return {"task_id": message.message_id, "task_name": message.actor_name, "queue": message.queue_name}


def _origin_of(message: Message[Any]) -> Any:
    options = message.options
    cause = UUID(options["event_id"]) if "event_id" in options else None
    return origin(options.get("correlation_id"), cause, bulk=options.get("bulk", False))


def _storable(result: bytes) -> str:
    if b"\\u0000" in result:  # PostgreSQL's JSON has no null character
        result = orjson.dumps(str(orjson.loads(result)).replace("\0", "\ufffd"))
    return result.decode()
