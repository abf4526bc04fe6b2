"""The page that adds what other programs hand over, by a bookmarklet or by sharing; and the manifest that offers it."""

import re
from typing import Annotated, Literal
from urllib.parse import parse_qsl
from uuid import UUID, uuid4

import orjson
from pydantic import AfterValidator, Field, StringConstraints
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from service.database import reading, transaction
from service.errors import Invalid
from service.ingestion import actions as ingestion
from service.resources import actions as resources
from service.resources.shapes import NewResource
from service.resources.tables import Resource
from service.security.accounts import Account
from service.security.destinations import check_url, in_ascii
from service.settings import settings
from service.ui.assets import asset
from service.ui.pages import render
from service.ui.text import text
from service.web import Shape, account, body, encoded, query, validated

PATH = "/ui/add"
FORM_LIMIT = 2**20  # bytes
LONGEST_TITLE, LONGEST_URL = 1000, 4096  # characters, as the API takes them
LINK = re.compile(r"https?://[^\s<>\"]+", re.IGNORECASE)
BOOKMARKLET = (
    "javascript:(()=>{let t=String(getSelection()).slice(0,6000);"
    "const a=()=>%s+'?'+new URLSearchParams({url:location.href,title:document.title.slice(0,300),text:t});"
    "while(t&&a().length>6000)t=t.slice(0,-100);"  # what proxies take as one line
    "open(a(),'_blank','popup,width=520,height=640')||(location.href=a())})()"
)


def _without_null(value: str) -> str:
    if "\x00" in value:
        raise ValueError(text("save.null"))
    return value


Words = Annotated[str, StringConstraints(strip_whitespace=True), AfterValidator(_without_null)]


class Shared(Shape):
    """What another program hands over; or what came of it."""

    url: Words = ""
    title: Words = ""
    text: Words = ""
    added: UUID | None = None
    known: UUID | None = None


class Wish(Shape):
    """What a person confirmed."""

    url: Annotated[Words, Field(max_length=LONGEST_URL)] = ""
    title: Words = ""
    text: Words = ""
    private: bool = False
    keep: Literal["page", "note"] = "page"


def link_in(url: str, words: str) -> tuple[str, str]:
    """Return the link that was shared and the text beside it; many programs put the link into the text."""
    found = None if url else LINK.search(words)
    if found is None:
        return url, words
    link = found[0].rstrip(".,;:!?)]}'")
    return link, (words[: found.start()] + words[found.start() + len(link) :]).strip()


async def save_page(request: Request) -> Response:
    """Show what was handed over, and ask whether to add it: opening this changes nothing."""
    who, shared = account(request), query(request, Shared)
    if id := shared.added or shared.known:
        async with reading() as session:
            resource, _ = await ingestion.ingestion_of(session, who, id)
        return _answer(request, Wish(), resource=resource, added=shared.added is not None)
    url, words = link_in(shared.url, shared.text)
    wish = Wish.model_construct(url=url, title=shared.title[:LONGEST_TITLE], text=words)
    async with reading() as session:
        known = await ingestion.page_of(session, who, url) if url else None
    return _answer(request, wish, resource=known)


async def save(request: Request) -> Response:
    """Add the link, or keep the text as a note."""
    who, form = account(request), (await body(request, FORM_LIMIT)).decode(errors="replace")
    wish = validated(Wish, dict(parse_qsl(form)))
    try:
        id, is_new = await (_add_page if wish.keep == "page" else _keep_note)(who, wish)
    except Invalid as error:
        return _answer(request, wish, 422, error=error.errors[0]["msg"] if error.errors else error.detail)
    return RedirectResponse(f"{PATH}?{'added' if is_new else 'known'}={id}", 303)


async def _add_page(who: Account, wish: Wish) -> tuple[UUID, bool]:
    if not wish.url:
        raise Invalid(text("save.no_link"))
    url = in_ascii(check_url(wish.url), wish.url)
    title = wish.title[:LONGEST_TITLE] or None
    async with transaction() as session:
        requested = await ingestion.request_page(session, who, url, title=title, private=wish.private)
    return requested.id, not requested.duplicate


async def _keep_note(who: Account, wish: Wish) -> tuple[UUID, bool]:
    if not wish.text:
        raise Invalid(text("save.no_text"))
    title = wish.title[:LONGEST_TITLE] or wish.text.partition("\n")[0][:100]
    note = {"title": title, "content": wish.text, "type": "note", "private": wish.private}
    fields = validated(NewResource, note | ({"url": wish.url} if wish.url else {})).fields()
    async with transaction() as session:
        same = await resources.twin(session, Resource(id=uuid4(), content=wish.text, owner_id=who.id))
        if same is not None:
            return same, False
        return (await resources.create(session, who, fields, "content")).id, True


def _answer(
    request: Request,
    wish: Wish,
    status: int = 200,
    *,
    resource: Resource | None = None,
    added: bool = False,
    error: str | None = None,
) -> Response:
    address = (settings().public_url or str(request.base_url)).rstrip("/") + PATH
    return render(
        request,
        "save.html",
        status,
        wish=wish,
        resource=resource,
        added=added,
        error=error,
        given=bool(wish.url or wish.title or wish.text),
        bookmarklet=BOOKMARKLET % orjson.dumps(address).decode(),
    )


async def manifest(request: Request) -> Response:
    """What makes the page an application that can be installed, and shared to."""
    sizes = {"any": (192, 512), "maskable": (512,)}
    described = {
        "id": "/ui/",
        "start_url": "/ui/",
        "scope": "/ui/",
        "name": text("name"),
        "short_name": text("name"),
        "description": text("tagline"),
        "lang": "en",
        "display": "standalone",
        "background_color": "#f6f3ec",
        "theme_color": "#f6f3ec",
        "icons": [
            {
                "src": asset(f"{'icon' if purpose == 'any' else purpose}-{size}.png"),
                "sizes": f"{size}x{size}",
                "type": "image/png",
                "purpose": purpose,
            }
            for purpose, listed in sizes.items()
            for size in listed
        ],
        "share_target": {
            "action": PATH,
            "method": "GET",
            "enctype": "application/x-www-form-urlencoded",
            "params": {"url": "url", "title": "title", "text": "text"},
        },
    }
    return Response(
        encoded(described), headers={"Cache-Control": "public, no-cache"}, media_type="application/manifest+json"
    )
