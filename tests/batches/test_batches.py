"""Batches: progress, an error per item, and going on after a crash where they stood."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import dramatiq
import httpx
import pytest
from sqlalchemy import func, select, text

from service.batches.tables import BatchItem
from service.database import reading, transaction
from service.queue.actors import TaskActor
from service.queue.broker import PharosBroker
from service.queue.engine import Engine
from service.search import actions as search
from tests.inference.conftest import server
from tests.model_server import ModelServer
from tests.queue.conftest import until
from tests.taxonomy.conftest import embedded, towards
from tests.taxonomy.conftest import mean as give_meaning

__all__ = ["server"]

pytestmark = pytest.mark.integration

ROOT = Path(__file__).parents[2]
Person = Callable[..., Awaitable[httpx.AsyncClient]]


@pytest.fixture
def broker(application: object, monkeypatch: pytest.MonkeyPatch) -> Iterator[PharosBroker]:
    """A broker that knows the actor of batches."""
    before = dramatiq.broker.global_broker
    broker = PharosBroker()
    dramatiq.set_broker(broker)
    monkeypatch.delitem(sys.modules, "workers.batches", raising=False)
    import workers.batches  # declares its actor on this broker

    assert isinstance(workers.batches.batch_process_resources, TaskActor)
    yield broker
    broker.close()
    sys.modules.pop("workers.batches", None)
    dramatiq.broker.global_broker = before


@asynccontextmanager
async def working(broker: PharosBroker) -> AsyncIterator[Engine]:
    engine = Engine(broker, concurrency=2, grace=0, queues=["batch"])
    running = asyncio.create_task(engine.run())
    try:
        yield engine
    finally:
        engine.stop()
        await running


async def note(client: httpx.AsyncClient, title: str, **fields: Any) -> str:
    answer = await client.post("/resources", json={"title": title, "content": f"The words of {title}.", **fields})
    assert answer.status_code == 201
    return answer.json()["id"]


async def batch(client: httpx.AsyncClient, operation: str, ids: list[str]) -> str:
    answer = await client.post("/batch", json={"resource_ids": ids, "operation": operation})
    assert answer.status_code == 202, answer.text
    return answer.json()["task_id"]


async def ended(client: httpx.AsyncClient, task_id: str, seconds: float = 15) -> dict[str, Any]:
    async def task() -> dict[str, Any] | None:
        shown = (await client.get(f"/tasks/{task_id}")).json()
        return shown if shown["status"] in ("succeeded", "failed", "cancelled") else None

    return await until(task, seconds)


async def settled() -> int:
    async with reading() as session:
        return await session.scalar(select(func.count()).where(BatchItem.state != "pending")) or 0


async def test_each_item_is_done_or_has_its_error(api: httpx.AsyncClient, person: Person, broker: PharosBroker) -> None:
    mira = await person("mira")
    good, hidden = await note(mira, "Mine"), await note(api, "Private", private=True)
    unknown = str(uuid4())
    async with working(broker):
        task = await ended(mira, await batch(mira, "reindex", [good, hidden, unknown, good]))
    assert task["status"] == "succeeded"
    assert (task["name"], task["queue"], task["priority"]) == ("batch_process_resources", "batch", 3)
    assert task["progress"] == {"current": 3, "total": 3, "message": "reindex"}
    result = task["result"]
    assert (result["status"], result["processed_count"], result["failed_count"]) == ("completed_with_errors", 1, 2)
    assert {error["resource_id"] for error in result["errors"]} == {hidden, unknown}
    found = (await mira.get("/search", params={"query": "words", "mode": "keyword"})).json()
    assert [item["id"] for item in found["items"]] == [good]


async def test_a_batch_of_three_queues_three_and_says_that_it_did_them(
    api: httpx.AsyncClient, broker: PharosBroker
) -> None:
    ids = [await note(api, f"Lamp {number}") for number in range(3)]
    task_id = await batch(api, "reindex", ids)
    async with reading() as session:
        queued = (await session.execute(select(BatchItem.resource_id, BatchItem.state))).all()
    assert {(str(id), state) for id, state in queued} == {(id, "pending") for id in ids}
    async with working(broker):
        result = (await ended(api, task_id))["result"]
    assert {name: result[name] for name in ("processed_count", "status")} == {
        "processed_count": 3,
        "status": "completed",
    }


async def test_embeddings_are_made_again(api: httpx.AsyncClient, broker: PharosBroker, server: ModelServer) -> None:
    first, second = await note(api, "Lighthouses"), await note(api, "Ships")
    computed = select(func.count()).select_from(text("embeddings")).where(text("chunk_count > 0"))
    async with working(broker):
        task = await ended(api, await batch(api, "regenerate_embeddings", [first, second]), 60)
    assert (task["result"]["status"], task["result"]["processed_count"]) == ("completed", 2)
    async with reading() as session:
        assert await session.scalar(computed) == 2


async def test_quality_is_computed_again(api: httpx.AsyncClient, person: Person, broker: PharosBroker) -> None:
    mira = await person("mira")
    ids, hidden = [await note(mira, "Lighthouses"), await note(mira, "Ships")], await note(api, "Diary", private=True)
    page = (await mira.post("/ingest", json={"url": "https://example.org/"})).json()["id"]  # nobody reads it
    async with working(broker):
        task = await ended(mira, await batch(mira, "recompute_quality", [*ids, hidden, page]))
        assert (task["result"]["processed_count"], task["result"]["failed_count"]) == (2, 2)
        assert "no text yet" in task["result"]["errors"][1]["error"]
        for id in ids:
            assert (await mira.get(f"/resources/{id}/quality")).status_code == 200
        assert (await api.get(f"/resources/{hidden}/quality")).status_code == 404
        again = await ended(mira, await batch(mira, "recompute_quality", ids))
    assert again["result"]["status"] == "completed"  # nothing has changed: done


async def test_resources_are_classified_again(api: httpx.AsyncClient, broker: PharosBroker) -> None:
    assert (await api.post("/taxonomy", json={"name": "Sea"})).status_code == 201
    await give_meaning()
    first, waiting = await note(api, "Waves"), await note(api, "Not embedded")
    await embedded(UUID(first), towards(0))
    async with working(broker):
        task = await ended(api, await batch(api, "reclassify", [first, waiting]))
    assert (task["result"]["processed_count"], task["result"]["failed_count"]) == (1, 1)
    assert "not embedded yet" in task["result"]["errors"][0]["error"]
    assert (await api.get(f"/resources/{first}/classification")).json()["predictions"][0]["path"] == "sea"


async def test_what_cannot_be_done_is_refused(api: httpx.AsyncClient) -> None:
    for ids, operation in (([], "reindex"), ([str(uuid4())], "odd"), ([str(uuid4())] * 10_001, "reindex")):
        answer = await api.post("/batch", json={"resource_ids": ids, "operation": operation})
        assert answer.status_code == 422


async def test_it_goes_on_where_it_was_handed_back(
    api: httpx.AsyncClient, broker: PharosBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first engine stops after two items; the second one does the other three, and none twice."""
    ids = [await note(api, f"Note {n}") for n in range(5)]
    indexed: list[str] = []
    third = asyncio.Event()
    index = search.index

    async def watched(session: Any, resource_id: Any) -> bool:
        if len(indexed) == 2 and not third.is_set():
            third.set()
            await asyncio.Event().wait()  # for ever
        indexed.append(str(resource_id))
        return await index(session, resource_id)

    monkeypatch.setattr(search, "index", watched)
    async with working(broker):
        task_id = await batch(api, "reindex", ids)
        await until(third.is_set)
    assert await settled() == 2
    async with working(broker):
        task = await ended(api, task_id)
    assert task["result"]["processed_count"] == 5
    assert indexed == ids


