"""HTTP for feeds of what is here, and for their secret addresses."""

from datetime import datetime
from hashlib import sha256
from uuid import UUID

from pydantic import BaseModel, model_validator
from starlette.requests import Request
from starlette.responses import Response

from service.database import reading, transaction
from service.feeds import atom, links
from service.feeds.atom import Published
from service.feeds.published import of_collection, of_search
from service.feeds.tables import FeedLink
from service.security.permissions import PUBLIC
from service.settings import settings
from service.web import Listed, Paged, Shape, account, no_content, page, parse, path_id, query, respond, route


class NewLink(Shape):
    """What the address is to show: a collection that you may see, or a saved search of yours."""

    collection_id: UUID | None = None
    saved_search_id: UUID | None = None

    @model_validator(mode="after")
    def _one_of(self) -> "NewLink":
        if (self.collection_id is None) == (self.saved_search_id is None):
            raise ValueError("give either `collection_id` or `saved_search_id`")
        return self


class LinkView(BaseModel):
    """A secret address, without the secret."""

    id: UUID
    collection_id: UUID | None
    saved_search_id: UUID | None
    created_at: datetime
    used_at: datetime | None


class MadeLink(LinkView):
    """A new address, which is shown this once."""

    url: str


def _base(request: Request) -> str:
    return (settings().public_url or str(request.base_url)).rstrip("/")


def _feed(request: Request, feed: Published) -> Response:
    """Answer with Atom, or 304 to who has it already; nobody between may keep it."""
    base = _base(request)
    body = atom.write(feed, base + request.url.path, base)
    headers = {"ETag": f'"{sha256(body).hexdigest()[:32]}"', "Cache-Control": "private, max-age=300"}
    if headers["ETag"] in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    return Response(body, 200, headers, "application/atom+xml")


async def feed_of_collection(request: Request) -> Response:
    """A collection as an Atom feed; a public one without an account."""
    async with reading() as session:
        found = await of_collection(session, request.scope["account"], path_id(request, what="collection"))
    return _feed(request, found)


async def feed_of_search(request: Request) -> Response:
    """What a saved search of yours finds, as an Atom feed."""
    return _feed(request, await of_search(account(request), path_id(request, what="saved search")))


async def feed_of_link(request: Request) -> Response:
    """The feed of a secret address."""
    async with transaction() as session:
        link, maker = await links.redeem(session, request.path_params["secret"])
        if link.collection_id is not None:
            return _feed(request, await of_collection(session, maker, link.collection_id))
    assert link.saved_search_id is not None
    return _feed(request, await of_search(maker, link.saved_search_id))


def _view(link: FeedLink) -> dict[str, object]:
    return {name: getattr(link, name) for name in LinkView.model_fields}


async def list_links(request: Request) -> Response:
    """List the secret addresses of feeds that you made."""
    asked = query(request, Paged)
    async with reading() as session:
        total, rows = await links.listed(session, account(request), asked.limit, asked.offset)
    return page([_view(row) for row in rows], total, asked)


async def make_link(request: Request) -> Response:
    """Make a secret address for readers that cannot sign in; it is shown this once."""
    asked = await parse(request, NewLink)
    async with transaction() as session:
        link, secret = await links.make(session, account(request), asked.collection_id, asked.saved_search_id)
    return respond(_view(link) | {"url": f"{_base(request)}/public/feeds/{secret}"}, 201)


async def delete_link(request: Request) -> Response:
    """Delete a secret address: whoever has it reads nothing more."""
    async with transaction() as session:
        await links.remove(session, account(request), path_id(request, what="link"))
    return no_content()


routes = [
    route("GET", "/collections/{id}/feed", feed_of_collection, scope=PUBLIC),
    route("GET", "/searches/saved/{id}/feed", feed_of_search, scope="read"),
    route("GET", "/public/feeds/{secret}", feed_of_link, scope=PUBLIC),
    route("GET", "/feeds/links", list_links, scope="read", queries=Paged, gives=Listed[LinkView]),
    route("POST", "/feeds/links", make_link, scope="write", takes=NewLink, gives=MadeLink, status=201),
    route("DELETE", "/feeds/links/{id}", delete_link, scope="write", status=204),
]
