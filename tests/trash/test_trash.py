"""What is deleted is gone at once, and comes back as it was."""

import json
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from sqlalchemy import text

from service import storage
from service.backups.checking import check
from service.database import reading, transaction
from service.documents import cleaning
from service.documents.actions import forget_bytes
from service.migrations import metadata
from service.trash import actions
from service.trash.kept import DERIVED, KEPT, LINKS

pytestmark = pytest.mark.integration

Person = Callable[..., Awaitable[httpx.AsyncClient]]
WORDS = "The keeper of the tower writes down what the sea brings to the rocks below. " * 6


async def note(client: httpx.AsyncClient, title: str = "The lamp", **fields: Any) -> str:
    answer = await client.post("/resources", json={"title": title, "content": WORDS, **fields})
    assert answer.status_code == 201, answer.text
    return answer.json()["id"]


async def got(client: httpx.AsyncClient, path: str) -> Any:
    answer = await client.get(path)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def trashed(client: httpx.AsyncClient) -> list[str]:
    return [one["id"] for one in (await got(client, "/trash"))["items"]]


async def rows_of(id: str) -> dict[str, list[dict[str, Any]]]:
    """Return every row that is kept of a resource, by table."""
    found: dict[str, list[dict[str, Any]]] = {}
    async with reading() as session:
        for one in KEPT:
            name = one.table.name
            rows = text(f"SELECT CAST(to_jsonb(k) AS text) FROM {name} k WHERE {one.where} ORDER BY 1")
            found[name] = [json.loads(row) for row in await session.scalars(rows, {"id": UUID(id)})]
    return found


def test_every_table_that_goes_with_a_resource_is_kept_or_derived() -> None:
    gone, emptied = {"resources"}, set[str]()
    tables = metadata().sorted_tables
    for table in tables:
        for key in table.foreign_keys:
            if key.column.table.name in gone and key.ondelete == "CASCADE":
                gone.add(table.name)
    for table in tables:
        for key in table.foreign_keys:
            if key.column.table.name in gone and key.ondelete == "SET NULL":
                emptied.add(f"{table.name}.{key.parent.name}")
    unfinished = {"uploads"}  # has done its work once there is a document
    named = [*(one.table.name for one in KEPT), *(one.__tablename__ for one in DERIVED)]
    assert len(named) == len(set(named))
    assert set(named) == gone - unfinished
    assert {one.name for one in LINKS} == emptied
    kept = [one.table.name for one in KEPT]
    for at, one in enumerate(KEPT):
        assert {key.column.table.name for key in one.table.foreign_keys}.isdisjoint(kept[at + 1 :]), one.table.name


async def test_what_people_made_comes_back(api: httpx.AsyncClient, person: Person) -> None:
    ada = await person("ada")
    id = await note(api, tags=["light", "sea"], authors=["Ines Marlow"], url="https://example.org/lamp")
    shelf = (await api.post("/collections", json={"name": "Shelf"})).json()["id"]
    hers = (await ada.post("/collections", json={"name": "Hers"})).json()["id"]
    for client, collection in ((api, shelf), (ada, hers)):
        answer = await client.post(f"/collections/{collection}/resources", json={"resource_ids": [id]})
        assert answer.status_code == 200, answer.text
    for client, words in ((api, "mine"), (ada, "hers")):
        marked = {"start": 4, "end": 10, "note": words, "tags": ["mark"], "colour": "green"}
        assert (await client.post(f"/resources/{id}/annotations", json=marked)).status_code == 201
        read = {"resource_id": id, "interaction_type": "view", "dwell_seconds": 40}
        assert (await client.post("/interactions", json=read)).status_code == 201
        assert (await client.put(f"/resources/{id}/reading", json={"progress": 0.4})).status_code == 200
    category = (await api.post("/taxonomy", json={"name": "Sea"})).json()["id"]
    assert (await api.put(f"/resources/{id}/classification", json={"category_id": category})).status_code == 200
    shown, before = await got(api, f"/resources/{id}"), await rows_of(id)
    assert {name for name, rows in before.items() if rows} >= {
        "resources", "annotations", "collection_resources", "interactions", "classifications", "readings",
    }  # fmt: skip

    assert (await api.delete(f"/resources/{id}")).status_code == 204
    assert (await api.get(f"/resources/{id}")).status_code == 404
    assert (await api.delete(f"/resources/{id}")).status_code == 404
    assert (await got(api, "/resources"))["total"] == 0
    assert (await got(api, f"/collections/{shelf}"))["resource_count"] == 0
    assert (await got(ada, "/annotations"))["total"] == 0
    assert (await got(api, "/tags"))["items"] == []
    assert not any(rows for rows in (await rows_of(id)).values())
    (item,) = (await got(api, "/trash"))["items"]
    assert (item["id"], item["title"], item["url"]) == (id, "The lamp", "https://example.org/lamp")

    back = await api.post(f"/resources/{id}/restore")
    assert (back.status_code, back.headers["etag"]) == (200, f'"{shown["version"] + 1}"')
    before["resources"][0]["version"] += 1
    assert await rows_of(id) == before
    assert (await got(api, f"/resources/{id}")) == shown | {"version": shown["version"] + 1}
    assert (await got(api, f"/collections/{shelf}"))["resource_count"] == 1
    assert [one["note"] for one in (await got(ada, f"/resources/{id}/annotations"))["items"]] == ["hers"]
    assert await trashed(api) == []
    assert (await api.post(f"/resources/{id}/restore")).status_code == 404


