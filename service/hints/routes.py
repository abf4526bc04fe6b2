"""HTTP for hints. Everybody may, also who only reads: they are one's own."""

from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response

from service.database import reading, transaction
from service.hints import actions
from service.web import account, no_content, respond, route


class HintsView(BaseModel):
    """The hints of the pages, and which of them you have put away."""

    hints: list[str]
    dismissed: list[str]


async def read_hints(request: Request) -> Response:
    """Which hints there are, and which you have put away."""
    async with reading() as session:
        return respond({"hints": actions.HINTS, "dismissed": await actions.dismissed(session, account(request))})


async def dismiss_hint(request: Request) -> Response:
    """Put a hint away; it is not shown again."""
    async with transaction() as session:
        await actions.dismiss(session, account(request), request.path_params["name"])
    return no_content()


async def show_hints_again(request: Request) -> Response:
    """Show all hints again."""
    async with transaction() as session:
        await actions.show_again(session, account(request))
    return no_content()


routes = [
    route("GET", "/hints", read_hints, scope="read", gives=HintsView),
    route("PUT", "/hints/{name}", dismiss_hint, scope="read", status=204),
    route("DELETE", "/hints", show_hints_again, scope="read", status=204),
]
