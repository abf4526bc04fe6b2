"""The pages."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl, quote
from uuid import UUID

from pydantic import Field, field_validator
from sqlalchemy import func, select
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Mount

from service.database import reading
from service.documents.tables import Document
from service.errors import Conflict, Forbidden, Invalid, NotFound, RateLimited, Unauthenticated
from service.event_log import EventRow, history
from service.graph.actions import citations_of, cited_by
from service.ingestion.actions import ingestion_of
from service.live.hub import newest
from service.readings import actions as readings
from service.samples import actions as samples
from service.security.authentication import known
from service.security.credentials import Credential
from service.security.invitations import Registration, register
from service.security.login_links import LinkUsedUp, redeem_login_link
from service.security.permissions import PUBLIC
from service.security.sessions import Visitor, drop_cookie, set_cookie, sign_in, sign_out
from service.security.tables import LoginLink, User
from service.ui import library, operations
from service.ui.assets import FOLDER, Assets
from service.ui.collections import collection_page, collections_page, public_collection_page
from service.ui.digest import confirm, confirm_page, unsubscribe, unsubscribe_page
from service.ui.documents import document_rows, documents_page
from service.ui.duplicates import duplicates_page, merge_duplicates, rejoin_duplicates, separate_duplicates
from service.ui.feeds import feeds_page
from service.ui.graph import graph_page
from service.ui.imports import imports_page
from service.ui.knowledge import author_page, authors_page, categories_page, category_page, known_of
from service.ui.notifications import notifications_page
from service.ui.pages import LONGEST_NEXT, page, render
from service.ui.quizzes import quiz_page, quizzes_page
from service.ui.readings import readings_page
from service.ui.save import manifest, save, save_page
from service.ui.search import Asked, search
from service.ui.study import reviews_page, session_page, take_page
from service.ui.text import text
from service.ui.trash import change_trash, trash_page
from service.ui.typography import COOKIE, Typography
from service.ui.webhooks import webhooks_page
from service.web import Shape, account, body, path_id, query, validated

SMALL = 50  # items of a library that still says whether the sample set is in it
FORM_LIMIT = 16 * 2**10  # bytes


class Shown(Shape):
    """Which part of the list."""

    show: library.Filter = "all"
    batch: UUID | None = None
    page: int = Field(1, ge=1, le=40_000)


class Chosen(Shape):
    """Which items of the list, and the filter that is set."""

    id: list[UUID] = Field([], max_length=100)
    show: library.Filter = "all"
    batch: UUID | None = None

    @field_validator("id", mode="before")
    @classmethod
    def _listed(cls, value: object) -> object:
        return [value] if isinstance(value, str) else value


class Join(Shape):
    """The form of who was invited, or may join freely."""

    username: str = Field("", max_length=64)
    password: str = Field("", max_length=1024)
    code: str = Field("", max_length=200)


class SignIn(Shape):
    """The sign-in form: a name and a password, or the code of a one-time link; and where to go then."""

    username: str = Field("", max_length=64)
    password: str = Field("", max_length=1024)
    code: str = Field("", max_length=200)
    next: str = Field("", max_length=LONGEST_NEXT)


@dataclass(frozen=True, slots=True)
class Moment:
    """One line of a timeline."""

    words: str
    timestamp: datetime


async def root(request: Request) -> Response:
    """The page is under `/ui/`."""
    return RedirectResponse("/ui/", 307)


async def to_overview(request: Request) -> Response:
    """The first page where the operations page is served alone."""
    return RedirectResponse("/ui/operations", 307)


async def home(request: Request) -> Response:
    """The library: add, and see what was added."""
    asked, who = query(request, Shown), account(request)
    position = await newest()  # before the list is read: what happens after it is told by the stream
    async with reading() as session:
        counts = await library.counts(session, who, asked.batch)
        items = await library.recent(session, who, asked.show, asked.page, asked.batch)
        batch = await library.batch_of(session, who, asked.batch)
        sample = await samples.read(session, who) if counts["all"] <= SMALL else None
    more = counts[asked.show] > asked.page * library.PAGE
    return render(
        request,
        "home.html",
        items=items,
        counts=counts,
        shown=asked.show,
        page=asked.page,
        more=more,
        position=position,
        batch=batch,
        sample=sample,
    )


async def items(request: Request) -> Response:
    """Some items of the list as they are now, and the counts."""
    asked, who = query(request, Chosen), account(request)
    async with reading() as session:
        found = await library.some(session, who, asked.id)
        counts = await library.counts(session, who, asked.batch)
        batch = await library.batch_of(session, who, asked.batch)
    return render(request, "items.html", items=found, counts=counts, shown=asked.show, batch=batch)


async def resource(request: Request) -> Response:
    """One resource to read, and all that is known about it."""
    who, id = account(request), path_id(request, what="resource")
    position = await newest()
    async with reading() as session:
        found, entered = await ingestion_of(session, who, id)
        item = await library.progress(session, found, entered)
        twin = (await library.twins_of(session, who, [found])).get(id)
        kept = await readings.of_many(session, who, [id])
        citations = await citations_of(session, who, id)
        citing = await cited_by(session, who, id)
        events = await history(session, who.id, limit=200, subject=id)
        known = await known_of(session, who, id)
        document = await session.scalar(select(Document).where(Document.resource_id == id))
    return render(
        request,
        "resource.html",
        item=item,
        twin=twin,
        reading=kept.get(id),
        typography=Typography.read(request.cookies.get(COOKIE)),
        citations=citations,
        citation_link=citation_link,
        cited_by=citing,
        known=known,
        timeline=timeline(events),
        document=document,
        again_from=library.again_from(entered),
        position=position,
    )


def timeline(events: Sequence[EventRow]) -> list[Moment]:
    """Put the events that mean something to people into words, newest first."""
    told = [Moment(words, event.timestamp) for event in events if (words := text(f"event.{event.name}", default=""))]
    return told[::-1]


def citation_link(citation: Any) -> str | None:
    """Return where a citation leads, None where it names no place."""
    value: str = citation.value
    match citation.kind:
        case "doi":
            return f"https://doi.org/{quote(value, safe='/')}"
        case "arxiv":
            return f"https://arxiv.org/abs/{quote(value, safe='/')}"
        case "pmid":
            return f"https://pubmed.ncbi.nlm.nih.gov/{quote(value)}/"
        case "url" if value.startswith(("https://", "http://")):
            return value
        case _:
            return None


async def search_page(request: Request) -> Response:
    """Search, with everything in the address."""
    return render(request, "search.html", **await search(account(request), query(request, Asked)))


async def search_results(request: Request) -> Response:
    """The results alone, for searching while one types."""
    return render(request, "results.html", **await search(account(request), query(request, Asked)))


async def login_page(request: Request) -> Response:
    """Sign in; a one-time link shows a button, since opening it must change nothing."""
    given = query(request, SignIn)
    if given.code:
        username = await _invited(given.code)
        if username is None:
            return _login(request, given.model_copy(update={"code": ""}), LinkUsedUp().detail)
        return _login(request, given.model_copy(update={"username": username}))
    if request.scope["account"] is not None:
        return RedirectResponse(_within(given.next), 303)
    return _login(request, given)


async def _invited(code: str) -> str | None:
    """Return whom a link signs in; None where it was used already or is too old."""
    credential = Credential.of(code)
    link = select(User.username).join(LoginLink, LoginLink.user_id == User.id)
    async with reading() as session:
        return await session.scalar(
            link.where(
                LoginLink.key == credential.key,
                LoginLink.digest == credential.digest,
                LoginLink.expires_at > func.now(),
            )
        )


async def login(request: Request) -> Response:
    """Take the sign-in form."""
    form = validated(SignIn, dict(parse_qsl((await body(request, FORM_LIMIT)).decode(errors="replace"))))
    visitor = Visitor.of(request)
    try:
        if form.code:
            signed_in = await redeem_login_link(form.code, visitor)
        else:
            signed_in = await sign_in(form.username, form.password, visitor)
    except (Unauthenticated, RateLimited) as error:
        response = _login(request, form.model_copy(update={"password": "", "code": ""}), error.detail, error.status)
        if isinstance(error, RateLimited):
            response.headers.update(error.headers)
        return response
    response = RedirectResponse(_within(form.next), 303)
    set_cookie(response, request, signed_in)
    return response


async def join_page(request: Request) -> Response:
    """Make an account: the form, which the link of an invitation leads to."""
    return _join(request, query(request, Join))


async def join(request: Request) -> Response:
    """Take the form of a new account."""
    form = validated(Join, dict(parse_qsl((await body(request, FORM_LIMIT)).decode(errors="replace"))))
    try:
        wish = validated(Registration, form.model_dump() | {"code": form.code or None})
        password = wish.password.get_secret_value()
        signed_in = await register(wish.username, password, wish.code, Visitor.of(request))
    except (Invalid, Conflict, Forbidden, RateLimited) as error:
        told = error.errors[0]["msg"] if isinstance(error, Invalid) and error.errors else error.detail
        return _join(request, form, told, error.status)
    response = RedirectResponse("/ui/", 303)
    set_cookie(response, request, signed_in)
    return response


def _join(request: Request, given: Join, error: str | None = None, status: int = 200) -> Response:
    response = render(request, "join.html", status, error=error, code=given.code, username=given.username)
    response.headers["Cache-Control"] = "no-store"
    return response


async def logout(request: Request) -> Response:
    """Sign out."""
    who = request.scope["account"]
    if who is not None:
        await sign_out(who, Visitor.of(request).address)
        known.forget(who.id)
    response = RedirectResponse("/ui/login", 303)
    drop_cookie(response, request)
    return response


def _login(request: Request, given: SignIn, error: str | None = None, status: int = 200) -> Response:
    response = render(
        request,
        "login.html",
        status,
        error=error,
        code=given.code,
        next=given.next if _within(given.next) == given.next else "",
        username=given.username,
    )
    response.headers["Cache-Control"] = "no-store"
    return response


def _within(address: str) -> str:
    """Return an address if it is one of our pages, else the library's: nobody is sent to another site."""
    return address if address.startswith("/ui/") and "\\" not in address and address.isprintable() else "/ui/"


