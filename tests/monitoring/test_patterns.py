"""An account that suddenly does much more than it usually does raises an alert, once, until it is over."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import httpx
import pytest
from sqlalchemy import delete, insert, select

from service.batches.tables import Batch
from service.database import transaction
from service.monitoring import patterns
from service.queue.tables import AcceptedTask
from service.security.tables import User

pytestmark = pytest.mark.integration

Person = Callable[..., Awaitable[httpx.AsyncClient]]


async def asked_for(owner: UUID, count: int, ago: timedelta, *, failed: int = 0) -> None:
    """Leave the rows of `count` tasks, as if asked for `ago`."""
    moment = datetime.now(UTC) - ago
    rows = [
        {
            "id": uuid4(),
            "name": "ingest_resource",
            "queue": "documents",
            "owner_id": owner,
            "created_at": moment,
            "ended_at": moment,
            "status": "failed" if number < failed else "succeeded",
        }
        for number in range(count)
    ]
    async with transaction() as session:
        await session.execute(insert(AcceptedTask), rows)


@pytest.fixture
async def ann(person: Person) -> UUID:
    await person("ann", "editor")
    async with transaction() as session:
        return (await session.scalars(select(User.id).where(User.username == "ann"))).one()


async def lasting(api: httpx.AsyncClient) -> list[dict[str, object]]:
    async with transaction() as session:
        await patterns.watch(session)
    answer = await api.get("/monitoring/alerts", params={"lasting": True})
    assert answer.status_code == 200
    return answer.json()["items"]


async def test_a_flood_raises_one_alert_in_words(api: httpx.AsyncClient, ann: UUID) -> None:
    await asked_for(ann, 400, timedelta(minutes=1))
    assert len(await lasting(api)) == 1
    (alert,) = await lasting(api)
    assert (alert["kind"], alert["account_id"], alert["found"]) == ("tasks", str(ann), 400)
    assert alert["words"] == "In ten minutes 400 tasks were asked for by one account; usually there are none."


async def test_it_ends_when_the_flood_is_over_and_is_remembered(api: httpx.AsyncClient, ann: UUID) -> None:
    await asked_for(ann, 400, timedelta(minutes=1))
    assert len(await lasting(api)) == 1
    async with transaction() as session:
        await session.execute(delete(AcceptedTask))
    assert await lasting(api) == []
    (over,) = (await api.get("/monitoring/alerts")).json()["items"]
    assert over["ended_at"] is not None
    await asked_for(ann, 400, timedelta(minutes=1))
    assert len(await lasting(api)) == 1
    assert (await api.get("/monitoring/alerts")).json()["total"] == 2


async def test_who_always_does_much_is_no_news(api: httpx.AsyncClient, ann: UUID) -> None:
    for hours in (3, 24, 50):
        await asked_for(ann, 390, timedelta(hours=hours))
    await asked_for(ann, 400, timedelta(minutes=1))
    assert await lasting(api) == []


async def test_failures_and_sizes_are_looked_at_apart(api: httpx.AsyncClient, ann: UUID) -> None:
    await asked_for(ann, 60, timedelta(minutes=2), failed=55)
    async with transaction() as session:
        session.add(Batch(owner_id=ann, operation="reindex", total=30_000))
    found = {alert["kind"]: alert["found"] for alert in await lasting(api)}
    assert found == {"failures": 55, "items": 30_000}


async def test_uploads_count_by_their_bytes(api: httpx.AsyncClient, ann: UUID, monkeypatch: pytest.MonkeyPatch) -> None:
    small = patterns.Measure(patterns.MEASURES["bytes"].rows, 2000, "bytes were uploaded")
    monkeypatch.setitem(patterns.MEASURES, "bytes", small)
    sent = await api.post("/documents", files=[("file", ("notes.txt", b"words " * 500, "text/plain"))])
    assert sent.status_code == 202
    (alert,) = await lasting(api)
    assert (alert["kind"], alert["found"]) == ("bytes", 3000)


async def test_alerts_are_for_operators(person: Person) -> None:
    assert (await (await person("olga", "operator")).get("/monitoring/alerts")).status_code == 200
    assert (await (await person("rita", "editor")).get("/monitoring/alerts")).status_code == 403
