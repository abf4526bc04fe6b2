"""All tasks in one list, newest first: what Redis has at hand, and what people asked for, however long ago.

A page goes on where the one before ended (time and id), so that the fiftieth thousand is as near as the first. Of what
waits in Redis the first hundred of each lane are looked at (`queue.browse`), and the last thousand that ended.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import select

from service.database import ReadSession
from service.errors import Invalid
from service.event_log import EventRow
from service.monitoring import causes
from service.queue import ledger
from service.queue.browse import message_of, seen
from service.queue.state import FAILED, TaskState, task_states
from service.queue.tables import AcceptedTask, DeadLetter
from service.queue.task import Dispatch

TURN = 200  # rows that are read at a time, while looking for those of a status
TURNS = 5
FORGOTTEN = "forgotten"  # ended, and more than an hour ago
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
NIL = UUID(int=0)


class Place(NamedTuple):
    """Where a page ends, and the next begins."""

    at: datetime
    id: str

    def __str__(self) -> str:
        return f"{self.at.isoformat()},{self.id}"

    @classmethod
    def of(cls, written: str) -> "Place":
        """Read a place as it stands in an address; raises Invalid."""
        at, _, id = written.partition(",")
        try:
            moment = datetime.fromisoformat(at)
        except ValueError:
            moment = None
        if moment is None or moment.tzinfo is None:
            raise Invalid("`before` takes what a page of this list gave as its next.")
        return cls(moment, id)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which tasks."""

    name: str | None = None
    status: str | None = None
    queue: str | None = None
    resource: UUID | None = None
    correlation_id: str | None = None

    def takes(self, state: TaskState) -> bool:
        """Tell whether a task is among them, by what its state says."""
        return (
            self.name in (None, state.name)
            and self.status in (None, state.status)
            and self.queue in (None, state.queue)
        )


Page = tuple[list[TaskState], Place | None]


async def tasks_of(session: ReadSession, wanted: Wanted, before: Place | None, limit: int) -> Page:
    """Return a page of tasks and where the next one begins, None after the last; raises BrokerAway."""
    if wanted.resource is not None or wanted.correlation_id is not None:
        return _page(await _led_to(session, wanted), before, limit)
    kept, scanned = await _kept(session, wanted, before, limit)
    ids = await seen(wanted.status)
    known = set(await session.scalars(select(AcceptedTask.id).where(AcceptedTask.id.in_(_uuids(ids)))))
    here = [id for id in ids if not (known and _uuid(id) in known)]
    at_hand = [state for state in await task_states(here) if state is not None and wanted.takes(state)]
    found = [state for state in (*kept, *at_hand) if scanned is None or place_of(state) >= scanned]
    states, place = _page(found, before, limit)
    return states, place or scanned


def place_of(state: TaskState) -> Place:
    """Return where a task stands in the list."""
    return Place(state.queued_at or EPOCH, str(state.task_id))


def _page(states: Sequence[TaskState], before: Place | None, limit: int) -> Page:
    ordered = sorted((state for state in states if before is None or place_of(state) < before), key=place_of)[::-1]
    return ordered[:limit], place_of(ordered[limit - 1]) if len(ordered) > limit else None


async def _kept(
    session: ReadSession, wanted: Wanted, before: Place | None, limit: int
) -> tuple[list[TaskState], Place | None]:
    """Return tasks that people asked for, and the place up to which was looked, None where that is the end."""
    found: list[TaskState] = []
    place = (before.at, _uuid(before.id) or NIL) if before else None
    turn = limit + 1 if wanted.status is None else TURN
    for _ in range(TURNS):
        rows = await ledger.older(session, place, turn, name=wanted.name, queue=wanted.queue, status=wanted.status)
        found += [state for state in await _states(rows) if wanted.takes(state)]
        if len(rows) < turn:
            return found, None
        place = rows[-1].created_at, rows[-1].id
        if len(found) > limit:
            break
    return found, Place(place[0], str(place[1])) if place else None


async def _states(rows: Sequence[AcceptedTask]) -> list[TaskState]:
    """Return how tasks stand: those whose end is written by that, the others by what Redis knows."""
    unsettled = [str(row.id) for row in rows if row.status is None]
    live = dict(zip(unsettled, await task_states(unsettled), strict=True)) if unsettled else {}
    return [
        replace(live.get(str(row.id)) or ledger.state_of(row), task_id=row.id, queued_at=row.created_at) for row in rows
    ]


