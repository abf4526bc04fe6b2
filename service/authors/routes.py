"""HTTP for authors."""

from typing import Annotated
from uuid import UUID

from pydantic import Field, StringConstraints, model_validator
from starlette.requests import Request
from starlette.responses import Response

from service.authors import actions
from service.authors.actions import Profile
from service.database import reading, transaction
from service.web import Listed, Paged, Shape, account, page, parse, path_id, query, respond, route


class Browse(Paged):
    """A part of the name."""

    q: str | None = Field(None, max_length=1000)


class Merge(Shape):
    """Into which author."""

    into: UUID


class Split(Shape):
    """What goes to the new author: some resources, or all that have one variant of the name."""

    resource_ids: list[UUID] | None = Field(None, min_length=1, max_length=1000)
    variant: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=1000)] | None = None

    @model_validator(mode="after")
    def _one_of(self) -> "Split":
        if (self.resource_ids is None) == (self.variant is None):
            raise ValueError("give either `resource_ids` or `variant`")
        return self


async def list_authors(request: Request) -> Response:
    """List authors of what you may see, with how much of it is theirs."""
    asked = query(request, Browse)
    async with reading() as session:
        total, items = await actions.browse(session, account(request), asked.q, asked.limit, asked.offset)
    return page(items, total, asked)


async def read_author(request: Request) -> Response:
    """Return an author: resources, variants of the name, co-authors, and who may be the same."""
    async with reading() as session:
        return respond(await actions.read(session, account(request), path_id(request, what="author")))


async def merge_authors(request: Request) -> Response:
    """Say that an author is the same as another one, which stays."""
    asked, author_id = await parse(request, Merge), path_id(request, what="author")
    async with transaction() as session:
        return respond(await actions.merge(session, account(request), author_id, asked.into))


async def split_author(request: Request) -> Response:
    """Say that an author is two; the new one gets what is named here."""
    asked, author_id = await parse(request, Split), path_id(request, what="author")
    async with transaction() as session:
        made = await actions.split(session, account(request), author_id, asked.resource_ids or (), asked.variant)
    return respond(made, 201, {"Location": f"/authors/{made.id}"})


routes = [
    route("GET", "/authors", list_authors, scope="read", queries=Browse, gives=Listed[actions.Listed]),
    route("GET", "/authors/{id}", read_author, scope="read", gives=Profile),
    route("POST", "/authors/{id}/merge", merge_authors, scope="write", takes=Merge, gives=Profile),
    route("POST", "/authors/{id}/split", split_author, scope="write", takes=Split, gives=Profile, status=201),
]
