"""Tasks over HTTP: who sees and cancels them, what stays of them, and what is told."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import dramatiq
import httpx
import pytest
import redis.asyncio
from sqlalchemy import select, update

from service.database import reading, transaction
from service.event_log import EventRow
from service.queue import Dispatch, actor, progress, send
from service.queue.broker import PharosBroker
from service.queue.engine import Engine
from service.queue.ledger import accept, send_on
from service.queue.tables import AcceptedTask
from service.security.tables import User
from service.settings import settings
from service.tasks import INGEST, RECONCILE
from tests.queue.conftest import until

pytestmark = pytest.mark.integration

Person = Callable[..., Awaitable[httpx.AsyncClient]]
Working = Callable[[], AbstractAsyncContextManager[Engine]]


@pytest.fixture
async def store(application: object) -> AsyncIterator[redis.asyncio.Redis]:
    """What the queue keeps in Redis."""
    async with redis.asyncio.Redis.from_url(str(settings().broker_url), decode_responses=True) as client:
        yield client


@pytest.fixture
def working(application: object) -> Iterator[Working]:
    """Runs an engine beside the application, on a broker whose actors the test declares."""
    before = dramatiq.broker.global_broker
    broker = PharosBroker()
    dramatiq.set_broker(broker)

    @asynccontextmanager
    async def work() -> AsyncIterator[Engine]:
        engine = Engine(broker, concurrency=4, grace=0)
        running = asyncio.create_task(engine.run())
        try:
            yield engine
        finally:
            engine.stop()
            await running

    yield work
    broker.close()
    dramatiq.broker.global_broker = before


async def account_of(username: str) -> UUID:
    """Return the id of an account."""
    async with reading() as session:
        return (await session.scalars(select(User.id).where(User.username == username))).one()


async def asked(owner: UUID, **arguments: Any) -> UUID:
    """Ask for a task as a request does: the row first, then the message."""
    request = Dispatch(INGEST, {"resource_id": str(uuid4()), **arguments}, uuid4(), correlation_id="asked")
    async with transaction() as session:
        await accept(session, owner, INGEST, request.message_id)
    await send_on([request])
    return request.message_id


async def told() -> list[tuple[str, dict[str, Any], UUID | None]]:
    """Return what was told of tasks, oldest first."""
    async with reading() as session:
        rows = await session.scalars(
            select(EventRow).where(EventRow.name.startswith("background_task.")).order_by(EventRow.position)
        )
        return [(row.name, row.data, row.audience) for row in rows]


async def test_its_owner_an_operator_and_an_admin_see_it_nobody_else(api: httpx.AsyncClient, person: Person) -> None:
    mira, other, operator = await person("mira"), await person("other"), await person("olga", "operator")
    task_id = await asked(await account_of("mira"))
    answers = [await client.get(f"/tasks/{task_id}") for client in (mira, operator, api, other)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 404]
    task = answers[0].json()
    assert (task["task_id"], task["name"], task["queue"], task["priority"], task["status"], task["attempts"]) == (
        str(task_id), "ingest_resource", "documents", 5, "queued", 0,
    )  # fmt: skip
    lists = [(await client.get("/tasks")).json() for client in (mira, operator, api, other)]
    assert [answer["total"] for answer in lists] == [1, 1, 1, 0]


async def test_what_keeps_the_library_true_is_for_operators(api: httpx.AsyncClient, person: Person) -> None:
    mira = await person("mira")
    system = Dispatch(RECONCILE, {}, uuid4())
    await send([system])
    path = f"/tasks/{system.message_id}"
    assert [(await client.get(path)).status_code for client in (api, mira)] == [200, 404]
    assert [(await client.post(f"{path}/cancel")).status_code for client in (api, mira)] == [409, 404]


async def test_a_task_that_was_not_sent_yet_is_queued(api: httpx.AsyncClient, person: Person) -> None:
    """Between the answer 202 and the relay's next look."""
    mira = await person("mira")
    task_id = uuid4()
    async with transaction() as session:
        await accept(session, await account_of("mira"), INGEST, task_id)
    assert (await mira.get(f"/tasks/{task_id}")).json()["status"] == "queued"


async def test_how_it_ended_stays_when_redis_has_forgotten_it(
    working: Working, person: Person, store: redis.asyncio.Redis
) -> None:
    @actor(INGEST)
    async def ingest(resource_id: UUID) -> dict[str, int]:
        progress(2, 2, "read")
        return {"read": 2}

    mira = await person("mira")
    owner = await account_of("mira")
    async with working() as engine:
        task_id = await asked(owner)
        await until(lambda: engine.processed == 1)
    now = (await mira.get(f"/tasks/{task_id}")).json()
    assert (now["status"], now["result"], now["progress"]) == (
        "succeeded", {"read": 2}, {"current": 2, "total": 2, "message": "read"},
    )  # fmt: skip
    await store.delete(f"dramatiq:task:{task_id}")
    later = (await mira.get(f"/tasks/{task_id}")).json()
    assert (later["status"], later["result"], later["attempts"]) == ("succeeded", {"read": 2}, 1)
    assert later["date_done"] > later["started_at"]

    async def both() -> bool:
        return len(await told()) == 2

    await until(both)
    (began, _, audience), (ended, data, _) = await told()
    assert (began, ended) == ("background_task.started", "background_task.completed")
    assert audience == owner
    assert (data["task_id"], data["task_name"], data["attempts"]) == (str(task_id), "ingest_resource", 1)