async def _led_to(session: ReadSession, wanted: Wanted) -> list[TaskState]:
    rows: Sequence[EventRow]
    if wanted.correlation_id is not None:
        rows = await causes.events_of(session, wanted.correlation_id)
        rows = [row for row in rows if wanted.resource in (None, row.subject)]
    else:
        assert wanted.resource is not None
        rows = await causes.events_about(session, wanted.resource)
    asked = {dispatch.id: (row, dispatch) for row, dispatch in causes.dispatches(rows)}
    kept = await session.scalars(select(AcceptedTask).where(AcceptedTask.id.in_([UUID(id) for id in asked])))
    written = {str(row.id): ledger.state_of(row) for row in kept}
    letters = await session.scalars(select(DeadLetter.task_id).where(DeadLetter.task_id.in_(list(asked))))
    dead = set(letters)
    found: list[TaskState] = []
    for (id, (row, dispatch)), state in zip(asked.items(), await task_states(list(asked)), strict=True):
        ended = FAILED if id in dead else FORGOTTEN
        one = state or written.get(id) or _gone(dispatch, row, ended)
        found.append(replace(one, task_id=id, queued_at=one.queued_at or row.timestamp))
    return [state for state in found if wanted.takes(state)]


def _gone(dispatch: Dispatch, row: EventRow, status: str) -> TaskState:
    task = dispatch.task
    return TaskState(dispatch.id, task.name, task.queue.name, task.queue.priority, status, 0, row.timestamp, None, None)


@dataclass(frozen=True, slots=True)
class Detail:
    """One task with everything that is known about it."""

    state: TaskState
    asked_for: bool  # by a person, who may cancel it
    arguments: dict[str, Any] | None
    correlation_id: str | None
    event_id: str | None
    letter: DeadLetter | None
    told: list[EventRow]


async def detail(session: ReadSession, task_id: str, correlation_id: str | None) -> Detail | None:
    """Return what is known about a task, with the help of the request it belongs to; None where that is nothing."""
    id = _uuid(task_id)
    row = await session.get(AcceptedTask, id) if id else None
    [state] = await task_states([task_id])
    message = await message_of(task_id)
    [letter, *_] = [*await session.scalars(select(DeadLetter).where(DeadLetter.task_id == task_id)), None]
    options = message["options"] if message else letter.options if letter else {}
    correlation_id = options.get("correlation_id") or (row and row.correlation_id) or correlation_id
    events = await causes.events_of(session, correlation_id) if correlation_id else []
    origin = next(((event, one) for event, one in causes.dispatches(events) if one.id == task_id), None)
    state = state or (row and ledger.state_of(row)) or (origin and _gone(origin[1], origin[0], FORGOTTEN))
    if letter is not None and (state is None or state.status == FORGOTTEN):
        state = _buried(letter)
    if state is None:
        return None
    return Detail(
        replace(state, task_id=task_id),
        row is not None,
        _arguments(message, letter, origin and origin[1]),
        correlation_id,
        options.get("event_id") or (str(origin[0].id) if origin else None),
        letter,
        [event for event in events if event.data.get("task_id") == task_id],
    )


def _arguments(
    message: dict[str, Any] | None, letter: DeadLetter | None, dispatch: Dispatch | None
) -> dict[str, Any] | None:
    if message is not None:
        return message["kwargs"] | ({"args": message["args"]} if message["args"] else {})
    if letter is not None:
        return letter.arguments | ({"args": letter.positional} if letter.positional else {})
    return dict(dispatch.arguments) if dispatch else None


def _buried(letter: DeadLetter) -> TaskState:
    return TaskState(
        letter.task_id, letter.name, letter.queue, 5, FAILED, letter.attempts, None, None, letter.failed_at,
        error=letter.exception,
    )  # fmt: skip


def _uuids(ids: Sequence[str]) -> list[UUID]:
    return [id for one in ids if (id := _uuid(one)) is not None]


def _uuid(written: str) -> UUID | None:
    try:
        return UUID(written)
    except ValueError:
        return None
