"""What is answered through the cache is what is true, and what the reader may see."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any
from uuid import UUID

import httpx
import pytest
import redis.asyncio
from sqlalchemy import text

from service.bus import bus
from service.cache import actions, keys
from service.cache.cache import cache
from service.cache.events import CacheHit, CacheInvalidated, CacheMiss
from service.database import reading, transaction
from service.events import Envelope
from service.graph.resolution import named, resolve, source
from service.resources.warming import warm as warm_resources
from service.search import executed
from service.search.warming import warm as warm_searches
from service.tasks import INVALIDATE
from tests.cache.conftest import until
from tests.search.conftest import index
from tests.sent import Sent

pytestmark = pytest.mark.integration
Person = Callable[..., Awaitable[httpx.AsyncClient]]


@pytest.fixture(autouse=True)
async def own_listeners() -> AsyncIterator[None]:
    """Listeners of the test's own leave with it."""
    before = dict(bus._listeners)
    yield
    bus._listeners = before
    bus._heard.clear()


async def add(api: httpx.AsyncClient, title: str = "Lamps", content: str = "A lamp by the sea.", **fields: Any) -> str:
    answer = await api.post("/resources", json={"title": title, "content": content, **fields})
    assert answer.status_code == 201, answer.text
    assert await index(UUID(answer.json()["id"]))
    return answer.json()["id"]


async def hits(prefix: str) -> int:
    await until(lambda: not cache._flights)
    return (await cache.read_statistics())["by_prefix"].get(prefix, {"hits": 0})["hits"]


async def search(api: httpx.AsyncClient, query: str = "lamp", **more: Any) -> tuple[list[str], bool]:
    answer = await api.get("/search", params={"query": query, "mode": "keyword", **more})
    assert answer.status_code == 200, answer.text
    return [item["title"] for item in answer.json()["items"]], answer.json()["cached"]


async def write(statement: str, **values: Any) -> None:
    """Write behind the back of everything that forgets."""
    async with transaction() as session:
        await session.execute(text(statement), values)


async def test_a_resource_is_served_from_the_cache_and_always_the_present_one(api: httpx.AsyncClient) -> None:
    id = await add(api)
    first = await api.get(f"/resources/{id}")
    again = await api.get(f"/resources/{id}")
    assert (first.status_code, again.content, again.headers["etag"]) == (200, first.content, '"1"')
    assert await hits("resource") == 1
    changed = await api.put(f"/resources/{id}", json={"title": "Beacons"}, headers={"If-Match": again.headers["etag"]})
    present = await api.get(f"/resources/{id}")
    assert present.json() == changed.json()
    assert present.headers["etag"] == '"2"'


@pytest.mark.parametrize(
    ("statement", "field", "value"),
    [
        ("UPDATE resources SET status = 'failed' WHERE id = :id", "status", "failed"),  # counts no version
        ("UPDATE resources SET title = 'Beacons', version = 2 WHERE id = :id", "title", "Beacons"),
        (
            "INSERT INTO quality (resource_id, overall, accuracy, completeness, consistency, timeliness, relevance,"
            " computed, reasons, corrections, input_hash, source_hash, computed_at)"
            " VALUES (:id, .5, .5, .5, .5, .5, .5, '{}', '{}', '{}', '', '', now())",
            "quality",
            {"overall": 0.5},
        ),
    ],
)
async def test_a_resource_is_true_even_where_nothing_was_forgotten(
    api: httpx.AsyncClient, statement: str, field: str, value: Any
) -> None:
    id = await add(api)
    for _ in range(2):
        await api.get(f"/resources/{id}")
    await write(statement, id=id)
    assert (await api.get(f"/resources/{id}")).json()[field] == value


async def test_what_somebody_keeps_private_comes_from_nobodys_entry(api: httpx.AsyncClient, person: Person) -> None:
    ada, grace = await person("ada"), await person("grace")
    id = await add(ada, "Secret lamps", private=True)
    shared = await add(ada, "Shared lamps")
    for _ in range(2):
        assert (await ada.get(f"/resources/{id}")).status_code == 200
        assert (await grace.get(f"/resources/{id}")).status_code == 404
        assert {*(await search(ada))[0]} == {"Secret lamps", "Shared lamps"}
        assert (await search(grace))[0] == ["Shared lamps"]
        for path in ("neighbors", "quality", "classification"):
            assert (await grace.get(f"/resources/{id}/{path}")).status_code == 404
    await ada.put(f"/resources/{shared}", json={"private": True})
    assert (await grace.get(f"/resources/{shared}")).status_code == 404
    assert (await search(grace)) == ([], False)


async def test_what_was_made_private_is_out_of_an_entry_that_nobody_forgot(
    api: httpx.AsyncClient, person: Person
) -> None:
    ada, grace = await person("ada"), await person("grace")
    id = await add(ada)
    assert [await search(grace), await search(grace)] == [(["Lamps"], False), (["Lamps"], True)]
    await write("UPDATE resources SET private = true WHERE id = :id", id=id)
    assert await search(grace) == ([], False)


