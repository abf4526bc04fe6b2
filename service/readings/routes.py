"""HTTP for what one reads; all of it about the account that asks."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, BeforeValidator, Field, model_validator
from starlette.requests import Request
from starlette.responses import Response

from service.cursors import After
from service.database import reading, transaction
from service.readings import actions
from service.readings.progress import State
from service.readings.tables import Reading
from service.resources.reading_time import minutes
from service.web import Shape, account, no_content, parse, path_id, query, respond, route


def _listed(value: object) -> object:
    return [value] if isinstance(value, str) else value


class ReadingChange(Shape):
    """A state, a place in the text (0 its start, 1 its end), or both; a place alone begins or ends a reading."""

    state: State | None = None
    progress: float | None = Field(None, ge=0, le=1, allow_inf_nan=False)

    @model_validator(mode="after")
    def _something(self) -> "ReadingChange":
        if self.state is None and self.progress is None:
            raise ValueError("give `state`, `progress` or both")
        return self


class ReadLater(Shape):
    """Resources that are to be read later."""

    resource_ids: list[UUID] = Field(min_length=1, max_length=1000)


class BrowseReadings(Shape):
    """Which readings, and behind which of them the page begins."""

    state: Annotated[list[State], BeforeValidator(_listed)] = Field([], max_length=4)
    limit: int = Field(25, ge=1, le=100)
    after: After = None


class ReadingView(BaseModel):
    """How far you are with a resource; no state where you never opened it nor put it on your list."""

    resource_id: UUID
    state: State | None
    progress: float
    added_at: datetime | None
    updated_at: datetime | None
    finished_at: datetime | None


class ReadingItem(ReadingView):
    """The same in a list, with what the resource is."""

    title: str
    url: str | None
    site: str | None
    type: str
    language: str | None
    word_count: int
    reading_minutes: int


class Readings(BaseModel):
    """A page of the list, how many there are in all, and what `after` takes for the next page."""

    total: int
    items: list[ReadingItem]
    limit: int
    next: str | None


class Put(BaseModel):
    """How many resources are on the list now."""

    count: int


SHOWN = ("title", "url", "site", "type", "language", "word_count")


def view(row: Reading) -> dict[str, Any]:
    """Return a reading as whose it is sees it."""
    return {name: getattr(row, name) for name in ReadingView.model_fields}


async def list_readings(request: Request) -> Response:
    """List what you want to read, read and have read, what changed last first."""
    asked, who = query(request, BrowseReadings), account(request)
    async with reading() as session:
        rows, end = await actions.listed(session, who, asked.state, asked.limit, asked.after)
        counted = await actions.counts(session, who)
    items = [
        view(row)
        | {name: getattr(resource, name) for name in SHOWN}
        | {"reading_minutes": minutes(resource.word_count)}
        for row, resource in rows
    ]
    total = sum(number for state, number in counted.items() if not asked.state or state in asked.state)
    return respond({"total": total, "items": items, "limit": asked.limit, "next": None if end is None else str(end)})


async def read_later(request: Request) -> Response:
    """Put resources on your reading list; what you have begun stays as it is, what you may not see is left out."""
    asked = await parse(request, ReadLater)
    async with transaction() as session:
        count = await actions.put(session, account(request), asked.resource_ids)
    return respond({"count": count})


async def read_reading(request: Request) -> Response:
    """How far you are with a resource."""
    id = path_id(request, what="resource")
    async with reading() as session:
        row = await actions.read(session, account(request), id)
    nothing = {name: None for name in ReadingView.model_fields} | {"resource_id": id, "progress": 0.0}
    return respond(nothing if row is None else view(row))


async def keep_reading(request: Request) -> Response:
    """Say how far you are with a resource, or what you mean to do with it."""
    asked = await parse(request, ReadingChange)
    async with transaction() as session:
        row = await actions.keep(
            session, account(request), path_id(request, what="resource"), asked.state, asked.progress
        )
    return respond(view(row))


async def stop_reading(request: Request) -> Response:
    """Take a resource off your list, and forget how far you were."""
    async with transaction() as session:
        await actions.take_off(session, account(request), path_id(request, what="reading"))
    return no_content()


ONE = "/resources/{id}/reading"

# What a person reads is that person's own: who may only read may keep it, too.
routes = [
    route("GET", "/reading", list_readings, scope="read", queries=BrowseReadings, gives=Readings),
    route("POST", "/reading", read_later, scope="read", takes=ReadLater, gives=Put),
    route("GET", ONE, read_reading, scope="read", gives=ReadingView),
    route("PUT", ONE, keep_reading, scope="read", takes=ReadingChange, gives=ReadingView),
    route("DELETE", ONE, stop_reading, scope="read", status=204),
]
