"""Saved searches: kept, run, changed, forgotten, and nobody else's."""

from collections.abc import AsyncIterator

import httpx
import pytest
from starlette.applications import Starlette
from starlette.types import Receive, Scope, Send

from service.search import saved
from service.search.saved_routes import routes
from service.security.accounts import Account
from tests.search.conftest import findable

pytestmark = pytest.mark.integration
PATH = "/searches/saved"


def asking(who: Account) -> httpx.AsyncClient:
    application = Starlette(routes=routes)

    async def asked(scope: Scope, receive: Receive, send: Send) -> None:
        await application({**scope, "account": who}, receive, send)

    return httpx.AsyncClient(transport=httpx.ASGITransport(asked), base_url="http://pharos")


@pytest.fixture
async def client(ada: Account) -> AsyncIterator[httpx.AsyncClient]:
    async with asking(ada) as client:
        yield client


async def test_a_search_is_kept_run_changed_and_forgotten(client: httpx.AsyncClient, ada: Account) -> None:
    await findable(ada, "Lamps", "The lamp.", tags=["sea"])
    await findable(ada, "Oil", "Oil for a lamp.")
    search = {"query": "lamp", "mode": "keyword", "tag": ["sea"]}
    made = await client.post(PATH, json={"name": " By the sea ", "search": search})
    assert made.status_code == 201
    kept = made.json()
    assert (kept["name"], kept["search"]) == ("By the sea", search)
    assert made.headers["location"] == f"{PATH}/{kept['id']}"
    results = (await client.get(f"{PATH}/{kept['id']}/results", params={"limit": 1})).json()
    assert [item["title"] for item in results["items"]] == ["Lamps"]
    assert (await client.get(f"{PATH}/{kept['id']}")).json()["last_used_at"] is not None
    changed = await client.put(f"{PATH}/{kept['id']}", json={"name": "Oil", "search": {"query": "oil"}})
    assert changed.json()["search"] == {"query": "oil"}
    assert [one["name"] for one in (await client.get(PATH)).json()["items"]] == ["Oil"]
    assert (await client.delete(f"{PATH}/{kept['id']}")).status_code == 204
    assert (await client.get(f"{PATH}/{kept['id']}")).status_code == 404
    assert (await client.get(PATH)).json() == {"items": []}


async def test_names_are_ones_own_and_once(client: httpx.AsyncClient, grace: Account) -> None:
    body = {"name": "Lamps", "search": {"query": "lamp"}}
    first = (await client.post(PATH, json=body)).json()
    again = await client.post(PATH, json=body)
    assert again.status_code == 409
    assert "Lamps" in again.json()["detail"]
    other = (await client.post(PATH, json=body | {"name": "Other"})).json()
    assert (await client.put(f"{PATH}/{other['id']}", json=body)).status_code == 409
    async with asking(grace) as hers:
        assert (await hers.get(PATH)).json() == {"items": []}
        assert (await hers.post(PATH, json=body)).status_code == 201
        for answer in (
            await hers.get(f"{PATH}/{first['id']}"),
            await hers.get(f"{PATH}/{first['id']}/results"),
            await hers.put(f"{PATH}/{first['id']}", json=body),
            await hers.delete(f"{PATH}/{first['id']}"),
        ):
            assert answer.status_code == 404


@pytest.mark.parametrize(
    "body",
    [
        {"name": "", "search": {"query": "lamp"}},
        {"name": "x" * 201, "search": {"query": "lamp"}},
        {"name": "x"},
        {"name": "x", "search": {"query": ""}},
        {"name": "x", "search": {"query": "-lamp"}},
        {"name": "x", "search": {"query": "y" * 1001}},
        {"name": "x", "search": {"query": "lamp", "limit": 3}},
        {"name": "x", "search": {"query": "lamp", "mode": "psychic"}},
    ],
)
async def test_what_could_not_be_searched_for_is_not_kept(client: httpx.AsyncClient, body: dict[str, object]) -> None:
    assert (await client.post(PATH, json=body)).status_code == 422
    assert (await client.get(PATH)).json() == {"items": []}


async def test_there_is_a_bound(client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(saved, "MOST", 1)
    assert (await client.post(PATH, json={"name": "a", "search": {"query": "lamp"}})).status_code == 201
    assert (await client.post(PATH, json={"name": "b", "search": {"query": "lamp"}})).status_code == 409
