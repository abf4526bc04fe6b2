"""The history of the queues: one row for each queue and minute, whoever writes it, and what is drawn from it."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
import redis.asyncio
from sqlalchemy import func, select

from service.database import reading, transaction
from service.monitoring.history import history, rates, runs_since
from service.monitoring.sampling import sample
from service.monitoring.tables import QueueMinute
from service.queue.durations import bucket
from service.settings import settings
from service.tasks import QUEUES

pytestmark = pytest.mark.integration

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
MINUTE = int(NOON.timestamp()) // 60


async def ended(minute: int, **counts: int) -> None:
    """Have workers tell of a minute: `urgent__index__succeeded__40=3`."""
    async with redis.asyncio.Redis.from_url(str(settings().broker_url)) as store:
        for name, number in counts.items():
            await store.hincrby(f"dramatiq:ended:{minute}", name.replace("__", "|"), number)


async def rows() -> int:
    async with reading() as session:
        ours = QueueMinute.queue.in_([queue.name for queue in QUEUES])  # other tests declare queues of their own
        return await session.scalar(select(func.count()).select_from(QueueMinute).where(ours)) or 0


async def test_many_that_look_write_one_row_for_each_queue(application: object) -> None:
    await ended(MINUTE, urgent__index__succeeded__40=3, urgent__lamp__cancelled__8=1)
    await asyncio.gather(*(sample(MINUTE) for _ in range(5)))
    assert await rows() == len(QUEUES)
    async with reading() as session:
        urgent = await session.get_one(QueueMinute, (NOON, "urgent"))
    assert (urgent.succeeded, urgent.waiting, urgent.durations) == (3, 0, {"40": 3, "8": 1})
    assert urgent.tasks == {"index": {"succeeded": 3}, "lamp": {"cancelled": 1}}


async def test_minutes_that_nobody_saw_are_made_up_for_without_their_depth(application: object) -> None:
    await sample(MINUTE)
    await ended(MINUTE + 2, urgent__index__failed__4=1)
    await sample(MINUTE + 3)
    assert await rows() == 4 * len(QUEUES)
    async with reading() as session:
        missed = await session.get_one(QueueMinute, (NOON + timedelta(minutes=2), "urgent"))
        steps = await history(session, "1h", None, NOON + timedelta(minutes=4))
    assert (missed.failed, missed.waiting) == (1, None)
    known = [step for step in steps if step.succeeded is not None]
    assert [step.failed for step in known] == [0, 0, 1, 0]
    assert [bool(step.waiting) for step in known] == [True, False, False, True]


async def test_what_is_older_than_a_week_goes(application: object) -> None:
    await sample(MINUTE)
    await sample(MINUTE + 7 * 24 * 60 + 5)
    async with reading() as session:
        oldest = await session.scalar(select(func.min(QueueMinute.minute)))
    assert oldest is not None
    assert oldest > NOON


@pytest.mark.parametrize(("span", "steps"), [("1h", 60), ("24h", 144)])
async def test_quantiles_are_those_of_all_queues_together(application: object, span: str, steps: int) -> None:
    fast, slow = bucket(0.01), bucket(10.0)
    async with transaction() as session:
        for queue, number, count in (("urgent", fast, 90), ("batch", slow, 10)):
            told = {"index": {"succeeded": count}}
            session.add(
                QueueMinute(
                    minute=NOON, queue=queue, waiting=2, scheduled=0, running=0, oldest_age_s=1.5, succeeded=count,
                    failed=0, retried=0, tasks=told, durations={str(number): count},
                )
            )  # fmt: skip
    async with reading() as session:
        found = await history(session, span, None, NOON + timedelta(minutes=2))  # type: ignore[arg-type]
        urgent = await history(session, span, "urgent", NOON + timedelta(minutes=2))  # type: ignore[arg-type]
        assert await runs_since(session, NOON) == {"index": {"succeeded": 100}}
        assert await rates(session, NOON + timedelta(minutes=2)) == {"urgent": 90, "batch": 10}
    assert len(found) == steps
    [step] = [step for step in found if step.succeeded is not None]
    assert (step.succeeded, step.waiting, step.age) == (100, {"urgent": 2, "batch": 2}, 1.5)
    assert step.p50 == pytest.approx(0.01, rel=0.2)
    assert step.p95 == pytest.approx(10, rel=0.2)
    [alone] = [step for step in urgent if step.succeeded is not None]
    assert alone.p95 == pytest.approx(0.01, rel=0.2)
