"""HTTP for collections."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AfterValidator, BaseModel, Field
from starlette.requests import Request
from starlette.responses import Response

from service.collections import actions, nearness, published
from service.database import reading, transaction
from service.errors import Invalid
from service.resources import actions as resources
from service.resources.shapes import Browse, ResourceItem, without_text
from service.search.shapes import Neighbour
from service.security.permissions import PUBLIC
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

Visibility = Literal["private", "shared", "public"]


def _one_line(text: str) -> str:
    clean = " ".join(text.split())
    if not clean or not clean.isprintable():
        raise ValueError("is empty or has control characters in it")
    return clean


Name = Annotated[str, Field(max_length=200), AfterValidator(_one_line)]


class CollectionChange(Shape):
    """Any subset of a collection's fields; `parent_id` null puts it on top."""

    name: Name | None = None
    description: str | None = Field(None, max_length=20_000)
    visibility: Visibility | None = None
    parent_id: UUID | None = None

    def fields(self) -> dict[str, Any]:
        """Return what was said."""
        said = self.model_dump(exclude_unset=True)
        for name in ("name", "visibility"):
            if name in said and said[name] is None:
                raise Invalid(f"`{name}` cannot be null.", errors=[{"loc": [name], "msg": "cannot be null"}])
        return said


class NewCollection(CollectionChange):
    """A collection; it is private unless said otherwise."""

    name: Name = Field(...)  # pyright: ignore[reportIncompatibleVariableOverride]


class CollectionView(BaseModel):
    """A collection as you see it: `resource_count` counts what you may see, `parent_id` is shown if you may see it."""

    id: UUID
    name: str
    description: str | None
    visibility: Visibility
    parent_id: UUID | None
    own: bool
    resource_count: int
    version: int
    created_at: datetime
    updated_at: datetime


class BrowseCollections(Paged):
    """Which collections."""

    q: str | None = Field(None, max_length=200)
    own: bool | None = None
    parent_id: UUID | None = None
    resource_id: UUID | None = Field(None, description="Those that hold this resource.")


class Members(Paged):
    """In which order."""

    sort: Annotated[str, Browse.model_fields["sort"]] = "-created_at"


class Addition(Shape):
    """Resources to be put into a collection."""

    resource_ids: list[UUID] = Field(min_length=1, max_length=1000)


class Added(BaseModel):
    """Which of them were not in it, and how many are now, as far as you may see."""

    added: list[UUID]
    resource_count: int


class Near(Shape):
    """How many."""

    limit: int = Field(10, ge=1, le=50)


class SimilarCollection(CollectionView):
    """A collection that is near in meaning; `score` is a cosine."""

    score: float


class SimilarCollections(BaseModel):
    """The nearest first; none while the collection has no meaning yet."""

    items: list[SimilarCollection]


class Recommendation(Neighbour):
    """A resource that would fit into the collection."""

    why: str


class Recommendations(BaseModel):
    """The nearest first; none while the collection has no meaning yet."""

    items: list[Recommendation]


def _id(request: Request) -> UUID:
    return path_id(request, what="collection")


async def list_collections(request: Request) -> Response:
    """List your collections and those that others share."""
    asked = query(request, BrowseCollections)
    async with reading() as session:
        total, rows = await actions.browse(session, account(request), **asked.model_dump())
    return page(rows, total, asked)


async def create_collection(request: Request) -> Response:
    """Make a collection."""
    given = await parse(request, NewCollection)
    async with transaction() as session:
        made = await actions.create(session, account(request), given.fields())
    return respond(made, 201, {"Location": f"/collections/{made['id']}"} | etag(made["version"]))


async def read_collection(request: Request) -> Response:
    """Read one collection."""
    async with reading() as session:
        found = await actions.read(session, account(request), _id(request))
    return respond(found, headers=etag(found["version"]))


async def update_collection(request: Request) -> Response:
    """Change any subset of the fields; an unchanged PUT makes no event."""
    change = await parse(request, CollectionChange)
    async with transaction() as session:
        changed = await actions.change(session, account(request), _id(request), change.fields(), if_match(request))
    return respond(changed, headers=etag(changed["version"]))


async def delete_collection(request: Request) -> Response:
    """Delete a collection, not what is in it; the collections in it move up."""
    async with transaction() as session:
        await actions.remove(session, account(request), _id(request), if_match(request))
    return no_content()


async def list_members(request: Request) -> Response:
    """List the resources of a collection that you may see."""
    asked, who = query(request, Members), account(request)
    async with reading() as session:
        await actions.read(session, who, _id(request))
        total, rows = await resources.browse(session, who, collection=_id(request), **asked.model_dump())
    return page([without_text(row) for row in rows], total, asked)


async def add_members(request: Request) -> Response:
    """Put up to a thousand resources into a collection; where one is unknown, none is put."""
    asked = await parse(request, Addition)
    async with transaction() as session:
        added = await actions.add(session, account(request), _id(request), asked.resource_ids)
        present = await actions.read(session, account(request), _id(request))
    return respond(Added(added=added, resource_count=present["resource_count"]))


async def remove_member(request: Request) -> Response:
    """Take a resource out of a collection."""
    async with transaction() as session:
        resource_id = path_id(request, "rid", "resource")
        await actions.take_out(session, account(request), _id(request), resource_id)
    return no_content()


async def similar_collections(request: Request) -> Response:
    """Return the collections that are nearest to one in meaning."""
    asked, who = query(request, Near), account(request)
    async with reading() as session:
        await actions.read(session, who, _id(request))
        return respond({"items": await nearness.similar(session, who, _id(request), asked.limit)})


async def recommend_members(request: Request) -> Response:
    """Return resources that would fit into a collection and are not in it."""
    asked, who = query(request, Near), account(request)
    async with reading() as session:
        await actions.read(session, who, _id(request))
        return respond({"items": await nearness.recommended(session, who, _id(request), asked.limit)})


async def read_public_collection(request: Request) -> Response:
    """Read a public collection without an account."""
    asked = query(request, Paged)
    async with reading() as session:
        return respond(await published.read(session, _id(request), asked))


COLLECTION = "/collections/{id}"

routes = [
    route(
        "GET", "/collections", list_collections, scope="read",
        queries=BrowseCollections, gives=Listed[CollectionView],
    ),
    route(
        "POST", "/collections", create_collection, scope="write",
        takes=NewCollection, gives=CollectionView, status=201,
    ),
    route("GET", COLLECTION, read_collection, scope="read", gives=CollectionView),
    route("PUT", COLLECTION, update_collection, scope="write", takes=CollectionChange, gives=CollectionView),
    route("DELETE", COLLECTION, delete_collection, scope="write", status=204, also=(412,)),
    route("GET", f"{COLLECTION}/resources", list_members, scope="read", queries=Members, gives=Listed[ResourceItem]),
    route("POST", f"{COLLECTION}/resources", add_members, scope="write", takes=Addition, gives=Added),
    route("DELETE", f"{COLLECTION}/resources/{{rid}}", remove_member, scope="write", status=204),
    route("GET", f"{COLLECTION}/similar", similar_collections, scope="read", queries=Near, gives=SimilarCollections),
    route(
        "GET", f"{COLLECTION}/recommendations", recommend_members, scope="read", queries=Near, gives=Recommendations
    ),
    route(
        "GET", "/public/collections/{id}", read_public_collection, scope=PUBLIC,
        queries=Paged, gives=published.PublicCollection,
    ),
]  # fmt: skip
