"""HTTP for dead letters. They hold what tasks were given, so that only operators read them, and only admins act."""

from contextlib import suppress
from dataclasses import replace
from typing import Any, Self
from uuid import UUID

from pydantic import BaseModel, Field, model_validator
from sqlalchemy import func, select
from starlette.requests import Request
from starlette.responses import Response

from service import queue
from service.database import Session, reading, transaction
from service.errors import NotFound
from service.events import current_origin, origin
from service.queue import dead_letters
from service.queue.dead_letters import Which
from service.queue.link import BrokerAway
from service.queue.reasons import Reason
from service.queue.tables import DeadLetter
from service.security import audit
from service.security.sessions import Visitor
from service.tasks import REQUEUE
from service.web import (
    Listed,
    Moment,
    Paged,
    Shape,
    TaskStarted,
    account,
    no_content,
    page,
    parse,
    path_id,
    query,
    respond,
    route,
)

EXAMPLES = 10  # refused letters that an answer names


class Browse(Paged):
    """Which letters a list holds."""

    name: str | None = None
    queue: str | None = None
    reason: Reason | None = None
    since: Moment | None = None
    q: str | None = Field(None, min_length=1, max_length=1000)


class Chosen(Shape):
    """Which letters are to be retried or discarded: those that meet every condition; at least one must be given."""

    ids: list[UUID] | None = Field(None, min_length=1, max_length=10_000)
    name: str | None = None
    queue: str | None = None
    reason: Reason | None = None
    since: Moment | None = None
    q: str | None = Field(None, min_length=1, max_length=1000)
    all: bool = False

    @model_validator(mode="after")
    def _says_which(self) -> Self:
        if self == Chosen.model_construct():
            raise ValueError('say which: by `ids`, `name`, `queue`, `reason`, `since` or `q`, or {"all": true}')
        return self

    def which(self) -> Which:
        """Return the choice as the queue understands it."""
        return Which(**self.model_dump(exclude={"all"}))


class Letter(BaseModel):
    """A task that failed for good; positional arguments stand under `args`."""

    id: UUID
    task_id: str
    name: str
    queue: str
    arguments: dict[str, Any]
    exception: str
    traceback: str | None
    attempts: int
    reason: Reason
    failed_at: Moment


class Refused(BaseModel):
    """A letter that could not be retried, and why."""

    id: UUID
    detail: str


class Retried(BaseModel):
    """How many are tried again; `examples` are the first of those that were refused."""

    retried: int
    refused: int
    examples: list[Refused]


class Discarded(BaseModel):
    """How many were given up."""

    discarded: int


def shown(letter: DeadLetter) -> dict[str, Any]:
    """Return a letter as it is answered."""
    row = {name: getattr(letter, name) for name in Letter.model_fields}
    return row | {"arguments": letter.arguments | {"args": letter.positional}} if letter.positional else row


async def list_letters(request: Request) -> Response:
    """The dead letters, newest first."""
    asked = query(request, Browse)
    which = Which(**asked.model_dump(exclude={"limit", "offset"}))
    async with reading() as session:
        total, letters = await dead_letters.browse(session, which, limit=asked.limit, offset=asked.offset)
    return page([shown(letter) for letter in letters], total, asked)


async def read_letter(request: Request) -> Response:
    """One dead letter."""
    async with reading() as session:
        letter = await dead_letters.read(session, path_id(request, what="dead letter"))
    return respond(shown(letter))


async def retry_letter(request: Request) -> Response:
    """Send the task of a dead letter again, in the place of the letter."""
    letter_id, known = path_id(request, what="dead letter"), await _known()
    async with transaction() as session:
        which = Which(ids=[letter_id])
        retried = await dead_letters.retry(session, which, REQUEUE, known, account(request).id)
        if retried.refused:
            raise retried.refused[0][1]
        if not retried.tasks:
            raise NotFound(what="dead letter", id=letter_id)
        await _note(session, request, "letters_retried", 1, {"ids": [str(letter_id)]})
    return respond({"task_id": retried.tasks[0]}, 202)


async def retry_letters(request: Request) -> Response:
    """Send the tasks of all chosen letters again, as bulk work; those that fail again meanwhile are left."""
    chosen, known = await parse(request, Chosen), await _known()
    which = chosen.which()
    async with reading() as session:
        which = replace(which, until=await session.scalar(select(func.now())))
    count, refused, last = 0, list[tuple[UUID, Exception]](), None
    with origin(current_origin().correlation_id, bulk=True):
        while True:
            async with transaction() as session:
                retried = await dead_letters.retry(session, which, REQUEUE, known, account(request).id, last)
                if retried.tasks:
                    await _note(session, request, "letters_retried", len(retried.tasks), _said(chosen))
            if (last := retried.last) is None:
                break
            count += len(retried.tasks)
            refused += retried.refused
    examples = [{"id": id, "detail": str(error)} for id, error in refused[:EXAMPLES]]
    return respond({"retried": count, "refused": len(refused), "examples": examples}, 202)


async def discard_letter(request: Request) -> Response:
    """Give a task up for good."""
    letter_id = path_id(request, what="dead letter")
    async with transaction() as session:
        if not await dead_letters.discard(session, Which(ids=[letter_id])):
            raise NotFound(what="dead letter", id=letter_id)
        await _note(session, request, "letters_discarded", 1, {"ids": [str(letter_id)]})
    return no_content()


async def discard_letters(request: Request) -> Response:
    """Give the tasks of all chosen letters up for good."""
    chosen = await parse(request, Chosen)
    async with transaction() as session:
        count = await dead_letters.discard(session, chosen.which())
        if count:
            await _note(session, request, "letters_discarded", count, _said(chosen))
    return respond({"discarded": count})


def _said(chosen: Chosen) -> dict[str, Any]:
    """Return a choice as the audit log keeps it: not all of a long list."""
    said = chosen.model_dump(mode="json", exclude_defaults=True)
    return said | {"ids": said["ids"][:EXAMPLES]} if "ids" in said else said


async def _note(session: Session, request: Request, action: audit.Action, count: int, chosen: dict[str, Any]) -> None:
    detail = {"letters": count, **chosen}
    await audit.record(session, action, account(request).id, None, Visitor.of(request).address, **detail)


async def _known() -> set[str]:
    with suppress(BrokerAway):  # then the letters wait in the outbox, where they are as safe as here
        return {name for worker in await queue.worker_status() for name in worker.tasks}
    return set()


routes = [
    route("GET", "/dlq", list_letters, scope="metrics", queries=Browse, gives=Listed[Letter]),
    route("GET", "/dlq/{id}", read_letter, scope="metrics", gives=Letter),
    route("POST", "/dlq/retry", retry_letters, scope="admin", takes=Chosen, gives=Retried, status=202),
    route("POST", "/dlq/discard", discard_letters, scope="admin", takes=Chosen, gives=Discarded),
    route("POST", "/dlq/{id}/retry", retry_letter, scope="admin", gives=TaskStarted, status=202),
    route("DELETE", "/dlq/{id}", discard_letter, scope="admin", status=204),
]
