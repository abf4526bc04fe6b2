"""A small application behind the real middleware, and people who use it."""

from collections.abc import AsyncIterator, Awaitable, Callable

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response

from service.database import transaction
from service.security.accounts import create_user
from service.security.limits import Limiter, LocalWindows, connected, limiter
from service.security.middleware import middleware
from service.security.passwords import hash_password
from service.security.permissions import PUBLIC, Role
from service.security.routes import routes
from service.security.startup import ensure_admin
from service.settings import Settings, settings
from service.web import body, respond, route

TOKEN = "the admin's own token"
PASSWORD = "correct horse battery"


async def show(request: Request) -> Response:
    """Tell what the middleware found out."""
    who = request.scope["account"]
    return respond(
        {
            "username": who and who.username,
            "address": request.client and request.client.host,
            "scheme": request.url.scheme,
        }
    )


async def size(request: Request) -> Response:
    return respond(len(await body(request)))


async def framed(request: Request) -> Response:
    return Response("<p>", headers={"Content-Security-Policy": "sandbox; default-src 'none'"})


PROBES = [
    route("GET", "/open", show, scope=PUBLIC),
    route("GET", "/health", show, scope=PUBLIC),
    route("GET", "/read", show, scope="read"),
    route("GET", "/metrics", show, scope="metrics"),
    route("GET", "/search", show, scope="read"),
    route("PUT", "/write", size, scope="write"),
    route("POST", "/documents", size, scope="write"),
    route("POST", "/administer", show, scope="admin"),
    route("GET", "/framed", framed, scope=PUBLIC),
]


@pytest.fixture
def quick_passwords() -> None:
    """None: what the hashes cost is part of what is tested."""


@pytest.fixture
async def accounts(pharos: Settings, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[None]:
    """The account `admin` with `TOKEN`, limits in Redis, nothing remembered from another test."""
    monkeypatch.setenv("PHAROS_ADMIN_TOKEN", TOKEN)
    settings.cache_clear()
    monkeypatch.setattr(limiter, "local", LocalWindows())
    monkeypatch.setattr(limiter, "_leases", {})
    await ensure_admin()
    async with connected():
        yield


@pytest.fixture
async def other_process(pharos: Settings, cache_url: str) -> AsyncIterator[Limiter]:
    """The limits as another web process counts them."""
    other = Limiter()
    other.connect(cache_url)
    yield other
    await other.disconnect()


Client = Callable[..., httpx.AsyncClient]


@pytest.fixture
async def browser(accounts: None) -> AsyncIterator[Client]:
    """Opens clients of one application; each keeps its own cookies."""
    app = Starlette(routes=[*routes, *PROBES], middleware=middleware)
    opened: list[httpx.AsyncClient] = []

    def open_client(token: str | None = None, address: str = "203.0.113.7", **headers: str) -> httpx.AsyncClient:
        transport = httpx.ASGITransport(app, client=(address, 1))
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        opened.append(httpx.AsyncClient(transport=transport, base_url="http://pharos.test", headers=headers))
        return opened[-1]

    yield open_client
    for client in opened:
        await client.aclose()


@pytest.fixture
def admin(browser: Client) -> httpx.AsyncClient:
    """The admin's program, with the token."""
    return browser(TOKEN)


NewUser = Callable[..., Awaitable[str]]


@pytest.fixture
async def user(accounts: None) -> NewUser:
    """Adds a user who knows `PASSWORD`, and returns the id."""
    password_hash = await hash_password(PASSWORD)

    async def add(username: str, role: Role = "editor") -> str:
        async with transaction() as session:
            return str((await create_user(session, username, role, password_hash)).id)

    return add


@pytest.fixture
def signed_in(browser: Client, user: NewUser) -> Callable[..., Awaitable[httpx.AsyncClient]]:
    """Adds a user and opens their browser, signed in; its pages are ours, so it names our origin."""

    async def sign_in(username: str, role: Role = "editor") -> httpx.AsyncClient:
        await user(username, role)
        client = browser(Origin="http://pharos.test")
        answer = await client.post("/auth/login", json={"username": username, "password": PASSWORD})
        assert answer.status_code == 200, answer.text
        return client

    return sign_in
