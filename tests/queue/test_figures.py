"""What is counted of tasks, over all workers and in each minute; and the lines that a log has of each."""

import json
import time
from collections import Counter
from collections.abc import Iterator
from io import StringIO
from typing import Any
from uuid import uuid4

import pytest
import redis.asyncio
from structlog import get_config

from service import logs
from service.queue import BrokerAway, Dispatch, Task, actor, figures, send
from service.queue.broker import PharosBroker
from service.queue.delivery import Done
from service.settings import settings
from tests.queue.conftest import NORMAL, Work, until

pytestmark = pytest.mark.integration

WELL = Task("well", NORMAL, 0, 60, "resource_id")
ONCE_MORE = Task("once_more", NORMAL, 1, 60, backoff=0.01)
NEVER = Task("never", NORMAL, 0, 60)


@pytest.fixture(autouse=True)
def nothing_counted() -> Iterator[None]:
    figures._counted.clear()
    yield
    figures._counted.clear()


async def run_all(working: Work) -> None:
    tries: list[int] = []

    @actor(WELL)
    async def well(resource_id: str) -> None: ...

    @actor(ONCE_MORE)
    async def once_more() -> None:
        tries.append(1)
        if len(tries) == 1:
            raise OSError("the first time")

    @actor(NEVER)
    async def never() -> None:
        raise ValueError("no")

    async with working() as engine:
        for task in (ONCE_MORE, NEVER):
            await send([Dispatch(task, {}, uuid4())])
        await send([Dispatch(WELL, {"resource_id": str(uuid4())}, uuid4(), correlation_id="the request")])
        await until(lambda: engine.processed == 3, 20)


async def test_every_try_is_counted_by_its_outcome_and_told_when_the_worker_ends(
    broker: PharosBroker, working: Work
) -> None:
    first = int(time.time()) // 60
    await run_all(working)
    assert not figures._counted
    totals = await figures.totals()
    assert {key: one.outcomes for key, one in totals.items()} == {
        ("default", "well"): {"succeeded": 1},
        ("default", "once_more"): {"retried": 1, "succeeded": 1},
        ("default", "never"): {"failed": 1},
    }
    assert [one.durations.total() for one in totals.values()] == [one.outcomes.total() for one in totals.values()]
    assert all(0 < one.seconds < 20 for one in totals.values())
    minutes = await figures.ended_in(range(first, int(time.time()) // 60 + 1))
    for key, one in totals.items():
        told = [minute[key] for minute in minutes if key in minute]
        assert sum((minute.outcomes for minute in told), Counter[str]()) == one.outcomes
        assert sum((minute.durations for minute in told), Counter[int]()) == one.durations


async def test_names_that_nobody_can_run_are_one(
    broker: PharosBroker, store: redis.asyncio.Redis, working: Work
) -> None:
    unknown = [Task(f"unknown_{number}", NORMAL, 0, 60) for number in range(3)]
    async with working() as engine:
        await send([Dispatch(task, {}, uuid4()) for task in unknown])
        await store.hset("dramatiq:default.msgs", "odd", "no message")
        await store.rpush("dramatiq:default", "odd")
        await until(lambda: engine.processed == 4, 20)
    totals = await figures.totals()
    assert {key: one.outcomes for key, one in totals.items()} == {("default", figures.UNKNOWN): {"failed": 4}}


async def test_what_redis_did_not_hear_is_told_later(broker: PharosBroker, monkeypatch: pytest.MonkeyPatch) -> None:
    figures.count("urgent", "a|b", Done("a|b", "succeeded"), 0.1)
    with monkeypatch.context() as away:
        away.setattr("service.queue.link.address", lambda: "redis://127.0.0.1:1/0")
        with pytest.raises(BrokerAway):
            await figures.tell()
    figures.count("urgent", "a|b", Done("a|b", "succeeded"), 0.2)
    await figures.tell()
    await figures.tell()
    [told] = (await figures.totals()).items()
    assert told == (("urgent", "a|b"), figures.Ended(Counter(succeeded=2), Counter({27: 1, 31: 1}), 0.3))


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> StringIO:
    """What the log of this process gets of tasks and requests."""
    stream = StringIO()
    monkeypatch.setattr(logs, "_handler", logs.logging.StreamHandler(stream))
    monkeypatch.setattr(logs, "_tasks", True)
    monkeypatch.setattr(logs, "_requests", True)
    return stream


def lines(written: StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in written.getvalue().splitlines()]


async def test_the_begin_and_the_end_of_each_try_are_lines_of_json(
    broker: PharosBroker, working: Work, written: StringIO
) -> None:
    await run_all(working)
    await until(lambda: len(lines(written)) == 8)
    began, ended = (line for line in lines(written) if line["name"] == "well")
    assert set(began) == {"task_id", "name", "resource_id", "priority", "correlation_id", "event", "level", "logger",
        "timestamp"}  # fmt: skip
    assert (began["event"], began["priority"], began["correlation_id"]) == ("task started", 5, "the request")
    assert (ended["event"], ended["success"], ended["status"]) == ("task ended", True, "succeeded")
    assert ended["task_id"] == began["task_id"]
    assert ended["resource_id"] == began["resource_id"] is not None
    assert ended["duration_ms"] >= 0
    ends = {(line["name"], line["status"]): line["success"] for line in lines(written) if "status" in line}
    assert ends[("once_more", "retried")] is ends[("never", "failed")] is False


async def test_for_people_they_are_lines_of_text(
    broker: PharosBroker, written: StringIO, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PHAROS_LOG_FORMAT", "console")
    settings.cache_clear()
    logs.work("task started", "x", {"task_id": "7"})
    assert written.getvalue() == ""
    assert get_config()["processors"]
    assert "task started" in capsys.readouterr().out