async def test_a_cancelled_one_stops_where_it_is(
    api: httpx.AsyncClient, broker: PharosBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = [await note(api, f"Note {n}") for n in range(3)]
    begun = asyncio.Event()

    async def endless(session: Any, resource_id: Any) -> bool:
        begun.set()
        await asyncio.Event().wait()  # for ever
        return True

    monkeypatch.setattr(search, "index", endless)
    async with working(broker):
        task_id = await batch(api, "reindex", ids)
        await until(begun.is_set)
        assert (await api.post(f"/tasks/{task_id}/cancel")).status_code == 202
        assert (await ended(api, task_id))["status"] == "cancelled"
    assert await settled() == 0


@contextmanager
def worker(log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A worker process of its own, killed at the end with whatever it started."""
    command = [sys.executable, "-m", "dramatiq", "workers", "--processes", "1", "--threads", "1"]
    with log.open("ab") as file:
        process = subprocess.Popen(command, cwd=ROOT, stdout=file, stderr=file, start_new_session=True)
    try:
        yield process
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(10)


@pytest.mark.faults
@pytest.mark.timeout(120)
async def test_kill_9_costs_no_item(api: httpx.AsyncClient, tmp_path: Path) -> None:
    ids = [await note(api, f"Note {n}") for n in range(200)]
    async with transaction() as session:  # slow enough to be killed half way, on any machine
        await session.execute(text("ALTER TABLE batch_items ADD CONSTRAINT slow CHECK (pg_sleep(0.02) IS NOT NULL)"))
    try:
        with worker(tmp_path / "first.log"):
            task_id = await batch(api, "reindex", ids)

            async def half_way() -> bool:
                return await settled() >= 50

            await until(half_way, 40)
        before = await settled()
        async with reading() as session:
            killed_at = await session.scalar(select(func.now()))
        with worker(tmp_path / "second.log"):
            task = await ended(api, task_id, 60)
    finally:
        async with transaction() as session:
            await session.execute(text("ALTER TABLE batch_items DROP CONSTRAINT slow"))
    assert 50 <= before < 200
    assert (task["status"], task["result"]["processed_count"]) == ("succeeded", 200)
    async with reading() as session:
        again = await session.scalar(
            text("SELECT count(*) FROM search_documents WHERE indexed_at > :at"), {"at": killed_at}
        )
    assert again == 200 - before
