"""One real page in: everything derived of it comes, follows its text, and goes with it."""

from dataclasses import replace
from html import escape
from typing import Any
from uuid import UUID

import asyncpg
import httpx
import pytest
import redis.asyncio

from service.embedded import Postgres, Valkey
from service.hooks import HOOKS
from service.queue import Task
from service.tasks import ANCHOR, AUTHORS, CLASSIFY, EMBED, GRAPH, INDEX, PROFILE, QUALITY, RECENTER
from tests.installation import Installation
from tests.journey.conftest import Prose, eventually, pages
from tests.origin import Origin, Page

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(900)]

COMPUTING = 30.0  # seconds beyond the delay that the table states, on a machine that has other work
# What is kept about what is gone: the log of events for 90 days, who asked for which task, and the trash.
KEPT = {"events", "outbox", "tasks", "audit_log", "trash"}


def limit(task: Task) -> float:
    """Return by when a task has done its work after what it waits for."""
    return max(max(row.after, row.at_most) for row in HOOKS if row.run is task) + COMPUTING


def written(page: Prose, author: str, cites: str, phrase: str) -> bytes:
    """Give a page an author, a link to another one, and a passage to mark."""
    head = f'<meta name="author" content="{author}"><meta name="description" content="About a part of Python.">'
    said = f'<p>Every {escape(phrase)} is described here, as in <a href="{cites}">the other page</a>.</p>'
    return page.html.replace("<title>", f"{head}<title>", 1).replace("<p>", f"{said}<p>", 1).encode()


async def test_everything_derived_comes_follows_and_goes(
    api: httpx.AsyncClient, origin: Origin, installation: Installation
) -> None:
    page = replace(pages()[11], path="/derived")
    origin.pages[page.path] = Page(written(page, "Ada Lovelace", origin.url(pages()[10].path), "blue lantern"))
    cited = (await api.post("/ingest", json={"url": origin.url(pages()[10].path)})).json()["id"]
    id = (await api.post("/ingest", json={"url": origin.url(page.path)})).json()["id"]
    await there(api, id, cited, "blue lantern", "Lovelace")

    shelf = (await api.post("/collections", json={"name": "Shelf"})).json()["id"]
    assert (await api.post(f"/collections/{shelf}/resources", json={"resource_ids": [id, cited]})).status_code == 200
    start = (await got(api, f"/resources/{id}"))["content"].index("blue lantern")
    mark = await api.post(f"/resources/{id}/annotations", json={"start": start, "end": start + 12, "note": "look"})
    assert mark.status_code == 201, mark.text
    for _ in range(10):
        seen = await api.post("/interactions", json={"resource_id": id, "interaction_type": "view"})
        assert seen.status_code == 201, seen.text

    async def centred() -> bool:
        near = await api.get(f"/collections/{shelf}/similar")
        return near.status_code == 200 and await embedded_members(installation, shelf) == 2

    await eventually(centred, limit(RECENTER))
    assert await waiting(installation, PROFILE.name) == 1  # the tenth asked for it, and it waits for five minutes

    before = await got(api, f"/resources/{id}/embedding")
    origin.pages[page.path] = Page(written(page, "Grace Hopper", origin.url("/nowhere"), "green blue lantern"))
    again = await api.post("/ingest", json={"url": origin.url(page.path), "force": True})
    assert again.json()["id"] == id
    await there(api, id, None, "green blue lantern", "Hopper")
    assert (await got(api, f"/resources/{id}/embedding"))["vector"] != before["vector"]

    async def moved() -> bool:
        text = (await got(api, f"/resources/{id}"))["content"]
        note = (await got(api, f"/resources/{id}/annotations"))["items"][0]
        return note["start"] is not None and text[note["start"] : note["end"]] == "blue lantern"

    await eventually(moved, limit(ANCHOR))
    names = [event["name"] for event in (await got(api, f"/resources/{id}/timeline"))["items"]]
    in_order(names, ["ingestion.started", "citations.extracted", "authors.extracted", "resource.created",
                     "ingestion.completed", "search.index_updated", "embedding.generated", "quality.computed",
                     "resource.classified", "resource.content_changed", "embedding.generated"])  # fmt: skip

    assert (await api.delete(f"/resources/{id}")).status_code == 204

    async def gone() -> bool:
        return await mentions(installation, id) == [] and await embedded_members(installation, shelf) == 1

    await eventually(gone, limit(GRAPH))
    assert (await api.get(f"/resources/{id}")).status_code == 404
    assert [one["id"] for one in (await got(api, f"/collections/{shelf}/resources"))["items"]] == [cited]
    assert await found(api, "green blue lantern") == []
    assert (await got(api, "/dlq"))["items"] == []


