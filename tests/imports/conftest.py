"""A worker that knows imports, and what a file becomes."""

import asyncio
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import dramatiq
import httpx
import pytest

from service.queue.broker import PharosBroker
from service.queue.engine import Engine
from tests.queue.conftest import until

SAMPLES = Path(__file__).parent / "samples"
Importing = Callable[..., Awaitable[dict[str, Any]]]


@pytest.fixture
def broker(application: object, monkeypatch: pytest.MonkeyPatch) -> Iterator[PharosBroker]:
    """A broker that knows the actors of imports and of the way in."""
    before = dramatiq.broker.global_broker
    broker = PharosBroker()
    dramatiq.set_broker(broker)
    names = ("workers.imports", "workers.ingestion")
    for name in names:
        monkeypatch.delitem(sys.modules, name, raising=False)
    import workers.imports
    import workers.ingestion  # noqa: F401

    yield broker
    broker.close()
    for name in names:
        sys.modules.pop(name, None)
    dramatiq.broker.global_broker = before


@asynccontextmanager
async def working(broker: PharosBroker, *queues: str) -> AsyncIterator[Engine]:
    """Run a worker of these queues."""
    engine = Engine(broker, concurrency=2, grace=0, queues=list(queues or ("batch",)))
    running = asyncio.create_task(engine.run())
    try:
        yield engine
    finally:
        engine.stop()
        await running


async def started(client: httpx.AsyncClient, name: str, body: bytes, **fields: Any) -> str:
    """Send a file, and return the id of its import."""
    answer = await client.post("/import", files={"file": (name, body)}, data=fields)
    assert answer.status_code == 202, answer.text
    assert set(answer.json()) == {"task_id", "batch_id"}
    return answer.json()["batch_id"]


async def ended(client: httpx.AsyncClient, id: str, seconds: float = 20) -> dict[str, Any]:
    """Wait until an import has ended, and return it."""

    async def over() -> dict[str, Any] | None:
        shown = (await client.get(f"/imports/{id}")).json()
        return shown if shown["state"] not in ("pending", "adding") else None

    return await until(over, seconds)


async def imported(client: httpx.AsyncClient, name: str, body: bytes | None = None, **fields: Any) -> dict[str, Any]:
    """Import a sample, or a body under that name, and return what became of it."""
    given = (SAMPLES / name).read_bytes() if body is None else body
    return await ended(client, await started(client, name, given, **fields))


async def library(client: httpx.AsyncClient) -> dict[str, dict[str, Any]]:
    """Return what is in the library, by title."""
    items: list[dict[str, Any]] = []
    while len(page := (await client.get("/resources", params={"limit": 100, "offset": len(items)})).json()["items"]):
        items += page
    assert len({item["title"] for item in items}) == len(items), [item["title"] for item in items]
    return {item["title"]: item for item in items}


async def paths(client: httpx.AsyncClient) -> dict[str, set[str]]:
    """Return the titles that each collection holds, by its path."""
    rows = (await client.get("/collections", params={"limit": 100})).json()["items"]
    by_id = {row["id"]: row for row in rows}
    found: dict[str, set[str]] = {}
    for row in rows:
        names, here = [row["name"]], row
        while here["parent_id"]:
            here = by_id[here["parent_id"]]
            names.insert(0, here["name"])
        held = (await client.get("/resources", params={"collection": row["id"]})).json()["items"]
        assert "/".join(names) not in found
        found["/".join(names)] = {item["title"] for item in held}
    return found