async def test_that_it_is_about_no_category_comes_back(api: httpx.AsyncClient) -> None:
    id = await note(api)
    await api.put(f"/resources/{id}/classification", json={"none": True})
    assert (await api.delete(f"/resources/{id}")).status_code == 204
    assert (await api.post(f"/resources/{id}/restore")).status_code == 200
    assert (await got(api, f"/resources/{id}/classification"))["none"] is True


async def test_it_is_derived_anew(api: httpx.AsyncClient) -> None:
    id = await note(api)
    await api.delete(f"/resources/{id}")
    await api.post(f"/resources/{id}/restore")
    async with reading() as session:
        names = await session.scalars(
            text("SELECT name FROM (SELECT name, timestamp FROM outbox UNION ALL SELECT name, timestamp FROM events) e"
                 " ORDER BY timestamp")
        )  # fmt: skip
        assert list(names)[-4:] == [
            "resource.deleted", "resource.restored", "resource.created", "resource.content_changed",
        ]  # fmt: skip


async def test_the_trash_shows_each_what_they_may_see(api: httpx.AsyncClient, person: Person) -> None:
    ada, ben = await person("ada"), await person("ben")
    reader = await person("eve", "reader")
    shared, hers = await note(ada, "Shared"), await note(ada, "Hers", private=True)
    for id in (shared, hers):
        assert (await ada.delete(f"/resources/{id}")).status_code == 204
    assert await trashed(ada) == [hers, shared]
    assert await trashed(ben) == await trashed(api) == await trashed(reader) == [shared]
    for path in (f"/resources/{hers}/restore", f"/resources/{uuid4()}/restore", "/resources/x/restore"):
        assert (await ben.post(path)).status_code == 404
    assert (await ben.delete(f"/trash/{hers}")).status_code == 404
    assert (await reader.post(f"/resources/{shared}/restore")).status_code == 403
    assert (await reader.delete(f"/trash/{shared}")).status_code == 403
    assert (await reader.delete("/trash")).status_code == 403
    assert (await ben.delete("/trash")).json() == {"purged": 0}  # nothing of it is his
    assert (await ben.post(f"/resources/{shared}/restore")).status_code == 200
    assert (await ada.delete("/trash")).json() == {"purged": 1}
    assert (await ada.post(f"/resources/{hers}/restore")).status_code == 404


async def test_pages_of_the_trash_follow_each_other(api: httpx.AsyncClient) -> None:
    ids = [await note(api, f"Lamp {n}") for n in range(5)]
    for id in ids:
        await api.delete(f"/resources/{id}")
    seen: list[str] = []
    after = None
    for _ in range(3):
        part = (await api.get("/trash", params={"limit": 2, **({"after": after} if after else {})})).json()
        seen += [one["id"] for one in part["items"]]
        after = part["next"]
        await api.delete(f"/trash/{seen[-1]}")  # what the next page begins after is gone
    assert (seen, after) == (ids[::-1], None)
    for wrong in ("x", f"2026-01-01/{uuid4()}x", ""):
        assert (await api.get("/trash", params={"after": wrong})).status_code == 422


async def test_the_bytes_stay_until_it_is_gone_for_good(api: httpx.AsyncClient) -> None:
    storage.configured.cache_clear()
    answer = await api.post("/documents", files={"file": ("lamp.txt", WORDS.encode(), "text/plain")})
    item = answer.json()["items"][0]
    async with reading() as session:
        key = await session.scalar(text("SELECT original FROM documents"))
    assert (await api.delete(f"/documents/{item['id']}")).status_code == 204
    async with transaction() as session:
        assert not await forget_bytes(session, key or "")
    assert await storage.exists(key or "")
    assert {one.kind for one in await check()} & {"originals unused", "originals missing", "references"} == set()

    assert (await api.post(f"/resources/{item['resource_id']}/restore")).status_code == 200
    assert (await api.get(f"/documents/{item['id']}/download")).text == WORDS
    assert (await api.delete(f"/documents/{item['id']}")).status_code == 204
    assert (await api.delete(f"/trash/{item['resource_id']}")).status_code == 204
    assert (await api.delete(f"/trash/{item['resource_id']}")).status_code == 404
    for _ in range(200):
        if not await storage.exists(key or ""):
            break
        await api.get("/ready")
    assert not await storage.exists(key or "")
    assert await cleaning.unused() == []
    storage.configured.cache_clear()