async def there(api: httpx.AsyncClient, id: str, cites: str | None, phrase: str, author: str) -> None:
    """Wait for each thing that is derived of a page, as long as the table says."""

    async def stored() -> bool:
        return phrase in (await got(api, f"/resources/{id}"))["content"]

    async def indexed() -> bool:
        return await found(api, phrase) == [id]

    async def embedded() -> bool:
        steps = {step["name"]: step["state"] for step in (await got(api, f"/resources/{id}/status"))["steps"]}
        return steps.get("embedded") == "completed"

    async def assessed() -> bool:
        quality = await api.get(f"/resources/{id}/quality")
        return quality.status_code == 200 and all(quality.json()["reasons"].values())

    async def classified() -> bool:
        return len((await got(api, f"/resources/{id}/classification"))["predictions"]) == 5

    async def drawn() -> bool:
        outgoing = (await got(api, f"/resources/{id}/citations"))["citations"]
        targets = {one["target_id"] for one in outgoing if one["target_id"]}
        return targets == ({cites} if cites else set())

    async def named() -> bool:
        return any(author in one["name"] for one in (await got(api, f"/authors?q={author}"))["items"])

    await eventually(stored, 60)
    await eventually(indexed, limit(INDEX))
    await eventually(embedded, limit(EMBED))
    await eventually(assessed, limit(QUALITY))
    await eventually(classified, limit(CLASSIFY))
    await eventually(drawn, limit(GRAPH))
    await eventually(named, limit(AUTHORS))


async def got(api: httpx.AsyncClient, path: str) -> Any:
    answer = await api.get(path)
    assert answer.status_code == 200, (path, answer.text)
    return answer.json()


async def found(api: httpx.AsyncClient, phrase: str) -> list[str]:
    answer = await api.get("/search", params={"query": f'"{phrase}"', "mode": "keyword"})
    return [item["id"] for item in answer.json()["items"]]


def in_order(names: list[str], expected: list[str]) -> None:
    """Check that names come in this order, whatever else comes between."""
    rest = iter(names)
    assert all(name in rest for name in expected), names


async def rows(installation: Installation, query: str, *arguments: object) -> list[asyncpg.Record]:
    connection = await asyncpg.connect(Postgres(installation.home / "postgres").url())
    try:
        return await connection.fetch(query, *arguments)
    finally:
        await connection.close()


async def embedded_members(installation: Installation, shelf: str) -> int:
    query = "SELECT members FROM collection_embeddings WHERE collection_id = $1"
    return sum(row["members"] for row in await rows(installation, query, UUID(shelf)))


async def waiting(installation: Installation, task: str) -> int:
    """Count the tasks of a name that wait in Redis."""
    async with redis.asyncio.Redis.from_url(Valkey(installation.home / "valkey").url()) as store:
        bodies = [await store.hgetall(key) async for key in store.scan_iter("dramatiq:task:*")]
    return sum(task.encode() in b"".join(body.values()) for body in bodies)


async def mentions(installation: Installation, id: str) -> list[str]:
    """Return the tables that hold the id of a resource, and the keys of the cache."""
    tables = await rows(installation, "SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    held = [
        name
        for (name,) in tables
        if name not in KEPT
        and await rows(installation, f"SELECT 1 FROM {name} t WHERE t::text LIKE '%' || $1 || '%' LIMIT 1", id)
    ]
    url = Valkey(installation.home / "valkey").url()
    async with redis.asyncio.Redis.from_url(url, db=1) as cache:
        held += [str(key) async for key in cache.scan_iter() if id.encode() in key]
    return held
