"""Dead letters: tasks that failed for good, in PostgreSQL.

message  --bury-->  row, then acknowledged: a crash between the two repeats both, under the same task id
row  --retry-->  event in the outbox, in the same commit  --relay-->  message, under an id that follows from the event
"""

import traceback
from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any, Self
from uuid import UUID

from dramatiq import Message
from sqlalchemy import ColumnElement, Text, cast, delete, func, or_, select
from sqlalchemy.dialects.postgresql import insert

from service.database import ReadSession, Session, reading, transaction
from service.errors import Conflict, NotFound, PharosError
from service.events import Event, current_origin, origin
from service.outbox import emit
from service.queue.reasons import Reason
from service.queue.requeue import Requeue, TaskRequeued
from service.queue.send import pack
from service.queue.tables import DeadLetter

LONGEST = 20_000  # characters of an exception or a traceback that are kept, its end
TURN = 500  # letters that one transaction sends again
NAMELESS = "?"  # the name of what arrived and was no message
# What a message says about its own way so far; the next one begins with its first attempt.
PASSED = {"redis_message_id", "retries", "outages", "traceback", "requeue_timestamp", "gathers"}
GIVEN = {"event_id", "correlation_id", "bulk"}  # what each dispatch says anew


class NoMessage(Conflict):
    """What arrived as {task_id} was no message, so it cannot be sent again: discard it."""


class NobodyRuns(Conflict):
    """No worker knows a task named {name}, so it would fail again: start one that does, or discard the letter."""


@dataclass(frozen=True, slots=True)
class Failed:
    """The task that failed, after `attempts` of which none succeeded."""

    task_id: str
    name: str
    queue: str
    arguments: dict[str, Any]
    attempts: int
    positional: Sequence[Any] = ()
    options: dict[str, Any] = field(default_factory=dict[str, Any])

    @classmethod
    def of(cls, message: Message[Any], attempts: int) -> Self:
        """Read what failed from its message."""
        options = {name: value for name, value in message.options.items() if name not in PASSED}
        rest = (message.kwargs, attempts, message.args, options)
        return cls(message.message_id, message.actor_name, message.queue_name, *rest)


@dataclass(frozen=True, slots=True)
class Which:
    """Which letters: those that meet every condition given; `q` is looked for in error and arguments."""

    ids: Collection[UUID] | None = None
    name: str | None = None
    queue: str | None = None
    reason: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    q: str | None = None

    def conditions(self) -> list[ColumnElement[bool]]:
        """Return the conditions as SQL."""
        asked: list[ColumnElement[bool]] = []
        if self.ids is not None:
            asked.append(DeadLetter.id.in_(self.ids))
        if self.name is not None:
            asked.append(DeadLetter.name == self.name)
        if self.queue is not None:
            asked.append(DeadLetter.queue == self.queue)
        if self.reason is not None:
            asked.append(DeadLetter.reason == self.reason)
        if self.since is not None:
            asked.append(DeadLetter.failed_at >= self.since)
        if self.until is not None:
            asked.append(DeadLetter.failed_at <= self.until)
        if self.q is not None:
            texts = DeadLetter.exception, cast(DeadLetter.arguments, Text), cast(DeadLetter.positional, Text)
            asked.append(or_(*(text.icontains(self.q, autoescape=True) for text in texts)))
        return asked


@dataclass(slots=True)
class Retried:
    """What became of the letters that were to be tried again; `last` is where the next transaction goes on."""

    tasks: list[UUID] = field(default_factory=list[UUID])
    refused: list[tuple[UUID, PharosError]] = field(default_factory=list[tuple[UUID, PharosError]])
    last: UUID | None = None


async def bury(
    failed: Failed, error: BaseException, reason: Reason, told: tuple[Event, UUID | None] | None = None
) -> None:
    """Write a dead letter, before its message is acknowledged; one that is there already stays as it is.

    With a new one goes what is `told` of it: an event, and who may see it.
    """
    letter = {
        **asdict(failed),
        "exception": describe(error),
        "traceback": "".join(traceback.format_exception(error))[-LONGEST:] if error.__traceback__ else None,
        "reason": reason,
    }
    async with transaction() as session:
        row = insert(DeadLetter).values(_storable(letter)).on_conflict_do_nothing().returning(DeadLetter.id)
        if (await session.execute(row)).first() is not None and told is not None:
            emit(session, told[0], audience=told[1])


