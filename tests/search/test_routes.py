"""Search over HTTP, and that it is told of."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from sqlalchemy import select
from starlette.applications import Starlette
from starlette.types import Receive, Scope, Send

from service import database, inference
from service.database import reading
from service.outbox import OutboxRow
from service.search import executed
from service.search.routes import routes
from service.security.accounts import Account
from tests.model_server import ModelServer
from tests.search.conftest import findable, meaningful

pytestmark = pytest.mark.integration

LAMPS = "The keeper lights the lamp every evening and puts it out at dawn."


@pytest.fixture
async def client(ada: Account) -> AsyncIterator[httpx.AsyncClient]:
    """Search alone, asked by Ada."""
    application = Starlette(routes=routes)

    async def as_ada(scope: Scope, receive: Receive, send: Send) -> None:
        await application({**scope, "account": ada}, receive, send)

    transport = httpx.ASGITransport(as_ada)
    async with executed.recording(), httpx.AsyncClient(transport=transport, base_url="http://pharos") as client:
        yield client
        executed._waiting.clear()


async def told() -> list[OutboxRow]:
    await executed.flush()
    async with reading() as session:
        return list(await session.scalars(select(OutboxRow).where(OutboxRow.name == "search.executed")))


async def test_the_answer_has_the_shape_of_the_contract(
    client: httpx.AsyncClient, ada: Account, server: ModelServer
) -> None:
    resource_id = await meaningful(ada, "Lamps", LAMPS, url="https://example.org/lamps", authors=["Fresnel"])
    answer = (await client.get("/search", params={"query": "lamp"})).json()
    assert set(answer) == {"query", "mode", "total", "items", "limit", "offset", "facets", "facets_exact",
        "did_you_mean", "took_ms", "cached"}  # fmt: skip
    assert (answer["query"], answer["mode"], answer["total"], answer["cached"]) == ("lamp", "hybrid", 1, False)
    assert answer["facets"] == {
        "type": {"note": 1}, "language": {"en": 1}, "author": {"Fresnel": 1}, "subject": {}, "tag": {},
        "category": {}, "quality": {},
    }  # fmt: skip
    (item,) = answer["items"]
    assert item["id"] == str(resource_id)
    assert item["title"] == "Lamps"
    assert item["url"] == "https://example.org/lamps"
    assert item["score"] == 1
    assert item["snippet"] == "The keeper lights the <mark>lamp</mark> every evening and puts it out at dawn."


async def test_post_takes_the_same_fields(client: httpx.AsyncClient, ada: Account) -> None:
    await findable(ada, "Lamps", LAMPS, type="webpage")
    await findable(ada, "Lamp", LAMPS, type="document")
    fields: dict[str, Any] = {"query": "lamp", "mode": "keyword", "type": ["webpage"], "limit": 1}
    by_get = (await client.get("/search", params=fields)).json()
    by_post = (await client.post("/search", json=fields)).json()
    assert by_get["items"] == by_post["items"]
    assert [item["title"] for item in by_post["items"]] == ["Lamps"]


async def test_a_day_is_a_time_too(client: httpx.AsyncClient, ada: Account) -> None:
    await findable(ada, "Lamps", LAMPS)
    params = {"query": "lamp", "mode": "keyword", "created_from": "2020-01-01", "created_to": "0001-01-01T00:00:00"}
    assert (await client.get("/search", params=params)).json()["total"] == 0
    assert (await client.get("/search", params=params | {"created_to": "9999-12-31"})).json()["total"] == 1


async def test_without_the_model_server_the_answer_says_so(
    client: httpx.AsyncClient, ada: Account, socket: object
) -> None:
    await findable(ada, "Lamps", LAMPS)
    answer = await client.get("/search", params={"query": "lamp"})
    assert answer.status_code == 200
    assert answer.json()["degraded"] == ["semantic"]
    assert answer.json()["total"] == 1


@pytest.mark.parametrize(
    ("params", "word"),
    [
        ({}, "query"),
        ({"query": ""}, "empty"),
        ({"query": "  "}, "empty"),
        ({"query": "AND OR"}, "no word"),
        ({"query": "-lamp"}, "must not be there"),
        ({"query": "a" * 1001}, "longer than 1000 characters"),
        ({"query": "lamp", "limit": 0}, "limit"),
        ({"query": "lamp", "offset": 10_001}, "offset"),
        ({"query": "lamp", "mode": "magic"}, "mode"),
        ({"query": "lamp", "colour": "red"}, "colour"),
        ({"query": "lamp", "created_from": "yesterday"}, "created_from"),
        ({"query": "lamp", "created_to": "9999-12-31T23:59:59-14:00"}, "created_to"),
    ],
)
async def test_a_bad_request_is_told_what_is_wrong(
    client: httpx.AsyncClient, params: dict[str, Any], word: str
) -> None:
    answer = await client.get("/search", params=params)
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert word in answer.json()["detail"]


async def test_searches_are_told_of_to_who_searched(client: httpx.AsyncClient, ada: Account) -> None:
    await findable(ada, "Lamps", LAMPS)
    for query in ("lamp", "nothing"):
        await client.get("/search", params={"query": query, "mode": "keyword"})
    await client.get("/search", params={"query": "lam", "mode": "keyword", "prefix": True})
    rows = await told()
    assert [(row.data["query"], row.data["mode"], row.data["results_count"]) for row in rows] == [
        ("lamp", "keyword", 1),
        ("nothing", "keyword", 0),
    ]
    assert all(row.data["latency_ms"] > 0 for row in rows)
    assert {row.audience for row in rows} == {ada.id}


async def test_searches_are_told_of_without_being_asked(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(executed, "PAUSE", 0.01)
    await client.get("/search", params={"query": "lamp", "mode": "keyword"})
    assert executed._flushing is not None
    await executed._flushing
    assert executed._waiting == []
    assert len(await told()) == 1


async def test_a_search_does_not_fail_because_it_cannot_be_told_of(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(executed, "PAUSE", 0.05)
    assert (await client.get("/search", params={"query": "lamp", "mode": "keyword"})).status_code == 200
    await database.disconnect()
    assert executed._flushing is not None
    await executed._flushing
    assert executed._waiting == []


async def test_the_vector_of_a_resource_is_there_for_those_who_may_see_it(
    client: httpx.AsyncClient, ada: Account, grace: Account, server: ModelServer
) -> None:
    lamps = await meaningful(ada, "Lamps", LAMPS)
    answer = (await client.get(f"/resources/{lamps}/embedding")).json()
    assert answer["model"] == inference.MODEL
    assert answer["dimensions"] == len(answer["vector"]) == 384
    assert sum(one * one for one in answer["vector"]) == pytest.approx(1, abs=1e-3)
    assert answer["chunk_count"] == 1
    waiting = await findable(ada, "Bread", "Flour and water.")
    hidden = await meaningful(grace, "Secret", LAMPS, private=True)
    early, foreign = [await client.get(f"/resources/{id}/embedding") for id in (waiting, hidden)]
    assert (early.status_code, foreign.status_code) == (404, 404)
    assert "is not embedded yet" in early.text
    assert "no resource" in foreign.text