async def test_a_search_says_truly_whether_it_was_known(api: httpx.AsyncClient) -> None:
    id = await add(api)
    assert [await search(api) for _ in range(2)] == [(["Lamps"], False), (["Lamps"], True)]
    assert await search(api, limit=1) == (["Lamps"], False)  # another page
    assert await search(api, prefix=True) == (["Lamps"], False)  # what is being typed is not kept
    assert await search(api, prefix=True) == (["Lamps"], False)
    await api.put(f"/resources/{id}", json={"title": "Beacons"})
    assert await search(api) == (["Beacons"], False)
    await index(UUID(id))
    assert await search(api, "beacon") == (["Beacons"], False)
    await search(api, "beacon")
    await add(api, "More beacons")
    assert {*(await search(api, "beacon"))[0]} == {"Beacons", "More beacons"}
    await api.delete(f"/resources/{id}")
    assert await search(api, "beacon") == (["More beacons"], False)


async def test_the_cached_page_is_the_same_page(api: httpx.AsyncClient) -> None:
    await add(api, published_at="2020-01-02T03:04:05Z", authors=["Ada"], subjects=["sea"], language="en")
    pages = [(await api.get("/search", params={"query": "lamp", "mode": "keyword"})).json() for _ in range(2)]
    assert [page.pop("cached") for page in pages] == [False, True]
    assert all(page.pop("took_ms") >= 0 for page in pages)
    assert pages[0] == pages[1]


async def test_a_search_within_a_collection_follows_its_members(api: httpx.AsyncClient) -> None:
    one, two = await add(api), await add(api, "Lamps of ships")
    made = (await api.post("/collections", json={"name": "Sea"})).json()["id"]
    await api.post(f"/collections/{made}/resources", json={"resource_ids": [one]})
    everywhere = await search(api)
    assert await search(api, collection=made) == (["Lamps"], False)
    assert await search(api, collection=made) == (["Lamps"], True)
    await api.post(f"/collections/{made}/resources", json={"resource_ids": [two]})
    found, known = await search(api, collection=made)
    assert ({*found}, known) == ({"Lamps", "Lamps of ships"}, False)
    assert await search(api) == (everywhere[0], True)  # which is not by that collection
    await api.delete(f"/collections/{made}/resources/{one}")
    assert await search(api, collection=made) == (["Lamps of ships"], False)


async def test_a_search_within_a_category_follows_labels_and_the_tree(api: httpx.AsyncClient) -> None:
    id = await add(api)
    sea = (await api.post("/taxonomy", json={"name": "Sea"})).json()
    assert await search(api, category="sea") == ([], False)
    assert await search(api, category="sea") == ([], True)
    assert (await api.put(f"/resources/{id}/classification", json={"category_id": sea["id"]})).status_code == 200
    assert await search(api, category="sea") == (["Lamps"], False)
    assert (await api.get(f"/resources/{id}")).json()["categories"][0]["path"] == "sea"
    assert (await api.put(f"/taxonomy/{sea['id']}", json={"name": "Ocean"})).status_code == 200
    assert (await api.get(f"/resources/{id}")).json()["categories"][0]["path"] == "ocean"
    assert await search(api, category="sea") == ([], False)
    told = (await api.get(f"/resources/{id}/classification")).json()["predictions"]
    assert [one["path"] for one in told] == ["ocean"]
    assert (await api.get(f"/resources/{id}/classification")).json()["predictions"] == told
    assert await hits("classification") == 1
    assert (await api.delete(f"/resources/{id}/classification")).status_code == 204
    assert (await api.get(f"/resources/{id}/classification")).json()["predictions"] == []


async def test_a_profile_and_recommendations_follow_what_their_owner_does(
    api: httpx.AsyncClient, person: Person
) -> None:
    ada = await person("ada")
    one, two = await add(api, "Lamps"), await add(api, "Ships", "A ship with three masts.")

    async def recommended() -> set[str]:
        return {item["title"] for item in (await ada.get("/recommendations")).json()["items"]}

    async def touched() -> list[str]:
        profile = (await ada.get("/recommendations/profile")).json()
        return [item["title"] for item in profile["resources"]]

    for _ in range(2):
        assert (await recommended(), await touched()) == ({"Lamps", "Ships"}, [])
    assert (await hits("recommendations"), await hits("user")) == (1, 1)
    await ada.post("/interactions", json={"resource_id": one, "interaction_type": "view"})
    assert (await recommended(), await touched()) == ({"Ships"}, ["Lamps"])
    await ada.post(f"/recommendations/{two}/dismiss")
    assert await recommended() == set()
    await ada.delete(f"/recommendations/{two}/dismiss")
    assert await recommended() == {"Ships"}
    await api.put(f"/resources/{one}", json={"title": "Beacons"})
    assert await touched() == ["Beacons"]
    await api.put(f"/resources/{two}", json={"private": True})
    assert await recommended() == set()
    await ada.delete("/recommendations/profile")
    assert await touched() == []


