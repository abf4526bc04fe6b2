"""The pages of collections: all, one, and a public one for people without an account."""

from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response

from service.collections import actions, published
from service.database import reading
from service.resources import actions as resources
from service.ui import library
from service.ui.pages import render
from service.web import Paged, Shape, account, path_id, query

MOST = 200  # collections on one page
SHARINGS = ("private", "shared", "public")


class Turned(Shape):
    """Which part of a list."""

    page: int = Field(1, ge=1, le=40_000)

    def after(self, size: int = library.PAGE) -> int:
        """Return how many stand before it, in pages of `size`."""
        return (self.page - 1) * size


async def collections_page(request: Request) -> Response:
    """Your collections and those that others share."""
    who, asked = account(request), query(request, Turned)
    async with reading() as session:
        total, rows = await actions.browse(session, who, limit=MOST, offset=asked.after(MOST))
    return render(request, "collections.html", rows=rows, sharings=SHARINGS, page=asked.page,
                  more=total > asked.page * MOST)  # fmt: skip


async def collection_page(request: Request) -> Response:
    """One collection, and what is in it."""
    who, id, asked = account(request), path_id(request, what="collection"), query(request, Turned)
    async with reading() as session:
        collection = await actions.read(session, who, id)
        total, found = await resources.browse(session, who, collection=id, limit=library.PAGE, offset=asked.after())
        items = await library.some(session, who, [one.id for one in found])
    return render(request, "collection.html", collection=collection, items=items, sharings=SHARINGS, page=asked.page,
                  more=total > asked.page * library.PAGE)  # fmt: skip


async def public_collection_page(request: Request) -> Response:
    """A public collection, for people without an account."""
    asked = query(request, Turned)
    turned, id = Paged(limit=library.PAGE, offset=asked.after()), path_id(request, what="public collection")
    async with reading() as session:
        collection = await published.read(session, id, turned)
    return render(request, "public_collection.html", collection=collection, page=asked.page,
                  more=collection["total"] > asked.page * library.PAGE)  # fmt: skip