async def test_what_was_deleted_comes_back_when_it_is_added_again(api: httpx.AsyncClient, person: Person) -> None:
    url = "https://example.org/lamp?utm_source=x"
    first = (await api.post("/ingest", json={"url": url})).json()
    await api.post(f"/resources/{first['id']}/tags", json={"add": ["kept"]})
    await api.delete(f"/resources/{first['id']}")
    again = await api.post("/ingest", json={"url": "https://example.org/lamp"})
    assert (again.status_code, again.json()["id"], again.json()["duplicate"]) == (202, first["id"], False)
    assert (await got(api, f"/resources/{first['id']}"))["tags"] == ["kept"]
    assert again.json()["task_id"] != first["task_id"]
    assert await trashed(api) == []

    ada = await person("ada")
    hers = (await ada.post("/ingest", json={"url": "https://example.org/own", "private": True})).json()["id"]
    await ada.delete(f"/resources/{hers}")
    other = (await api.post("/ingest", json={"url": "https://example.org/own"})).json()
    assert (other["duplicate"], other["id"] == hers) == (False, False)  # another one's private page stays where it is
    assert await trashed(ada) == [hers]


async def test_it_comes_back_beside_what_took_its_address(api: httpx.AsyncClient) -> None:
    first = (await api.post("/ingest", json={"url": "https://example.org/a"})).json()["id"]
    await api.delete(f"/resources/{first}")
    async with transaction() as session:
        await session.execute(text("UPDATE trash SET address = NULL"))
    second = (await api.post("/ingest", json={"url": "https://example.org/a"})).json()["id"]
    assert (await api.post(f"/resources/{first}/restore")).status_code == 200
    async with reading() as session:
        rows = await session.execute(text("SELECT CAST(resource_id AS text), address FROM ingestions"))
        assert {(id, address) for id, address in rows} == {(first, None), (second, "https://example.org/a")}


async def test_what_it_hung_on_may_be_gone(api: httpx.AsyncClient) -> None:
    id, twin = await note(api), await note(api)
    assert (await got(api, f"/resources/{twin}"))["duplicate_of"] == id
    shelf = (await api.post("/collections", json={"name": "Shelf"})).json()["id"]
    await api.post(f"/collections/{shelf}/resources", json={"resource_ids": [id]})
    await api.delete(f"/resources/{id}")
    assert (await got(api, f"/resources/{twin}"))["duplicate_of"] is None
    await api.delete(f"/collections/{shelf}")
    assert (await api.post(f"/resources/{id}/restore")).status_code == 200
    assert (await got(api, f"/resources/{twin}"))["duplicate_of"] == id
    await api.delete(f"/resources/{twin}")
    await api.delete(f"/resources/{id}")
    assert (await api.post(f"/resources/{twin}/restore")).json()["duplicate_of"] is None


async def test_a_column_of_later_has_its_default(api: httpx.AsyncClient) -> None:
    id = await note(api)
    await api.delete(f"/resources/{id}")
    async with transaction() as session:
        await session.execute(text("UPDATE trash SET rows = rows #- '{resources,0,identifiers}'"))
    assert (await api.post(f"/resources/{id}/restore")).status_code == 200


async def test_the_timetable_deletes_what_is_old(api: httpx.AsyncClient) -> None:
    old, young = await note(api, "Old"), await note(api, "Young")
    for id, days in ((old, 31), (young, 29)):
        await api.delete(f"/resources/{id}")
        async with transaction() as session:
            aged = text("UPDATE trash SET deleted_at = now() - make_interval(days => :days) WHERE id = :id")
            await session.execute(aged, {"days": days, "id": UUID(id)})
    async with transaction() as session:
        assert await actions.purge_old(session, 30) == 1
    assert await trashed(api) == [young]


async def test_a_delete_that_fails_leaves_nothing_in_the_trash(api: httpx.AsyncClient) -> None:
    id = await note(api)
    assert (await api.delete(f"/resources/{id}", headers={"If-Match": '"7"'})).status_code == 412
    assert await trashed(api) == []
