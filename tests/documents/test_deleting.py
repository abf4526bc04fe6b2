"""Deleting: everything that hangs on a document, its bytes included, and many at once as a task."""

import os
from collections.abc import Awaitable, Callable
from uuid import UUID, uuid4

import httpx
import pytest
from sqlalchemy import func, select

from service import storage
from service.database import reading, transaction
from service.documents import cleaning
from service.documents.actions import forget_bytes
from service.documents.tables import Document, Passage
from service.queue.engine import Engine
from service.search.tables import Chunk
from tests.documents.conftest import Upload, prose, reached
from tests.queue.conftest import until

pytestmark = pytest.mark.integration

Person = Callable[..., Awaitable[httpx.AsyncClient]]


async def key_of(item: dict[str, str]) -> str:
    async with reading() as session:
        return (await session.get_one(Document, UUID(item["id"]))).original


async def test_everything_derived_goes_along(api: httpx.AsyncClient, worker: Engine, upload: Upload) -> None:
    item = await upload("gone.txt", prose(1))
    await reached(api, item["id"], "ready")
    key = await key_of(item)
    assert (await api.delete(f"/documents/{item['id']}")).status_code == 204
    assert (await api.get(f"/documents/{item['id']}")).status_code == 404
    assert await storage.exists(key)  # until it is deleted for good
    async with reading() as session:
        for table in (Document, Passage, Chunk):
            assert await session.scalar(select(func.count()).select_from(table)) == 0
    again = await upload("gone.txt", prose(1))
    assert again["duplicate"] is False
    await reached(api, again["id"], "ready")


async def test_it_is_studied_again_once_it_is_restored(api: httpx.AsyncClient, worker: Engine, upload: Upload) -> None:
    item = await upload("back.txt", prose(1), subject="Sea")
    await reached(api, item["id"], "ready")
    passages = (await api.get(f"/documents/{item['id']}/passages")).json()
    assert passages["total"] > 0
    assert (await api.delete(f"/documents/{item['id']}")).status_code == 204
    assert (await api.get("/documents")).json()["total"] == 0
    assert (await api.post(f"/resources/{item['resource_id']}/restore")).status_code == 200
    back = await reached(api, item["id"], "ready")
    assert back["status"] == "ready"
    assert (await api.get(f"/documents/{item['id']}/passages")).json() == passages
    (shown,) = (await api.get("/documents")).json()["items"]
    assert (shown["filename"], shown["subject"]) == ("back.txt", "Sea")
    found = (await api.get("/search", params={"query": "keeper", "mode": "keyword"})).json()["items"]
    assert [one["id"] for one in found] == [item["resource_id"]]


async def test_bytes_that_somebody_else_has_stay(api: httpx.AsyncClient, person: Person, upload: Upload) -> None:
    ada = await person("ada")
    hers = await upload("hers.txt", "the same", client=ada, private="true")
    mine = await upload("mine.txt", "the same")
    assert (await api.delete(f"/documents/{mine['id']}")).status_code == 204
    assert (await ada.get(f"/documents/{hers['id']}/download")).text == "the same"
    assert (await ada.delete(f"/documents/{hers['id']}")).status_code == 204


async def test_a_duplicate_never_names_what_is_another_s(
    api: httpx.AsyncClient, person: Person, upload: Upload
) -> None:
    ada = await person("ada")
    hers = await upload("hers.txt", "the same", client=ada, private="true")
    shared = await upload("shared.txt", "the same")
    assert (shared["duplicate"], shared["id"] == hers["id"], shared["filename"]) == (False, False, "shared.txt")
    again = await upload("again.txt", "the same", client=ada, private="true")
    assert (again["duplicate"], again["id"], again["filename"]) == (True, hers["id"], "hers.txt")
    also = await upload("also.txt", "the same", client=ada)  # hers is there already, for her alone
    assert (also["duplicate"], also["id"]) == (True, hers["id"])


async def test_many_are_deleted_by_a_task(api: httpx.AsyncClient, worker: Engine, upload: Upload) -> None:
    items = [await upload(f"{n}.txt", f"text number {n}") for n in range(5)]
    kept, *gone = items
    keys = [await key_of(item) for item in gone]
    answer = await api.post("/documents/delete", json={"document_ids": [item["id"] for item in gone]})
    assert answer.status_code == 202, answer.text
    task = answer.json()["task_id"]

    async def done() -> dict[str, object] | None:
        state = (await api.get(f"/tasks/{task}")).json()
        return state if state["status"] == "succeeded" else None

    result = (await until(done, 30))["result"]
    assert (result["processed_count"], result["failed_count"]) == (4, 0)
    assert [one["id"] for one in (await api.get("/documents")).json()["items"]] == [kept["id"]]
    assert (await api.delete("/trash")).json() == {"purged": 4}

    async def dropped() -> bool:
        return [await storage.exists(key) for key in keys] == [False] * 4

    await until(dropped, 30)


async def test_nothing_is_asked_for_that_one_may_not_see(
    api: httpx.AsyncClient, person: Person, upload: Upload
) -> None:
    ada = await person("ada")
    hers = await upload("hers.txt", "hers", client=ada, private="true")
    mine = await upload("mine.txt", "mine")
    for ids in ([mine["id"], hers["id"]], [str(uuid4())]):
        assert (await api.post("/documents/delete", json={"document_ids": ids})).status_code == 404
    for ids in ([], [str(uuid4()) for _ in range(1001)], ["x"]):
        assert (await api.post("/documents/delete", json={"document_ids": ids})).status_code == 422
    assert (await api.get("/documents")).json()["total"] == 1


async def test_bytes_without_a_row_are_found_by_the_timetable(api: httpx.AsyncClient, upload: Upload) -> None:
    item = await upload("used.txt", "used")
    used, unused, young = await key_of(item), await storage.put(b"unused"), await storage.put(b"young")
    folder = storage.configured()
    for key in (used, unused):
        os.utime(folder._path(key), (0, 0))  # pyright: ignore
    assert await cleaning.drop_unused() == 1
    assert [await storage.exists(key) for key in (used, unused, young)] == [True, False, True]
    async with transaction() as session:
        assert not await forget_bytes(session, used)