async def read(session: ReadSession, letter_id: UUID) -> DeadLetter:
    """Return a letter; raises NotFound."""
    letter = await session.get(DeadLetter, letter_id)
    if letter is None:
        raise NotFound(what="dead letter", id=letter_id)
    return letter


async def browse(
    session: ReadSession, which: Which, *, limit: int, offset: int = 0
) -> tuple[int, Sequence[DeadLetter]]:
    """Return how many letters there are, and one page of them, the newest first."""
    conditions = which.conditions()
    total = await session.scalar(select(func.count()).select_from(DeadLetter).where(*conditions))
    order = DeadLetter.failed_at.desc(), DeadLetter.id
    rows = await session.scalars(select(DeadLetter).where(*conditions).order_by(*order).limit(limit).offset(offset))
    return total or 0, rows.all()


async def retry(
    session: Session, which: Which, requeue: Requeue, known: Collection[str], audience: UUID, after: UUID | None = None
) -> Retried:
    """Exchange letters for events that send their tasks again, up to `TURN` of them, those with ids beyond `after`.

    `known` names tasks that a worker runs, besides those of `requeue`; `audience` alone sees the events, since
    arguments are somebody's. A letter that another transaction has in hand is left to it.
    """
    query = select(DeadLetter).where(*which.conditions()).order_by(DeadLetter.id).limit(TURN)
    if after is not None:
        query = query.where(DeadLetter.id > after)
    retried = Retried()
    sent: list[UUID] = []
    for letter in await session.scalars(query.with_for_update(skip_locked=True)):
        retried.last = letter.id
        try:
            retried.tasks.append(_send_again(session, letter, requeue, known, audience))
            sent.append(letter.id)
        except PharosError as error:
            retried.refused.append((letter.id, error))
    await session.execute(delete(DeadLetter).where(DeadLetter.id.in_(sent)))
    return retried


def _send_again(session: Session, letter: DeadLetter, requeue: Requeue, known: Collection[str], audience: UUID) -> UUID:
    if letter.name == NAMELESS:
        raise NoMessage(task_id=letter.task_id)
    if letter.reason == Reason.UNKNOWN_TASK and letter.name not in requeue.tasks and letter.name not in known:
        raise NobodyRuns(name=letter.name)
    event = TaskRequeued(
        letter_id=letter.id,
        task=letter.name,
        queue=letter.queue,
        arguments=letter.arguments,
        positional=letter.positional,
        options={name: value for name, value in letter.options.items() if name not in GIVEN},
    )
    here, told = current_origin(), letter.options.get("correlation_id")
    correlation_id = told if isinstance(told, str) else here.correlation_id
    bulk = here.bulk or bool(letter.options.get("bulk"))
    # What is too large must be refused here, and not where the relay sends it; all ids are of one length.
    pack(requeue.dispatch(event, letter.id, bulk=bulk, correlation_id=correlation_id))
    with origin(correlation_id, here.cause, bulk=bulk):
        event_id = emit(session, event, audience=audience)
    return requeue.dispatch(event, event_id).message_id


async def discard(session: Session, which: Which) -> int:
    """Delete letters and return how many there were."""
    gone = await session.execute(delete(DeadLetter).where(*which.conditions()).returning(DeadLetter.id))
    return len(gone.all())


async def dead_by_queue() -> dict[str, int]:
    """Return how many dead letters there are, by queue; queues without any are left out."""
    async with reading() as session:
        rows = await session.execute(select(DeadLetter.queue, func.count()).group_by(DeadLetter.queue))
        return {queue: count for queue, count in rows.all()}


def describe(error: BaseException) -> str:
    """Return an error in one line: its class and what it says."""
    try:
        said = str(error)
    except Exception as trouble:
        said = f"what it says cannot be read: {type(trouble).__name__}"
    line = f"{type(error).__name__}: {said}" if said else type(error).__name__
    return line[:LONGEST].encode("utf-8", "replace").decode()


def _storable(value: Any) -> Any:
    """Replace what PostgreSQL cannot hold in a text: null characters and lone surrogates."""
    match value:
        case str():
            return value.replace("\0", "\ufffd").encode("utf-8", "replace").decode()
        case dict():
            return {_storable(key): _storable(item) for key, item in value.items()}
        case list() | tuple():
            return [_storable(item) for item in value]
        case _:
            return value