async def test_what_nobody_knows_any_more_is_said(
    person: Person, api: httpx.AsyncClient, store: redis.asyncio.Redis
) -> None:
    mira = await person("mira")
    task_id = await asked(await account_of("mira"))
    await store.flushdb()
    async with transaction() as session:
        await session.execute(update(AcceptedTask).values(created_at=AcceptedTask.created_at - timedelta(hours=2)))
    task = (await mira.get(f"/tasks/{task_id}")).json()
    assert task["status"] == "failed"
    assert "Nobody knows" in task["error"]


async def test_a_failure_has_its_traceback_for_operators(
    working: Working, api: httpx.AsyncClient, person: Person
) -> None:
    @actor(INGEST)
    async def ingest(resource_id: UUID) -> None:
        raise ValueError("no good") if resource_id.int else AssertionError

    mira = await person("mira")
    async with working() as engine:
        task_id = await asked(await account_of("mira"), resource_id="not a uuid")
        await until(lambda: engine.processed == 1)
    mine, operators = [(await client.get(f"/tasks/{task_id}")).json() for client in (mira, api)]
    assert mine["status"] == operators["status"] == "failed"
    assert mine["error"].startswith("ValidationError")
    assert "traceback" not in mine
    assert "Traceback" in operators["traceback"]

    async def failed() -> list[Any]:
        return [row for row in await told() if row[0] == "background_task.failed"]

    [(_, data, audience)] = await until(failed)
    assert (data["reason"], data["attempts"]) == ("permanent", 1)
    assert audience == await account_of("mira")


async def test_of_a_task_that_nobody_asked_for_only_failures_are_told_without_what_they_say(
    working: Working,
) -> None:
    failing = iter([OSError("/a/private/path"), None])

    @actor(RECONCILE)
    async def reconcile() -> None:
        if error := next(failing):
            raise error

    await send([Dispatch(RECONCILE, {}, uuid4())])
    async with working():
        rows = await until(told)
    [(name, data, audience)] = rows
    assert (name, audience, data["error"], data["attempts"]) == ("background_task.retry", None, "OSError", 1)
    assert data["delay_seconds"] > 0


async def test_a_person_cancels_what_waits_and_what_runs(working: Working, person: Person) -> None:
    may_end = asyncio.Event()

    @actor(INGEST)
    async def ingest(resource_id: UUID) -> None:
        await may_end.wait()

    mira, other = await person("mira"), await person("other")
    owner = await account_of("mira")
    waits = await asked(owner)
    assert (await other.post(f"/tasks/{waits}/cancel")).status_code == 404
    answer = await mira.post(f"/tasks/{waits}/cancel")
    assert (answer.status_code, answer.json()["status"]) == (200, "cancelled")
    assert (await mira.post(f"/tasks/{waits}/cancel")).status_code == 409
    async with working() as engine:
        runs = await asked(owner)
        await until(lambda: engine.profile()["active"])
        answer = await mira.post(f"/tasks/{runs}/cancel")
        assert (answer.status_code, answer.json()["status"]) == (202, "running")
        await until(lambda: engine.processed == 1, 2)
    assert {one["task_id"] for one in (await mira.get("/tasks", params={"status": "cancelled"})).json()["items"]} == {
        str(waits), str(runs),
    }  # fmt: skip
    async with reading() as session:
        rows = (await session.scalars(select(AcceptedTask))).all()
    assert {row.status for row in rows} == {"cancelled"}

    async def both() -> list[Any]:
        ended = [data for name, data, _ in await told() if name == "background_task.failed"]
        return ended if len(ended) == 2 else []

    assert {data["reason"] for data in await until(both)} == {"cancelled"}


async def test_lists_by_status_and_name(working: Working, api: httpx.AsyncClient) -> None:
    may_end = asyncio.Event()

    @actor(INGEST)
    async def ingest(resource_id: UUID) -> None:
        await may_end.wait()

    @actor(RECONCILE)
    async def reconcile() -> None: ...

    async with working() as engine:
        await send([Dispatch(RECONCILE, {}, uuid4())])
        await until(lambda: engine.processed == 1)
        await send([Dispatch(INGEST, {"resource_id": str(uuid4())}, uuid4())])
        await until(lambda: engine.profile()["active"])
        later = [Dispatch(INGEST, {"resource_id": str(uuid4())}, uuid4(), 60) for _ in range(3)]
        await send(later)

        async def names(**params: Any) -> list[str]:
            answer = (await api.get("/tasks", params=params)).json()
            assert answer["total"] >= len(answer["items"])
            return [task["name"] for task in answer["items"]]

        assert await names(status="succeeded") == ["reconcile_derived_data"]
        assert await names(status="running") == ["ingest_resource"]
        assert await names(status="scheduled") == ["ingest_resource"] * 3
        assert await names(status="scheduled", limit=2, offset=2) == ["ingest_resource"]
        assert await names(name="reconcile_derived_data") == ["reconcile_derived_data"]
        assert len(await names()) == 5
        assert await names(status="failed") == []
    assert (await api.get("/tasks", params={"status": "odd"})).status_code == 422


async def test_the_tasks_of_answers_202_have_an_owner(api: httpx.AsyncClient, person: Person) -> None:
    mira = await person("mira")
    page = await mira.post("/ingest", json={"url": "http://example.com/page"})
    task_id = page.json()["task_id"]
    assert (await mira.get(f"/tasks/{task_id}")).json()["name"] == "ingest_resource"
    note = await mira.post("/resources", json={"title": "A note", "content": "Words."})
    again = await mira.post(f"/resources/{note.json()['id']}/reprocess", json={"from": "embedded"})
    assert again.status_code == 202
    assert (await mira.get(f"/tasks/{again.json()['task_id']}")).json()["name"] == "regenerate_embedding"
