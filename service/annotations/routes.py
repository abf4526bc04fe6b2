"""HTTP for annotations."""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, Field, model_validator
from starlette.requests import Request
from starlette.responses import Response

from service.annotations import actions, export
from service.annotations.anchoring import LONGEST
from service.database import reading, transaction
from service.errors import Invalid
from service.resources.shapes import Tags
from service.resources.tables import Resource
from service.web import (
    Listed,
    Paged,
    Shape,
    account,
    etag,
    if_match,
    no_content,
    page,
    parse,
    path_id,
    query,
    respond,
    route,
)

Colour = Literal["yellow", "green", "blue", "pink", "purple", "orange"]
FARTHEST = 1_000_000_000


class AnnotationChange(Shape):
    """Any subset of the fields; `start` and `end` together mark another passage. Offsets count code points."""

    start: int | None = Field(None, ge=0, le=FARTHEST)
    end: int | None = Field(None, ge=1, le=FARTHEST)
    quote: str | None = Field(None, description="What stands there; checked, so that nothing else is marked.")
    note: str | None = Field(None, max_length=20_000)
    tags: Tags | None = None
    colour: Colour | None = None

    @model_validator(mode="after")
    def _a_passage(self) -> "AnnotationChange":
        if self.start is None and self.end is None:
            if self.quote is not None:
                raise ValueError("a quote needs its `start` and its `end`")
        elif self.start is None or self.end is None:
            raise ValueError("`start` and `end` belong together")
        elif self.end <= self.start:
            raise ValueError("`end` must come after `start`")
        elif self.end - self.start > LONGEST:
            raise ValueError(f"a passage has at most {LONGEST} characters")
        return self

    def fields(self) -> dict[str, Any]:
        """Return what was said; a note that was set to null is emptied."""
        said = self.model_dump(exclude_unset=True)
        empty = {"note": "", "tags": list[str](), "colour": "yellow"}
        if said.get("start", 0) is None or said.get("quote", "") is None:
            raise Invalid("A passage cannot be null: leave `start`, `end` and `quote` out, or give them.")
        return {name: empty.get(name) if value is None else value for name, value in said.items()}


class NewAnnotation(AnnotationChange):
    """A passage to be marked."""

    start: int = Field(..., ge=0, le=FARTHEST)  # pyright: ignore[reportIncompatibleVariableOverride]
    end: int = Field(..., ge=1, le=FARTHEST)  # pyright: ignore[reportIncompatibleVariableOverride]


class AnnotationView(BaseModel):
    """A marked passage. An orphaned one is not in the present text, and comes back when its text does."""

    id: UUID
    resource_id: UUID
    start: int | None
    end: int | None
    quote: str
    prefix: str
    suffix: str
    orphaned: bool
    similarity: float = Field(description="Of the present passage to the quote: 1 is the same, 0 orphaned.")
    stale: bool = Field(description="The text has changed; the passage is looked for in a moment.")
    note: str
    tags: list[str]
    colour: Colour
    version: int = Field(description="Of what you wrote; it stays when the passage is found again in another text.")
    created_at: datetime
    updated_at: datetime


class BrowseAnnotations(Paged):
    """Which of your annotations."""

    resource_id: UUID | None = None
    tag: str | None = Field(None, max_length=200)
    q: str | None = Field(None, max_length=1000, description="Stands in the quote or in the note.")
    orphaned: bool | None = None


class Export(Shape):
    """In which form, and of which resource; of all unless said."""

    format: Literal["markdown", "json"] = "markdown"
    resource_id: UUID | None = None


def _id(request: Request) -> UUID:
    return path_id(request, what="annotation")


async def list_annotations(request: Request) -> Response:
    """List your annotations, the latest change first; those of one resource in reading order."""
    asked = query(request, BrowseAnnotations)
    async with reading() as session:
        total, rows = await actions.browse(session, account(request), **asked.model_dump())
    return page(rows, total, asked)


async def list_annotations_of(request: Request) -> Response:
    """List your annotations of a resource in reading order."""
    asked, resource_id = query(request, Paged), path_id(request, what="resource")
    async with reading() as session:
        await actions.check(session, account(request), resource_id)
        total, rows = await actions.browse(
            session, account(request), resource_id=resource_id, limit=asked.limit, offset=asked.offset
        )
    return page(rows, total, asked)


async def create_annotation(request: Request) -> Response:
    """Mark a passage of a resource."""
    given = await parse(request, NewAnnotation)
    async with transaction() as session:
        made = await actions.create(session, account(request), path_id(request, what="resource"), given.fields())
    return respond(made, 201, {"Location": f"/annotations/{made['id']}"} | etag(made["version"]))


async def read_annotation(request: Request) -> Response:
    """Read one of your annotations."""
    async with reading() as session:
        found = await actions.read(session, account(request), _id(request))
    return respond(found, headers=etag(found["version"]))


async def update_annotation(request: Request) -> Response:
    """Change note, tags or colour, or mark another passage; an unchanged PUT makes no event."""
    change = await parse(request, AnnotationChange)
    async with transaction() as session:
        changed = await actions.change(session, account(request), _id(request), change.fields(), if_match(request))
    return respond(changed, headers=etag(changed["version"]))


async def delete_annotation(request: Request) -> Response:
    """Delete an annotation."""
    async with transaction() as session:
        await actions.remove(session, account(request), _id(request), if_match(request))
    return no_content()


async def export_annotations(request: Request) -> Response:
    """Export your annotations as Markdown or JSON, resource by resource."""
    asked, who = query(request, Export), account(request)
    resource: Resource | None = None
    if asked.resource_id is not None:
        async with reading() as session:
            resource = await actions.check(session, who, asked.resource_id)
    return export.answer(who, asked.format, resource)


OF_RESOURCE, ONE = "/resources/{id}/annotations", "/annotations/{id}"

routes = [
    route(
        "GET", "/annotations", list_annotations, scope="read",
        queries=BrowseAnnotations, gives=Listed[AnnotationView],
    ),
    route("GET", "/annotations/export", export_annotations, scope="read", queries=Export),
    route("GET", OF_RESOURCE, list_annotations_of, scope="read", queries=Paged, gives=Listed[AnnotationView]),
    route(
        "POST", OF_RESOURCE, create_annotation, scope="write", takes=NewAnnotation, gives=AnnotationView, status=201
    ),
    route("GET", ONE, read_annotation, scope="read", gives=AnnotationView),
    route("PUT", ONE, update_annotation, scope="write", takes=AnnotationChange, gives=AnnotationView),
    route("DELETE", ONE, delete_annotation, scope="write", status=204, also=(412,)),
]  # fmt: skip