async def nothing(request: Request) -> Response:
    """Whatever else is asked for under `/ui/`."""
    raise NotFound(text("error.404"))


routes: list[BaseRoute] = [
    page("GET", "/", root, scope=PUBLIC),
    page("GET", "/ui", root, scope=PUBLIC),
    page("GET", "/ui/", home, scope="read", hint="library"),
    page("GET", "/ui/items", items, scope="read"),
    page("GET", "/ui/search", search_page, scope="read", hint="search"),
    page("GET", "/ui/search/results", search_results, scope="read"),
    page("GET", "/ui/resources/{id}", resource, scope="read"),
    page("GET", "/ui/collections", collections_page, scope="read", hint="collections"),
    page("GET", "/ui/reading", readings_page, scope="read", hint="reading"),
    page("GET", "/ui/collections/{id}", collection_page, scope="read"),
    page("GET", "/ui/public/collections/{id}", public_collection_page, scope=PUBLIC),
    page("GET", "/ui/public/digest/confirm", confirm_page, scope=PUBLIC),
    page("POST", "/ui/public/digest/confirm", confirm, scope=PUBLIC),
    page("GET", "/ui/public/digest/unsubscribe", unsubscribe_page, scope=PUBLIC),
    page("POST", "/ui/public/digest/unsubscribe", unsubscribe, scope=PUBLIC),
    page("GET", "/ui/categories", categories_page, scope="read", hint="categories"),
    page("GET", "/ui/categories/{id}", category_page, scope="read"),
    page("GET", "/ui/authors", authors_page, scope="read", hint="authors"),
    page("GET", "/ui/authors/{id}", author_page, scope="read"),
    page("GET", "/ui/graph", graph_page, scope="read", hint="graph"),
    page("GET", "/ui/quizzes/{id}/take", take_page, scope="read"),
    page("GET", "/ui/sessions/{id}", session_page, scope="read"),
    page("GET", "/ui/reviews", reviews_page, scope="read", hint="reviews"),
    page("GET", "/ui/add", save_page, scope="write"),
    page("POST", "/ui/add", save, scope="write"),
    page("GET", "/ui/manifest.webmanifest", manifest, scope=PUBLIC),
    page("GET", "/ui/import", imports_page, scope="read", hint="import"),
    page("GET", "/ui/notifications", notifications_page, scope="read", hint="notifications"),
    page("GET", "/ui/documents", documents_page, scope="read", hint="documents"),
    page("GET", "/ui/documents/rows", document_rows, scope="read"),
    page("GET", "/ui/quizzes", quizzes_page, scope="read", hint="quizzes"),
    page("GET", "/ui/quizzes/{id}", quiz_page, scope="read"),
    page("GET", "/ui/feeds", feeds_page, scope="read", hint="feeds"),
    page("GET", "/ui/webhooks", webhooks_page, scope="read"),
    page("GET", "/ui/trash", trash_page, scope="read"),
    page("POST", "/ui/trash", change_trash, scope="write"),
    page("GET", "/ui/duplicates", duplicates_page, scope="read"),
    page("POST", "/ui/duplicates", merge_duplicates, scope="write"),
    page("POST", "/ui/duplicates/separations", separate_duplicates, scope="read"),
    page("POST", "/ui/duplicates/separations/{id}", rejoin_duplicates, scope="read"),
    *operations.routes,
    page("GET", "/ui/login", login_page, scope=PUBLIC),
    page("POST", "/ui/login", login, scope=PUBLIC),
    page("GET", "/ui/join", join_page, scope=PUBLIC),
    page("POST", "/ui/join", join, scope=PUBLIC),
    page("POST", "/ui/logout", logout, scope=PUBLIC),
    Mount("/ui/static", Assets(directory=FOLDER), name="static"),
    page("GET", "/ui/{path:path}", nothing, scope=PUBLIC),
]

overview_first: list[BaseRoute] = [page("GET", path, to_overview, scope=PUBLIC) for path in ("/", "/ui", "/ui/")]
