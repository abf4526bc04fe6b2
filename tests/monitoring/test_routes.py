"""What operators and their tools see."""

import re
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import orjson
import pytest
import redis.asyncio

from service.hooks import HOOKS
from service.queue import timetable
from service.queue.scripting import Call, execute, script
from service.settings import Settings
from service.tasks import TASKS

Person = Callable[..., Awaitable[httpx.AsyncClient]]
PAGES = Path(__file__).parents[2] / "docs"

pytestmark = pytest.mark.integration


async def test_health_asks_nobody(api: httpx.AsyncClient) -> None:
    answer = await api.get("/health", headers={"Authorization": ""})
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


async def test_ready_names_what_is_missing(api: httpx.AsyncClient) -> None:
    answer = await api.get("/ready")
    checks = answer.json()["checks"]
    assert {"database", "broker", "cache", "outbox", "workers", "scheduler"} < set(checks)
    assert answer.status_code == 503
    assert [name for name, check in checks.items() if not check["ok"]] == ["workers", "scheduler"]
    assert "No worker runs" in checks["workers"]["error"]
    assert checks["database"]["ms"] > 0


@pytest.mark.parametrize(("limit", "status"), [("1", 200), ("1000", 200), ("0", 422), ("1001", 422), ("many", 422)])
async def test_history_takes_one_to_a_thousand(api: httpx.AsyncClient, limit: str, status: int) -> None:
    assert (await api.get("/events/history", params={"limit": limit})).status_code == status


async def test_the_pool_is_twenty_and_forty(api: httpx.AsyncClient) -> None:
    pool = (await api.get("/db/pool")).json()
    assert (pool["size"], pool["max_connections"]) == (20, 60)
    assert pool["total"] == pool["checked_in"] + pool["checked_out"]


async def test_workers_and_queues(api: httpx.AsyncClient) -> None:
    status = (await api.get("/workers/status")).json()
    assert (status["workers"], status["total_active"]) == ([], 0)
    assert {queue["name"]: queue["priority"] for queue in status["queues"]}["urgent"] == 9


async def test_an_admin_pauses_a_queue_and_lets_it_go_on(api: httpx.AsyncClient, person: Person) -> None:
    async def paused() -> list[str]:
        return [queue["name"] for queue in (await api.get("/workers/status")).json()["queues"] if queue["paused"]]

    editor = await person("editor")
    assert (await editor.post("/queues/documents/pause")).status_code == 403
    assert (await api.post("/queues/nowhere/pause")).status_code == 404
    assert (await api.post("/queues/documents/pause")).status_code == 204
    assert await paused() == ["documents"]
    assert (await api.post("/queues/documents/resume")).status_code == 204
    assert await paused() == []


async def test_no_schedule_is_known_before_a_timetable_has_run(api: httpx.AsyncClient) -> None:
    answer = await api.get("/schedules")
    assert (answer.status_code, answer.json()) == (200, {"schedules": []})


@pytest.mark.parametrize(
    ("looked", "ahead", "state"), [(1, 60, "waiting"), (1, -30, "waiting"), (1, -90, "late"), (600, 60, "stopped")]
)
async def test_schedules_say_when_they_last_ran_run_next_and_how_they_stand(
    api: httpx.AsyncClient, pharos: Settings, looked: int, ahead: int, state: str
) -> None:
    now = datetime.now(UTC).replace(microsecond=0)
    last, following = now - timedelta(minutes=5), now + timedelta(seconds=ahead)
    await timetable.publish_lines([timetable.Line("reconcile_derived_data", "*/5 * * * *", "batch", following)])
    assert pharos.broker_url is not None
    async with redis.asyncio.Redis.from_url(pharos.broker_url) as store:
        await store.hset(timetable.SENT, "reconcile_derived_data", last.isoformat())
        await store.set(timetable.LOOKED, int((time.time() - looked) * 1000))
    [line] = (await api.get("/schedules")).json()["schedules"]
    times = {name: datetime.fromisoformat(line.pop(name)) for name in ("last", "next")}
    assert times == {"last": last, "next": following}
    assert line == {"name": "reconcile_derived_data", "cron": "*/5 * * * *", "queue": "batch", "state": state}


async def test_every_figure_is_explained(api: httpx.AsyncClient) -> None:
    profile = {
        "host": "h", "pid": 1, "queues": [], "concurrency": 1, "active": [], "processed": 0, "failed": 0, "rss_mb": 1,
        "started_at": 1, "tasks": [], "load": 0.5,
    }  # fmt: skip
    await execute(Call(script("beat"), ["one", orjson.dumps(profile)]))
    workers, pool, kept = [(await api.get(path)).json() for path in ("/workers/status", "/db/pool", "/cache/stats")]
    watching = (PAGES / "monitoring.md").read_text()
    assert fields(watching, "Of each worker:") == set(workers["workers"][0])
    assert fields(watching, "Of each queue:") == set(workers["queues"][0])
    assert fields(watching, "Of the pool of the process that answers:") == set(pool)
    assert fields((PAGES / "cache.md").read_text(), "## Figures") | {"by_prefix"} == set(kept)


def fields(page: str, heading: str) -> set[str]:
    """Return the names in the first column of the table below a heading."""
    table = page.partition(f"{heading}\n")[2].partition("|---|---|\n")[2].partition("\n\n")[0]
    return {name for row in table.splitlines() for name in re.findall("`(\\w+)`", row.split("|")[1])}


async def test_the_flow_is_the_table(api: httpx.AsyncClient) -> None:
    flow = (await api.get("/monitoring/flow")).json()
    assert len(flow["hooks"]) == len(HOOKS)
    assert {task["name"] for task in flow["tasks"]} == {task.name for task in TASKS}


async def test_a_task_that_nobody_knows(api: httpx.AsyncClient) -> None:
    assert (await api.get("/tasks/00000000-0000-0000-0000-000000000000")).status_code == 404
    assert (await api.get("/tasks/seven")).status_code == 404


async def test_unknown_paths_and_methods_are_problems(api: httpx.AsyncClient) -> None:
    for answer in (await api.get("/nowhere"), await api.put("/health")):
        assert answer.headers["content-type"] == "application/problem+json"
    assert (await api.put("/health")).status_code == 405


async def test_everything_else_asks_who_you_are(api: httpx.AsyncClient) -> None:
    for path in ("/resources", "/search?query=x", "/events/history", "/workers/status", "/db/pool", "/events/stream"):
        answer = await api.get(path, headers={"Authorization": ""})
        assert (answer.status_code, answer.headers["content-type"]) == (401, "application/problem+json")
