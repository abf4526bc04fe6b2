"""HTTP for the way in."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID, uuid4

from pydantic import BaseModel, Field, StringConstraints, model_validator
from starlette.requests import Request
from starlette.responses import Response

from service import storage
from service.collections import actions as collections
from service.database import Session, reading, transaction
from service.errors import Conflict, PharosError
from service.event_log import history
from service.ingestion import actions
from service.ingestion.status import Progress, status_of
from service.queue.ledger import accept
from service.resources import actions as resources
from service.resources.shapes import Line, NewResource, ResourceView, view
from service.search.actions import STEP_TASKS, forget
from service.security.accounts import Account
from service.security.destinations import check_url, in_ascii
from service.tasks import INGEST
from service.web import Shape, TaskStarted, account, parse, path_id, respond, route

Url = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=4096)]


class IngestRequest(Shape):
    """One page, or up to a thousand."""

    url: Url | None = None
    urls: list[Url] | None = Field(None, min_length=1, max_length=1000)
    title: Line | None = None
    private: bool = False
    force: bool = False
    collection_id: UUID | None = None

    @model_validator(mode="after")
    def _one_of(self) -> "IngestRequest":
        if (self.url is None) == (self.urls is None):
            raise ValueError("give either `url` or `urls`")
        return self


class PageAdded(BaseModel):
    """The resource that a page becomes; a `duplicate` was there already."""

    id: UUID
    task_id: UUID | None
    status: str
    duplicate: bool


class PageOf(BaseModel):
    """What became of one address of many."""

    url: str
    id: UUID | None
    duplicate: bool
    error: str | None = None


class PagesAdded(BaseModel):
    """A batch of pages, in the order in which they were given."""

    batch_id: UUID
    task_id: UUID
    items: list[PageOf]


class Happened(BaseModel):
    """An event of a resource."""

    id: UUID
    name: str
    data: dict[str, Any]
    timestamp: datetime
    correlation_id: str


class Timeline(BaseModel):
    """What happened, oldest first."""

    total: int
    items: list[Happened]


class ReprocessRequest(Shape):
    """The step to begin with."""

    from_: Literal["fetched", "extracted", "stored", "indexed", "embedded"] = Field("fetched", alias="from")


async def ingest(request: Request) -> Response:
    """Add web pages by address; the answer comes at once, the work follows."""
    asked = await parse(request, IngestRequest)
    if asked.urls is not None:
        return await _ingest_many(account(request), asked)
    assert asked.url is not None
    url = in_ascii(check_url(asked.url), asked.url)
    async with transaction() as session:
        requested = await actions.request_page(
            session, account(request), url, title=asked.title, private=asked.private, force=asked.force
        )
        await _collect(session, account(request), asked.collection_id, requested.id)
    return respond(
        requested,
        200 if requested.status == "completed" else 202,
        {"Location": f"/resources/{requested.id}"},
    )


async def _ingest_many(owner: Account, asked: IngestRequest) -> Response:
    batch_id = uuid4()
    if asked.collection_id is not None:
        async with reading() as session:
            await collections.own(session, owner, asked.collection_id)
    items: list[dict[str, Any]] = []
    for url in asked.urls or ():  # a transaction each: one bad address or a crash half way costs no other
        try:
            shown = in_ascii(check_url(url), url)
            async with transaction() as session:
                requested = await actions.request_page(
                    session, owner, shown, private=asked.private, force=asked.force, batch_id=batch_id
                )
                await _collect(session, owner, asked.collection_id, requested.id)
            items.append({"url": url, "id": requested.id, "duplicate": requested.duplicate})
        except PharosError as error:
            items.append({"url": url, "id": None, "duplicate": False, "error": error.detail})
    return respond({"batch_id": batch_id, "task_id": batch_id, "items": items}, 202)


async def _collect(session: Session, owner: Account, collection_id: UUID | None, resource_id: UUID) -> None:
    if collection_id is not None:
        await collections.add(session, owner, collection_id, [resource_id])


async def create_resource(request: Request) -> Response:
    """Add a resource by its content, or a page as the browser captured it."""
    given = await parse(request, NewResource)
    fields = given.fields()
    html = fields.pop("html", None)
    collection_id = fields.pop("collection_id", None)
    if html is None:
        fields.setdefault("type", "note")
        async with transaction() as session:
            resource = await resources.create(session, account(request), fields, "content")
            await _collect(session, account(request), collection_id, resource.id)
        return view(resource, 201, {"Location": f"/resources/{resource.id}"})
    key = await storage.put(html.encode())
    async with transaction() as session:
        way = {"source": "content", "original": key, "declared_type": "text/html", "given_title": given.title}
        entered, _ = await actions.enter(
            session, account(request), {"type": "webpage", **fields}, way | {"url": given.url}, None
        )
        await actions.restart(session, entered, "extracted", None)
        await _collect(session, account(request), collection_id, entered.resource_id)
        resource = await resources.read(session, account(request), entered.resource_id)
    return view(resource, 201, {"Location": f"/resources/{resource.id}"})


async def read_status(request: Request) -> Response:
    """How far a resource is, step by step, and what it waits for."""
    async with reading() as session:
        resource, entered = await actions.ingestion_of(session, account(request), path_id(request, what="resource"))
        return respond(await status_of(session, resource, entered))


async def read_timeline(request: Request) -> Response:
    """What happened to a resource, oldest first."""
    async with reading() as session:
        resource = await resources.read(session, account(request), path_id(request, what="resource"))
        events = await history(session, account(request).id, limit=1000, subject=resource.id)
    items = [
        {"id": e.id, "name": e.name, "data": e.data, "timestamp": e.timestamp, "correlation_id": e.correlation_id}
        for e in events
    ]
    return respond({"total": len(items), "items": items})


async def reprocess(request: Request) -> Response:
    """Read a resource again from a step on."""
    step = (await parse(request, ReprocessRequest)).from_
    who = account(request)
    async with transaction() as session:
        resource, entered = await actions.ingestion_of(session, who, path_id(request, what="resource"))
        if step in ("indexed", "embedded"):
            task = await forget(session, resource, step)
            await accept(session, who.id, STEP_TASKS[step], task)
        elif entered is None:
            raise Conflict("This resource was given by its content: there is nothing to fetch or to extract again.")
        else:
            begin = "fetched" if step == "fetched" and entered.source == "url" else "extracted"
            if begin == "extracted" and entered.original is None:
                raise Conflict("Nothing was fetched yet: reprocess it from `fetched`.")
            task = await actions.restart(session, entered, begin, who.id)
            await accept(session, who.id, INGEST, task)
    return respond({"task_id": task}, 202)


routes = [
    route("POST", "/ingest", ingest, scope="write", takes=IngestRequest, gives=PageAdded | PagesAdded, status=202),
    route("POST", "/resources", create_resource, scope="write", takes=NewResource, gives=ResourceView, status=201),
    route("GET", "/resources/{id}/status", read_status, scope="read", gives=Progress),
    route("GET", "/resources/{id}/timeline", read_timeline, scope="read", gives=Timeline),
    route(
        "POST", "/resources/{id}/reprocess", reprocess, scope="write",
        takes=ReprocessRequest, gives=TaskStarted, status=202,
    ),
]  # fmt: skip
