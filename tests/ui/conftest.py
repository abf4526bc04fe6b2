"""The pages behind the real middleware, without the processes that would do the work."""

from collections.abc import AsyncIterator, Awaitable, Callable
from uuid import UUID, uuid4

import httpx
import pytest
from starlette.applications import Starlette

from service.database import transaction
from service.resources import actions
from service.resources.tables import Resource
from service.search import executed
from service.search.actions import index
from service.security import authentication
from service.security.accounts import Account, create_user
from service.security.authentication import Known
from service.security.middleware import middleware
from service.security.passwords import hash_password
from service.security.permissions import effective_scopes
from service.security.routes import routes as security_routes
from service.settings import Settings
from service.ui.routes import routes

PASSWORD = "a light on the water"
ORIGIN = "http://pharos.test"


@pytest.fixture
async def client(pharos: Settings, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[httpx.AsyncClient]:
    """A browser that nobody has signed in with."""
    monkeypatch.setattr(authentication, "known", Known())
    monkeypatch.setattr("service.ui.routes.known", authentication.known)
    app = Starlette(routes=[*security_routes, *routes], middleware=middleware)
    transport = httpx.ASGITransport(app, client=(f"203.0.113.{uuid4().int % 250}", 1))
    headers = {"Origin": ORIGIN, "Sec-Fetch-Mode": "navigate"}
    async with (
        executed.recording(),
        httpx.AsyncClient(transport=transport, base_url=ORIGIN, headers=headers) as browser,
    ):
        yield browser


@pytest.fixture
async def ada(pharos: Settings) -> Account:
    """A person who may read and write."""
    async with transaction() as session:
        user = await create_user(session, "ada", "editor", await hash_password(PASSWORD))
    return Account(user.id, "ada", "editor", effective_scopes("editor"))


@pytest.fixture
async def signed_in(client: httpx.AsyncClient, ada: Account) -> httpx.AsyncClient:
    """Her browser, signed in by the form."""
    answer = await client.post("/ui/login", data={"username": "ada", "password": PASSWORD})
    assert answer.status_code == 303, answer.text
    return client


Add = Callable[..., Awaitable[Resource]]


@pytest.fixture
def add(ada: Account) -> Add:
    """Puts a resource of hers into the library and indexes its words."""

    async def add(
        title: str, content: str = "A text about light.", owner: UUID | None = None, **fields: object
    ) -> Resource:
        account = ada if owner is None else Account(owner, "somebody", "editor", effective_scopes("editor"))
        async with transaction() as session:
            resource = await actions.create(session, account, {"title": title, "content": content, **fields}, "content")
        async with transaction() as session:
            await index(session, resource.id)
        return resource

    return add
