"""PHAROS_SERVE=operations: the operations page with what it needs, and nothing else of Pharos."""

import re
from collections.abc import AsyncIterator, Awaitable, Callable
from html import unescape
from uuid import uuid4

import httpx
import pytest
from starlette.applications import Starlette
from starlette.routing import Mount, Route

from service.app import ROUTES
from service.database import transaction
from service.security.accounts import create_user
from service.security.passwords import hash_password
from service.security.permissions import Role
from service.security.sessions import Visitor, open_session
from service.settings import Settings, settings
from service.tasks import QUEUES

pytestmark = pytest.mark.integration

PARTS = ["", "/tasks", "/dead-letters", "/schedules", "/events", "/flow", "/log"]
KEPT = (
    "/ui/operations",
    "/ui/log",
    "/dlq",
    "/queues/",
    "/schedules/",
    "/health",
    "/ready",
    "/metrics",
    "/events/stream",
)

Person = Callable[[str, Role], Awaitable[httpx.AsyncClient]]


@pytest.fixture
def pharos(pharos: Settings, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """The suite's settings, for a process that serves the operations page alone."""
    monkeypatch.setenv("PHAROS_SERVE", "operations")
    settings.cache_clear()
    return settings()


@pytest.fixture
async def someone(application: Starlette) -> AsyncIterator[Person]:
    """Makes accounts of a role, signed in: accounts are not managed here."""
    clients: list[httpx.AsyncClient] = []

    async def make(username: str, role: Role) -> httpx.AsyncClient:
        async with transaction() as session:
            user = await create_user(session, username, role, await hash_password("a long enough password"))
            secret = (await open_session(session, user.id, Visitor())).secret
        transport = httpx.ASGITransport(application)
        headers = {"Authorization": f"Bearer {secret}"}
        clients.append(httpx.AsyncClient(transport=transport, base_url="http://pharos", headers=headers))
        return clients[-1]

    yield make
    for client in clients:
        await client.aclose()


def filled(path: str) -> str:
    """Put ids into the path of a route."""
    return re.sub(r"{[^}]*}", str(uuid4()), path)


async def test_whatever_is_not_of_the_operations_answers_404(api: httpx.AsyncClient) -> None:
    asked: set[str] = set()
    for route in ROUTES:
        if (
            isinstance(route, Mount)
            or route.path.startswith((*KEPT, "/users/me"))
            or route.path in ("/", "/ui", "/ui/")
        ):
            continue
        methods = (route.methods or set[str]()) if isinstance(route, Route) else {"GET"}
        for method in methods - {"HEAD"}:
            if route.path == "/tasks/{id}/cancel":
                continue
            answer = await api.request(method, filled(route.path))
            assert answer.status_code in (404, 405), f"{method} {route.path}: {answer.status_code}"
            asked.add(route.path)
    assert {"/resources", "/search", "/ingest", "/users", "/tasks", "/mcp", "/ws"} <= asked
    for path in ("/docs", "/openapi.json"):
        assert (await api.get(path)).status_code == 404


@pytest.mark.parametrize("part", PARTS)
async def test_every_page_is_there_with_all_that_it_leads_to(api: httpx.AsyncClient, part: str) -> None:
    found = await api.get(f"/ui/operations{part}")
    assert found.status_code == 200
    links = {unescape(link) for link in re.findall(r'(?:href|src|action)="([^"]*)"', found.text)}
    assert any(link.startswith("/ui/static/") for link in links)
    for link in links - {"/ui/logout"}:  # which takes a form
        answer = await api.get(link if link.startswith("/") else f"/ui/operations{part}{link}", follow_redirects=True)
        assert answer.status_code == 200, link


async def test_permissions_are_as_ever(api: httpx.AsyncClient, someone: Person) -> None:
    operator, editor = await someone("olga", "operator"), await someone("edda", "editor")
    queue = QUEUES[-1].name
    assert (await operator.get("/ui/operations")).status_code == 200
    assert (await operator.get("/metrics")).status_code == 200
    assert (await operator.post(f"/queues/{queue}/pause")).status_code == 403
    for path in ("/ui/operations", "/metrics", "/dlq"):
        assert (await editor.get(path)).status_code == 403, path
    assert (await api.post(f"/queues/{queue}/pause")).status_code == 204
    assert (await api.post(f"/queues/{queue}/resume")).status_code == 204


async def test_a_person_signs_in_and_is_led_there(application: Starlette, someone: Person) -> None:
    await someone("olga", "operator")
    transport = httpx.ASGITransport(application)
    async with httpx.AsyncClient(transport=transport, base_url="http://pharos") as browser:
        assert (await browser.get("/health")).status_code == 200
        sent_to = await browser.get("/", follow_redirects=True)
        assert str(sent_to.url) == "http://pharos/ui/login?next=%2Fui%2Foperations"
        form = {"username": "olga", "password": "a long enough password"}
        headers = {"Origin": "http://pharos"}
        signed_in = await browser.post("/ui/login", data=form, headers=headers, follow_redirects=True)
        assert signed_in.url.path == "/ui/operations"
        assert "search-box" not in signed_in.text
        signed_out = await browser.post("/ui/logout", headers=headers, follow_redirects=True)
        assert signed_out.url.path == "/ui/login"
