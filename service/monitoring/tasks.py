"""HTTP for tasks: a person sees and cancels those that they asked for, an admin all; an operator sees all."""

from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel
from sqlalchemy import select
from starlette.requests import Request
from starlette.responses import Response

from service.database import ReadSession, reading, transaction
from service.errors import Conflict, NotFound
from service.queue import ledger
from service.queue.browse import seen
from service.queue.link import BrokerAway
from service.queue.state import FAILED, TaskState, task_state, task_states
from service.queue.tables import AcceptedTask, DeadLetter
from service.security import audit
from service.security.accounts import Account
from service.security.sessions import Visitor
from service.settings import settings
from service.web import Listed, Paged, account, page, path_id, query, respond, route

Status = Literal["scheduled", "queued", "running", "retrying", "succeeded", "failed", "cancelled"]
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class NobodysTask(Conflict):
    """Only tasks that a person asked for can be cancelled; this one keeps the library true."""


class TasksQuery(Paged):
    """Which tasks."""

    status: Status | None = None
    name: str | None = None


class TaskView(BaseModel):
    """How far a task is; `progress` of those that tell it, a `traceback` for operators alone."""

    task_id: UUID | str
    name: str | None
    queue: str
    priority: int
    status: Status
    attempts: int
    queued_at: datetime | None
    started_at: datetime | None
    date_done: datetime | None
    progress: dict[str, Any] | None = None
    result: Any = None
    error: str | None = None
    traceback: str | None = None


async def list_tasks(request: Request) -> Response:
    """The last tasks, newest first: of any look, the thousand that are at hand."""
    asked, who = query(request, TasksQuery), account(request)
    async with reading() as session:
        rows = await ledger.recent(session, None if _operates(who) else who.id, asked.name)
    known = {str(row.id): row for row in rows}
    ids = list(known) + ([id for id in await seen(asked.status) if id not in known] if _operates(who) else [])
    states: list[TaskState] = []
    for id, found in zip(ids, await task_states(ids), strict=True):
        state = found or (ledger.state_of(known[id]) if id in known else None)
        if state and asked.status in (None, state.status) and asked.name in (None, state.name):
            states.append(state)
    states.sort(key=lambda state: state.queued_at or EPOCH, reverse=True)
    return page([_shown(state) for state in states[asked.offset :][: asked.limit]], len(states), asked)


async def read_task(request: Request) -> Response:
    """How far one task is."""
    task_id, who = path_id(request, what="task"), account(request)
    async with reading() as session:
        row = await session.get(AcceptedTask, task_id)
        if not (_operates(who) or (row and row.owner_id == who.id)):
            raise NotFound(what="task", id=task_id)
        try:
            state = await task_state(task_id) or (row and ledger.state_of(row))
        except BrokerAway:
            if row is None or (row.status is None and settings().tasks == "queue"):
                raise  # how far it is stands nowhere else
            state = ledger.state_of(row)
        if state is None:
            raise NotFound(what="task", id=task_id)
        shown = _shown(state)
        if state.status == FAILED and _operates(who):
            shown["traceback"] = await _traceback(session, task_id)
    return respond(shown)


async def cancel_task(request: Request) -> Response:
    """Cancel a task that a person asked for; 202 while it still runs, and is about to end."""
    task_id, who = path_id(request, what="task"), account(request)
    async with transaction() as session:
        row = await session.get(AcceptedTask, task_id, with_for_update=True)
        if row is None and _operates(who) and await task_state(task_id):
            raise NobodysTask
        if row is None or (row.owner_id != who.id and who.role != "admin"):
            raise NotFound(what="task", id=task_id)
        if row.status is not None:
            raise ledger.AlreadyEnded(status=row.status)
        over = await ledger.cancel(session, row)
        if row.owner_id != who.id:
            address = Visitor.of(request).address
            await audit.record(session, "task_cancelled", who.id, task_id, address, task=row.name)
    state = await task_state(task_id)
    return respond(_shown(state or ledger.state_of(row)), 200 if over else 202)


def _operates(who: Account) -> bool:
    return who.role in ("admin", "operator")


def _shown(state: TaskState) -> dict[str, Any]:
    optional = ("progress", "result", "error")
    return {name: value for name, value in asdict(state).items() if value is not None or name not in optional}


async def _traceback(session: ReadSession, task_id: UUID) -> str | None:
    return await session.scalar(select(DeadLetter.traceback).where(DeadLetter.task_id == str(task_id)))


routes = [
    route("GET", "/tasks", list_tasks, scope="read", queries=TasksQuery, gives=Listed[TaskView]),
    route("GET", "/tasks/{id}", read_task, scope="read", gives=TaskView),
    route("POST", "/tasks/{id}/cancel", cancel_task, scope="write", gives=TaskView),
]
