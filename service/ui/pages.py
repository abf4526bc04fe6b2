"""What a page is: a template, an account or a way to sign in, and errors that people can read."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

import orjson
import structlog
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from service.database import reading
from service.errors import PharosError, Unauthenticated
from service.hints import actions as hints
from service.hints.actions import Hint
from service.security.permissions import Public, require
from service.security.permissions import Scope as AccountScope
from service.settings import settings
from service.ui import wording
from service.ui.assets import asset
from service.ui.navigation import OWN, PLACES
from service.ui.text import BROWSER, text
from service.web import Endpoint, account

log = structlog.get_logger(__name__)

THEMES = ("light", "sepia", "dark")
LONGEST_NEXT = 8000  # characters; no page has a longer path, and without its query one is led to it still

templates = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    auto_reload=False,
)
_everywhere: dict[str, Any] = {
    "t": text,
    "asset": asset,
    "places": PLACES,
    "own_places": OWN,
    "browser_text": Markup(orjson.dumps(BROWSER).decode().replace("<", "\\u003c")),  # noqa: S704  # our own words
}
templates.globals.update(_everywhere)
templates.filters.update(wording.FILTERS)


class Page(Endpoint):
    """An operation that answers people: nobody signed in goes to the sign-in page, an error becomes a page."""

    scope: AccountScope | Public
    hint: Hint | None = None  # what the page says of itself, until it is put away

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive, send)
        try:
            require(scope.get("account"), self.scope)
            if self.hint is not None:
                async with reading() as session:
                    shown = await hints.is_shown(session, account(request), self.hint)
                scope["hint"] = self.hint if shown else None
            response = await self.handler(request)
        except Unauthenticated:
            response = sign_in_first(request)
        except PharosError as error:
            response = sorry(request, error.status, error.detail, error.headers)
        except HTTPException as error:
            response = sorry(request, error.status_code, error.detail)
        except ClientDisconnect:
            return
        except Exception:
            log.exception("page failed", path=request.url.path)
            response = sorry(request, 500, text("error.500"))
        await response(scope, receive, send)


def page(
    method: str,
    path: str,
    handler: Callable[[Request], Awaitable[Response]],
    *,
    scope: AccountScope | Public,
    hint: Hint | None = None,
) -> Route:
    """Declare a page and who may open it."""
    operation = Page(handler, scope, None, None, None, 200, (handler.__doc__ or "").split("\n")[0])
    operation.hint = hint
    return Route(path, operation, methods=[method], name=handler.__name__)


def render(request: Request, template: str, status: int = 200, /, **values: Any) -> Response:
    """Answer with a template; it also knows the account, the theme, the path, and whether the library is not here."""
    theme = request.cookies.get("pharos_theme")
    html = templates.get_template(template).render(
        account=request.scope.get("account"),
        theme=theme if theme in THEMES else None,
        alone=settings().serve == "operations",
        path=request.url.path,
        hint=request.scope.get("hint"),
        **values,
    )
    return HTMLResponse(html, status)


def sign_in_first(request: Request) -> Response:
    """Send a person to the sign-in page, and from there back to here; a part of a page says 401 instead."""
    if request.headers.get("sec-fetch-mode", "navigate") != "navigate":
        return sorry(request, 401, text("error.401"))
    path = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    if len(path) > LONGEST_NEXT:
        path = request.url.path
    return RedirectResponse("/ui/login" if path == "/ui/" else f"/ui/login?next={quote(path, safe='')}", 303)


def sorry(request: Request, status: int, detail: str, headers: dict[str, str] | None = None) -> Response:
    """Tell a person what went wrong and where to go from here."""
    response = render(request, "error.html", status, status=status, detail=detail)
    response.headers.update(headers or {})
    return response
