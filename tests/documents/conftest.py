"""A Pharos whose tasks run in this process, with the real model server, and files for it."""

import asyncio
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from importlib import import_module
from typing import Any
from uuid import UUID

import dramatiq
import httpx
import pytest
from sqlalchemy import select
from starlette.applications import Starlette

import workers
from service import storage
from service.database import reading
from service.event_log import EventRow
from service.queue.broker import PharosBroker
from service.queue.engine import Engine
from tests.inference.conftest import model, server
from tests.model_server import ModelServer
from tests.queue.conftest import until

__all__ = ["model", "server"]

Upload = Callable[..., Awaitable[dict[str, Any]]]
PARAGRAPH = (
    "The lighthouse of Alexandria stood on the island of Pharos. It was built by Sostratus of Cnidus in about 280 BC. "
    "Its light was seen from more than fifty kilometres away. Three earthquakes brought it down between 956 and 1323. "
)


def prose(number: int, sentences: int = 40) -> str:
    """Return a text that is like no other."""
    return " ".join(
        f"Keeper {number}-{n} wrote that ship {n * 7 + number} passed the reef of island {n * 3 + number} in a storm."
        for n in range(sentences)
    )


@pytest.fixture(autouse=True)
def folder() -> Iterator[None]:
    """Let each test keep its files in its own home."""
    storage.configured.cache_clear()
    yield
    storage.configured.cache_clear()


@pytest.fixture
async def broker(application: Starlette, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[PharosBroker]:
    """A broker that knows the actors that documents meet."""
    before = dramatiq.broker.global_broker
    broker = PharosBroker()
    dramatiq.set_broker(broker)
    names = [f"workers.{name}" for name in workers.ACTORS]
    modules = {name: sys.modules.pop(name, None) for name in names}
    for name in ("ingestion", "documents", "search", "batches", "maintenance"):
        import_module(f"workers.{name}")
    yield broker
    broker.close()
    for name, module in modules.items():
        sys.modules.pop(name, None)
        if module is not None:
            sys.modules[name] = module
    dramatiq.broker.global_broker = before


@asynccontextmanager
async def working(broker: PharosBroker) -> AsyncIterator[Engine]:
    """Run a worker while the context is open."""
    queues = ["documents", "indexing", "high_priority", "urgent", "batch"]
    engine = Engine(broker, concurrency=4, grace=0, queues=queues)
    running = asyncio.create_task(engine.run())
    try:
        yield engine
    finally:
        engine.stop()
        await running


@pytest.fixture
async def worker(broker: PharosBroker, server: ModelServer) -> AsyncIterator[Engine]:
    """A running worker."""
    async with working(broker) as engine:
        yield engine


@pytest.fixture
def upload(api: httpx.AsyncClient) -> Upload:
    """Uploads a file and returns the answer about it."""

    async def send(
        name: str, body: bytes | str, type: str = "text/plain", client: httpx.AsyncClient | None = None, **fields: str
    ) -> dict[str, Any]:
        content = body.encode() if isinstance(body, str) else body
        answer = await (client or api).post("/documents", files={"file": (name, content, type)}, data=fields)
        assert answer.status_code == 202, answer.text
        return answer.json()["items"][0]

    return send


async def status(api: httpx.AsyncClient, id: str) -> dict[str, Any]:
    """Return how far a document is."""
    answer = await api.get(f"/documents/{id}/status")
    assert answer.status_code == 200, answer.text
    return answer.json()


async def reached(api: httpx.AsyncClient, id: str, wanted: str, seconds: float = 40) -> dict[str, Any]:
    """Wait until a document has a status."""

    async def there() -> dict[str, Any] | None:
        found = await status(api, id)
        assert found["status"] != "failed" or wanted == "failed", found
        return found if found["status"] == wanted else None

    return await until(there, seconds)


async def told(resource_id: str, *families: str) -> list[EventRow]:
    """Return the events of these families about a resource, in their order."""
    async with reading() as session:
        rows = await session.scalars(
            select(EventRow).where(EventRow.subject == UUID(resource_id)).order_by(EventRow.position)
        )
        return [row for row in rows if row.name.split(".")[0] in families]
