"""All tasks in one list: pages without gaps, however many there are; and what an event led to."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from sqlalchemy import text

from service.database import reading, transaction
from service.event_log import EventRow
from service.monitoring import at_hand, causes
from service.monitoring.at_hand import FORGOTTEN, Place, Wanted, detail, tasks_of
from service.queue import Dispatch, send
from service.queue.ledger import accept
from service.tasks import INGEST, RECONCILE
from tests.monitoring.test_tasks import account_of, asked, store
from tests.queue.conftest import until

__all__ = ["store"]

pytestmark = pytest.mark.integration

Person = Callable[..., Awaitable[httpx.AsyncClient]]
MANY = 50_000
_FILL = text(
    """INSERT INTO tasks (id, name, queue, owner_id, created_at, status, ended_at)
    SELECT gen_random_uuid(), CASE WHEN n % 1000 = 0 THEN 'generate_quiz' ELSE 'ingest_resource' END, 'documents',
           :owner, now() - n * interval '1 second', CASE WHEN n % 100 = 0 THEN 'failed' ELSE 'succeeded' END, now()
    FROM generate_series(1, :many) AS n"""
)


async def every(wanted: Wanted, limit: int) -> list[str]:
    """Return the ids of all pages."""
    ids: list[str] = []
    place: Place | None = None
    while True:
        async with reading() as session:
            states, place = await tasks_of(session, wanted, Place.of(str(place)) if place else None, limit)
        assert len(states) <= limit
        ids += [str(state.task_id) for state in states]
        if place is None:
            return ids


async def test_what_people_asked_for_and_what_is_at_hand_is_one_list_without_gaps(
    person: Person, application: object
) -> None:
    await person("mira")
    owner = await account_of("mira")
    theirs = [str(await asked(owner)) for _ in range(5)]
    system = [Dispatch(RECONCILE, {}, uuid4(), after) for after in (0, 0, 60)]
    await send(system)
    ids = await every(Wanted(), 3)
    assert sorted(ids) == sorted([*theirs, *(one.id for one in system)])
    assert await every(Wanted(name="reconcile_derived_data", status="scheduled"), 3) == [system[2].id]
    assert sorted(await every(Wanted(queue="documents", status="queued"), 2)) == sorted(theirs)
    assert await every(Wanted(status="succeeded"), 3) == []


async def test_fifty_thousand_are_paged_by_an_index(person: Person, application: object) -> None:
    await person("mira")
    owner = await account_of("mira")
    async with transaction() as session:
        await session.execute(_FILL, {"owner": owner, "many": MANY})
        await session.execute(text("ANALYZE tasks"))
    far = Place(datetime.now(UTC) - timedelta(seconds=MANY - 100), str(UUID(int=0)))
    async with reading() as session:
        states, place = await tasks_of(session, Wanted(), far, 50)
        assert (len(states), place is None) == (50, False)
        plan = await session.scalars(
            text(
                "EXPLAIN SELECT * FROM tasks WHERE (created_at, id) < (:at, :id) "
                "ORDER BY created_at DESC, id DESC LIMIT 51"
            ),
            {"at": far.at, "id": UUID(int=0)},
        )
        told = "\n".join(plan)
        assert "Index Scan" in told
        assert "Seq Scan" not in told
    assert len(await every(Wanted(name="generate_quiz"), 50)) == MANY // 1000
    assert len(await every(Wanted(status="failed", name="generate_quiz"), 7)) == MANY // 1000


async def test_a_page_that_nobody_gave_is_refused(api: httpx.AsyncClient) -> None:
    for before in ("yesterday", "2026-01-01T00:00:00,x", ","):
        assert (await api.get("/ui/operations/tasks", params={"before": before})).status_code == 422


async def test_a_request_and_a_resource_lead_to_their_tasks_which_keep_what_they_were_given(
    api: httpx.AsyncClient, store: Any
) -> None:
    answer = await api.post(
        "/resources", json={"title": "A lamp", "content": "Light."}, headers={"X-Correlation-ID": "lamp"}
    )
    resource = UUID(answer.json()["id"])

    async def logged() -> bool:
        return "update_search_index" in await names(Wanted(correlation_id="lamp"))

    async def names(wanted: Wanted) -> set[str | None]:
        async with reading() as session:
            states, _ = await tasks_of(session, wanted, None, 100)
        return {state.name for state in states}

    await until(logged)
    ours = {"update_search_index", "regenerate_embedding", "recompute_quality", "classify_resource"}
    assert ours <= await names(Wanted(correlation_id="lamp"))
    assert ours <= await names(Wanted(resource=resource))
    assert await names(Wanted(resource=resource, name="classify_resource")) == {"classify_resource"}
    assert await names(Wanted(resource=uuid4())) == set()
    await store.flushdb()
    async with reading() as session:
        states, _ = await tasks_of(session, Wanted(correlation_id="lamp", name="classify_resource"), None, 100)
        assert {state.status for state in states} == {FORGOTTEN}
        found = await detail(session, str(states[0].task_id), "lamp")
        assert await detail(session, str(uuid4()), None) is None
    assert found is not None
    assert (found.arguments, found.asked_for) == ({"resource_id": str(resource)}, False)


async def test_a_task_shows_what_it_was_given_while_it_waits(person: Person, application: object) -> None:
    await person("mira")
    task_id = await asked(await account_of("mira"), resource_id="7")
    async with reading() as session:
        found = await detail(session, str(task_id), None)
    assert found is not None
    assert (found.arguments, found.correlation_id, found.asked_for) == ({"resource_id": "7"}, "asked", True)


async def test_the_ledger_keeps_the_request(application: object) -> None:
    from service.events import origin

    task_id = uuid4()
    with origin("the request"):
        async with transaction() as session:
            await accept(session, uuid4(), INGEST, task_id)
    async with reading() as session:
        found = await detail(session, str(task_id), None)
    assert found is not None
    assert found.correlation_id == "the request"


def row(name: str, data: dict[str, Any], cause: EventRow | None = None) -> EventRow:
    """Return an event of the log."""
    return EventRow(
        id=uuid4(), name=name, version=1, data=data, priority=50, correlation_id="one", cause=cause and cause.id,
        audience=None, subject=None, bulk=False, timestamp=datetime.now(UTC),
    )  # fmt: skip


def test_events_stand_under_what_caused_them_with_the_tasks_that_they_asked_for() -> None:
    item = {"resource_id": str(uuid4())}
    created = row("resource.created", {**item, "title": "A", "source": "content"})
    indexed, elsewhere = row("search.index_updated", item, created), row("quality.stale", item)
    unknown = row("no.such.event", {})
    stray = row("embedding.stale", item, row("embedding.stale", item))  # its cause is not among them
    roots = causes.tree([created, indexed, elsewhere, unknown, stray])
    assert [root.event for root in roots] == [created, elsewhere, unknown, stray]
    assert [below.event for below in roots[0].led_to] == [indexed]
    assert "update_search_index" in {one.task.name for one in roots[0].tasks}
    assert [one.task.name for one in roots[1].tasks] == ["recompute_quality"]
    assert roots[2].tasks == []


def test_a_place_is_read_as_it_was_written() -> None:
    place = Place(datetime(2026, 1, 2, 3, 4, 5, 678, UTC), "a,b")
    assert at_hand.Place.of(str(place)) == place
