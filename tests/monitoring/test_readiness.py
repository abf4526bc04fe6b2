"""Everything that `/ready` says, each really brought about; the page of what is well is in test_routes.py."""

import re
import shutil
from collections import namedtuple
from collections.abc import Callable
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest
import redis.asyncio

from service import database, queue
from service.backups import actions as backups
from service.database import transaction
from service.monitoring.readiness import NEEDED, Readiness, readiness
from service.outbox import emit
from service.queue import timetable
from service.queue.scripting import Call, execute, script
from service.resources.events import ResourceCreated
from service.settings import Settings, settings
from service.tasks import INDEX
from tests.queue.conftest import until

pytestmark = pytest.mark.integration


@pytest.fixture
def limit(pharos: Settings, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, object], None]:
    def set_to(name: str, value: object) -> None:
        monkeypatch.setenv(f"PHAROS_{name}", str(value))
        settings.cache_clear()

    return set_to


async def said(check: str, word: str = "warning") -> str:
    """Wait until a check says something, and return it."""
    found: list[Readiness] = []

    async def says() -> bool:
        found.append(await readiness())
        return word in found[-1].checks[check]

    await until(says, 10)
    return found[-1].checks[check][word]


async def quiet(check: str) -> bool:
    found = (await readiness()).checks[check]
    return found["ok"] and "warning" not in found


async def beat(worker: str) -> None:
    profile = (
        b'{"host":"h","pid":1,"queues":[],"concurrency":1,"active":[],"processed":0,"failed":0,"rss_mb":1,'
        b'"started_at":1,"tasks":[]}'
    )
    await execute(Call(script("beat"), [worker, profile]))


async def test_a_queue_ages(limit: Callable[[str, object], None]) -> None:
    async with queue.connected():
        await queue.send([queue.Dispatch(INDEX, {"resource_id": str(uuid4())}, uuid4())])
        assert await quiet("queues")
        limit("ALERT_QUEUE_SECONDS", 0.2)
        words = await said("queues")
        assert "longer than 0.2 s in urgent (for" in words
        assert "1 wait" in words
        await queue.pause("urgent")
        assert "it is paused" in await said("queues")
        await queue.resume("urgent")


async def test_the_outbox_stands_still(limit: Callable[[str, object], None]) -> None:
    async with transaction() as session:
        emit(session, ResourceCreated(resource_id=uuid4(), title="x", source="content"), audience=None)
    assert await quiet("outbox")
    limit("ALERT_OUTBOX_SECONDS", 0.2)
    assert "The outbox stands still: the oldest of 1 events" in await said("outbox", "error")
    assert not (await readiness()).ready


async def test_a_worker_is_gone(limit: Callable[[str, object], None], pharos: Settings) -> None:
    async with queue.connected():
        assert (await readiness()).checks["workers"]["error"].startswith("No worker runs")
        await beat("lost")
        assert await quiet("workers")

        async def reaped() -> bool:  # as engines do, again and again, with more patience
            return await execute(Call(script("reap"), [500])) == [[b"lost"]]

        await until(reaped, 20)
        await beat("other")
        words = await said("workers")
        assert words.startswith("A worker is gone without a farewell")
        assert (await readiness()).checks["workers"]["ok"]
        limit("ALERT_WORKER_SECONDS", 0.05)

        async def forgotten() -> bool:
            return await quiet("workers")

        await until(forgotten, 5)


async def test_a_worker_that_says_farewell_is_not_missed(pharos: Settings) -> None:
    async with queue.connected():
        await beat("one")
        await beat("two")
        await execute(Call(script("leave"), ["one"]))
        assert await quiet("workers")


async def test_redis_throws_tasks_away(pharos: Settings) -> None:
    assert pharos.broker_url is not None
    async with queue.connected(), redis.asyncio.Redis.from_url(pharos.broker_url) as store:
        assert await quiet("broker")
        await store.config_set("maxmemory-policy", "allkeys-lru")
        try:
            found = await readiness()
            assert (
                "runs with allkeys-lru: when its memory is full it throws tasks away"
                in found.checks["broker"]["warning"]
            )
            assert found.checks["broker"]["ok"]
        finally:
            await store.config_set("maxmemory-policy", "noeviction")


async def test_the_cache_is_away(limit: Callable[[str, object], None]) -> None:
    async with queue.connected():
        assert await quiet("cache")
        limit("CACHE_URL", "redis://127.0.0.1:1/0")
        words = await said("cache", "error")
    assert re.fullmatch("The cache is away: .+ Until it is back everything is computed anew.", words)


async def test_the_pool_is_near_its_end(pharos: Settings) -> None:
    assert await quiet("pool")
    async with AsyncExitStack() as stack:
        for _ in range(14):
            await stack.enter_async_context(database.engine().connect())
        assert "of the 15 connections to PostgreSQL of this process are in use" in await said("pool")


async def test_a_schedule_was_missed(limit: Callable[[str, object], None]) -> None:
    following = datetime.now(UTC) - timedelta(seconds=90)
    async with queue.connected():
        await timetable.publish_lines([timetable.Line("cut_notifications", "30 4 * * *", "batch", following)])
        assert "The timetable has missed cut_notifications (9" in await said("schedules")
        limit("ALERT_SCHEDULE_SECONDS", 600)
        assert await quiet("schedules")


async def test_a_disk_is_nearly_full(pharos: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: usage(1500, 850, 150))  # 500 are nobody's, as in a quota
    assert await quiet("disk")
    assert (await readiness()).checks["disk"]["used_percent"] == 85
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: usage(1000, 950, 50))
    assert "A disk that Pharos writes to is 95 % full" in await said("disk")


async def test_the_nightly_backup_is_old_or_fails(limit: Callable[[str, object], None], tmp_path: Any) -> None:
    assert await quiet("backup")
    limit("BACKUP_FOLDER", tmp_path)
    assert await quiet("backup")  # the first night is yet to come
    for error, words in (("the disk is full", "the last try failed: the disk is full"), (None, "hours old")):
        async with transaction() as session:
            assert await backups.request(session)
            assert not await backups.request(session)
            id = await backups.lease(session)
            assert id is not None
            await backups.end(session, id, error=error)
        if error is None:
            assert await quiet("backup")
            limit("ALERT_BACKUP_HOURS", 0.00001)
        assert words in await said("backup")


async def test_warnings_do_not_make_it_503(
    api: httpx.AsyncClient, pharos: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: usage(1000, 950, 50))
    await beat("one")
    assert pharos.broker_url is not None
    async with redis.asyncio.Redis.from_url(pharos.broker_url) as store:
        seconds, _ = await store.time()
        await store.set(timetable.LOOKED, seconds * 1000)
    answer = await api.get("/ready", headers={"Authorization": ""})
    assert (answer.status_code, answer.json()["status"]) == (200, "ready")
    assert ["95 % full" in words for words in answer.json()["warnings"]] == [True]


async def test_what_is_needed_is_what_the_contract_names(api: httpx.AsyncClient) -> None:
    assert NEEDED == {"database", "broker", "cache", "outbox", "workers", "scheduler"}
    checks = (await api.get("/ready")).json()["checks"]
    assert set(checks) > NEEDED
