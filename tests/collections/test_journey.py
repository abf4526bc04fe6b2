"""From a request to the mean, through the outbox, the queue and the real actors."""

import asyncio
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any
from uuid import UUID

import dramatiq
import httpx
import pytest
from sqlalchemy import text

from service.database import reading
from service.queue.broker import PharosBroker
from service.queue.engine import Engine
from tests.collections.test_routes import make, note, put
from tests.inference.conftest import server
from tests.model_server import ModelServer
from tests.queue.conftest import Elapse, elapse, store, until

__all__ = ["elapse", "server", "store"]

pytestmark = pytest.mark.integration

ACTORS = ["workers.search", "workers.collections"]


@pytest.fixture
def broker(application: object, monkeypatch: pytest.MonkeyPatch) -> Iterator[PharosBroker]:
    """A broker that knows the actors of search and of collections."""
    before = dramatiq.broker.global_broker
    broker = PharosBroker()
    dramatiq.set_broker(broker)
    for name in ACTORS:
        monkeypatch.delitem(sys.modules, name, raising=False)
        __import__(name)
    yield broker
    broker.close()
    for name in ACTORS:
        sys.modules.pop(name, None)
    dramatiq.broker.global_broker = before


@pytest.fixture
async def engine(broker: PharosBroker) -> AsyncIterator[Engine]:
    """A worker in this process."""
    engine = Engine(broker, concurrency=4, grace=0)
    running = asyncio.create_task(engine.run())
    yield engine
    engine.stop()
    await running


# Of each collection: the mean that it has, and the one that its members have.
_MEANS = text(
    """SELECT kept.members, round((kept.mean <=> l2_normalize(avg(e.mean)))::numeric, 5) AS apart
    FROM collection_embeddings kept
    LEFT JOIN collection_resources m USING (collection_id) LEFT JOIN embeddings e USING (resource_id)
    WHERE collection_id = :id GROUP BY kept.collection_id"""
)


async def means(id: str) -> tuple[int, float | None]:
    async with reading() as session:
        row = (await session.execute(_MEANS, {"id": UUID(id)})).one_or_none()
    return (-1, None) if row is None else (row.members, row.apart)


async def settles(elapse: Elapse, expected: dict[str, tuple[int, float | None]]) -> None:
    async def there() -> bool:
        await elapse(40)
        return {id: await means(id) for id in expected} == expected

    condition: Callable[[], Awaitable[Any]] = there
    await until(condition, 60)


async def test_a_deletion_leaves_every_collection_right(
    api: httpx.AsyncClient, engine: Engine, server: ModelServer, elapse: Elapse
) -> None:
    private, shared = await make(api, "Private"), await make(api, "Shared", visibility="shared")
    other = await make(api, "Other")
    lamps, ships, bread = [await note(api, title) for title in ("Lighthouses", "Ships at sea", "Banana bread")]
    await put(api, private, lamps, ships)
    await put(api, shared, lamps, bread)
    await put(api, other, bread)
    await settles(elapse, {private["id"]: (2, 0), shared["id"]: (2, 0), other["id"]: (1, 0)})
    async with reading() as session:
        untouched = text("SELECT computed_at FROM collection_embeddings WHERE collection_id = :id")
        before = await session.scalar(untouched, {"id": UUID(other["id"])})

    assert (await api.delete(f"/resources/{lamps}")).status_code == 204
    for one in (private, shared):
        assert (await api.get(f"/collections/{one['id']}")).json()["resource_count"] == 1
    await settles(elapse, {private["id"]: (1, 0), shared["id"]: (1, 0)})
    assert (await api.delete(f"/resources/{ships}")).status_code == 204
    await settles(elapse, {private["id"]: (0, None)})

    async with reading() as session:
        assert await session.scalar(untouched, {"id": UUID(other["id"])}) == before
