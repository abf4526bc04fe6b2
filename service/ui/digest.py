"""The pages that links in letters lead to: confirm an address, stop the letters. Opening them changes nothing."""

from typing import Literal
from uuid import UUID

from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response

from service.database import reading, transaction
from service.digests import actions
from service.digests.actions import Link
from service.ui.pages import render
from service.web import Shape, query

Asks = Literal["confirm", "unsubscribe"]


class Signed(Shape):
    """What a link in a letter says."""

    account: UUID
    signature: str = Field(max_length=128)
    address: str = Field("", max_length=254)
    expires: int = Field(0, ge=0, lt=10**12)

    def link(self) -> Link:
        """Return it as digests take it."""
        return Link(self.account, self.signature, self.address, self.expires)


async def confirm_page(request: Request) -> Response:
    """Ask whether letters may come."""
    return await _ask(request, "confirm")


async def confirm(request: Request) -> Response:
    """Let letters come."""
    link = query(request, Signed).link()
    async with transaction() as session:
        await actions.confirm(session, link)
    return _answer(request, "confirm", link, done=True)


async def unsubscribe_page(request: Request) -> Response:
    """Ask whether the letters are to stop."""
    return await _ask(request, "unsubscribe")


async def unsubscribe(request: Request) -> Response:
    """Stop the letters; mail programs do it by themselves, in one step (RFC 8058)."""
    link = query(request, Signed).link()
    async with transaction() as session:
        await actions.check(session, link, "unsubscribe")
        await actions.stop(session, link.user_id)
    return _answer(request, "unsubscribe", link, done=True)


async def _ask(request: Request, asks: Asks) -> Response:
    link = query(request, Signed).link()
    async with reading() as session:
        await actions.check(session, link, asks)
    return _answer(request, asks, link, done=False)


def _answer(request: Request, asks: Asks, link: Link, *, done: bool) -> Response:
    response = render(request, "digest_link.html", asks=asks, address=link.address, done=done, asked=request.url.query)
    response.headers["Cache-Control"] = "no-store"
    return response
