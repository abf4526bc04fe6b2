"""HTTP for saved searches."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, StringConstraints
from starlette.requests import Request
from starlette.responses import Response

from service.database import reading, transaction
from service.search import saved
from service.search.query import parse as understand
from service.search.shapes import Asked, Results, Search, answer
from service.search.tables import SavedSearch
from service.web import Paged, Shape, account, no_content, parse, path_id, query, respond, route

Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]


class Saving(Shape):
    """A name, and the search as `POST /search` takes it, without the page."""

    name: Name
    search: Asked

    def fields(self) -> dict[str, Any]:
        """Return what is kept; raises what the search itself would."""
        understand(self.search.query)
        return self.search.model_dump(mode="json", exclude_defaults=True)


class SavedView(BaseModel):
    """A saved search."""

    id: UUID
    name: str
    search: dict[str, Any]
    created_at: datetime
    last_used_at: datetime | None


class SavedList(BaseModel):
    """All of them, by name."""

    items: list[SavedView]


def _view(one: SavedSearch) -> dict[str, Any]:
    return {key: getattr(one, key) for key in SavedView.model_fields}


async def list_saved(request: Request) -> Response:
    """List your saved searches."""
    async with reading() as session:
        return respond({"items": [_view(one) for one in await saved.listed(session, account(request))]})


async def save(request: Request) -> Response:
    """Save a search under a name of your own."""
    asked = await parse(request, Saving)
    async with transaction() as session:
        one = await saved.save(session, account(request), asked.name, asked.fields())
    return respond(_view(one), status=201, headers={"Location": f"/searches/saved/{one.id}"})


async def read_saved(request: Request) -> Response:
    """Read a saved search."""
    async with reading() as session:
        return respond(_view(await saved.read(session, account(request), path_id(request, what="saved search"))))


async def change_saved(request: Request) -> Response:
    """Replace a saved search."""
    asked, id = await parse(request, Saving), path_id(request, what="saved search")
    async with transaction() as session:
        return respond(_view(await saved.change(session, account(request), id, asked.name, asked.fields())))


async def delete_saved(request: Request) -> Response:
    """Delete a saved search."""
    async with transaction() as session:
        await saved.forget(session, account(request), path_id(request, what="saved search"))
    return no_content()


async def run_saved(request: Request) -> Response:
    """Run a saved search."""
    asked = query(request, Paged)
    async with transaction() as session:
        one = await saved.read(session, account(request), path_id(request, what="saved search"))
        await saved.used(session, one.id)
    return await answer(request, Search(**one.search, limit=asked.limit, offset=min(asked.offset, 10_000)))


PATH = "/searches/saved"

routes = [
    route("GET", PATH, list_saved, scope="read", gives=SavedList),
    route("POST", PATH, save, scope="write", takes=Saving, gives=SavedView, status=201),
    route("GET", PATH + "/{id}", read_saved, scope="read", gives=SavedView),
    route("PUT", PATH + "/{id}", change_saved, scope="write", takes=Saving, gives=SavedView),
    route("DELETE", PATH + "/{id}", delete_saved, scope="write", status=204),
    route("GET", PATH + "/{id}/results", run_saved, scope="read", queries=Paged, gives=Results),
]