async def test_neighbours_follow_what_becomes_of_them(api: httpx.AsyncClient) -> None:
    one, two = await add(api, subjects=["sea"]), await add(api, "Ships", "A ship.", subjects=["sea"])

    async def near() -> list[str]:
        return [item["title"] for item in (await api.get(f"/resources/{one}/neighbors")).json()["items"]]

    async def known(id: str) -> None:
        async with reading() as session:
            found = await source(session, UUID(id))
        async with transaction() as session:
            await resolve(session, named(found))

    assert [await near(), await near()] == [[], []]
    assert await hits("graph") == 1
    await known(one)
    await known(two)
    assert [await near(), await near()] == [["Ships"], ["Ships"]]
    await api.put(f"/resources/{two}", json={"title": "Boats"})
    assert await near() == ["Boats"]
    await api.delete(f"/resources/{two}")
    assert await near() == []


async def test_stats_and_warming_over_http(api: httpx.AsyncClient, person: Person) -> None:
    id = await add(api)
    for _ in range(2):
        await api.get(f"/resources/{id}")
    await until(lambda: not cache._flights)
    told = (await api.get("/cache/stats")).json()
    assert (told["hits"], told["misses"], told["total_operations"], told["hit_rate_percent"]) == (1, 1, 2, 50.0)
    assert {"entries", "bytes", "hits"} <= told["l1"].keys()
    asked = await api.post("/cache/warm", json={"prefixes": ["search_query"]})
    assert asked.status_code == 202
    assert (await api.get(f"/tasks/{asked.json()['task_id']}")).json()["name"] == "warm_cache"
    assert (await api.post("/cache/warm", json={})).status_code == 202
    assert (await api.post("/cache/warm", json={"prefixes": ["user"]})).status_code == 422
    assert (await (await person("ada")).post("/cache/warm", json={})).status_code == 403


async def test_stats_say_when_the_cache_is_away(api: httpx.AsyncClient) -> None:
    await cache.disconnect()
    assert (await api.get("/cache/stats")).status_code == 503
    id = await add(api)
    assert (await api.get(f"/resources/{id}")).json()["title"] == "Lamps"
    assert await search(api) == (["Lamps"], False)


async def test_what_was_used_most_is_there_again_after_a_flush(
    api: httpx.AsyncClient, redis_client: redis.asyncio.Redis
) -> None:
    id = await add(api)
    await api.post("/interactions", json={"resource_id": id, "interaction_type": "view"})
    await search(api)
    await executed.flush()
    await until(lambda: _logged("search.executed"))
    await redis_client.flushdb()
    assert (await warm_resources(), await warm_searches()) == (1, 1)
    assert await search(api) == (["Lamps"], True)
    await api.get(f"/resources/{id}")
    assert await hits("resource") == 1


async def _logged(name: str) -> bool:
    async with transaction() as session:
        return bool(await session.scalar(text("SELECT count(*) FROM events WHERE name = :name"), {"name": name}))


async def test_the_cleanup_takes_out_what_nobody_can_read(
    api: httpx.AsyncClient, redis_client: redis.asyncio.Redis
) -> None:
    for number in range(300):
        await cache.set(f"search_query:{number}", number)
        await cache.set(f"graph:{number}:neighbors", number)
    await cache.set("long " * 100, 1)
    await cache.forget(["search_query", "graph:7"])
    told = await actions.prune()
    assert told == {"looked_at": 601, "removed": 301}
    left = [key async for key in redis_client.scan_iter(keys.entry("*"))]
    assert len(left) == 300
    assert await cache.get("graph:8:neighbors") == 8
    assert (await actions.prune())["removed"] == 0


async def test_listeners_of_this_process_hear_of_hits_and_misses(api: httpx.AsyncClient) -> None:
    heard: list[tuple[str, str]] = []

    def hear(envelope: Envelope) -> None:
        event = envelope.event
        assert isinstance(event, CacheHit | CacheMiss | CacheInvalidated)
        if event.key == "quality:1":  # others of this process ask as well
            heard.append((event.name, event.key))

    await cache.get("quality:1")  # nobody listens
    for event in (CacheHit, CacheMiss, CacheInvalidated):
        bus.on(event, hear)
    await cache.get("quality:1")
    await cache.set("quality:1", 1)
    await cache.get("quality:1")
    await cache.delete("quality:1")
    await until(lambda: len(heard) == 3)
    assert [name for name, _ in heard] == ["cache.miss", "cache.hit", "cache.invalidated"]
    assert {key for _, key in heard} == {"quality:1"}
    assert not await _logged("cache.hit")


async def test_a_change_asks_for_the_urgent_task(api: httpx.AsyncClient, sent: Sent) -> None:
    id = await add(api)
    await api.put(f"/resources/{id}", json={"title": "Beacons"})
    await api.delete(f"/resources/{id}")
    await sent.expect(INVALIDATE, resource_id=id)
