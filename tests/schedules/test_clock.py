"""The clock: one leader, each slot once, late rather than never."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import redis.asyncio
from periodiq import cron

from schedules import clock as module
from schedules.clock import Clock
from service.queue import BrokerAway, Dispatch, Queue, Task, connected, scheduler_age, schedules
from service.queue.timetable import Lead, lead
from service.settings import Settings, settings

BATCH = Queue("batch", 3)
NIGHTLY, OFTEN = Task("nightly", BATCH), Task("often", BATCH)
TIMETABLE = [(cron("0 2 * * *"), NIGHTLY), (cron("* * * * *"), OFTEN)]


@pytest.fixture
async def store(pharos: Settings) -> Any:
    assert pharos.broker_url is not None
    async with connected(), redis.asyncio.Redis.from_url(pharos.broker_url, decode_responses=True) as client:
        yield client


class Time:
    """Redis's clock as a test wants it; everything else stays as it is."""

    def __init__(self, at: datetime) -> None:
        self.at = at

    async def lead(self, token: Any) -> Lead | None:
        led = await lead(token)
        return led and Lead(self.at, led.emptied, led.sent)


@pytest.fixture
def time(monkeypatch: pytest.MonkeyPatch) -> Time:
    time = Time(datetime(2026, 11, 23, 12, 0, 30, tzinfo=UTC))
    monkeypatch.setattr(module, "lead", time.lead)
    return time


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[Dispatch]:
    """What was sent, each message once, as the queue would have it."""
    sent: dict[Any, Dispatch] = {}

    async def send(dispatches: Sequence[Dispatch]) -> None:
        sent.update({dispatch.message_id: dispatch for dispatch in dispatches})

    monkeypatch.setattr(module, "send", send)

    class Sent(list[Dispatch]):
        def __iter__(self) -> Any:
            return iter(sent.values())

    return Sent()


def names(sent: list[Dispatch]) -> list[str]:
    return [dispatch.task.name for dispatch in sent]


async def test_each_slot_is_sent_once_and_a_new_line_waits_for_its_next(
    store: Any, time: Time, sent: list[Dispatch]
) -> None:
    clock = Clock(TIMETABLE, [])
    await clock.tick()
    assert names(sent) == []
    for _ in range(120):
        time.at += timedelta(seconds=1)
        await clock.tick()
    assert names(sent) == ["often", "often"]
    time.at = datetime(2026, 11, 24, 2, 0, 0, tzinfo=UTC)
    await clock.tick()
    assert names(sent).count("nightly") == 1


async def test_a_missed_slot_runs_once_late(store: Any, time: Time, sent: list[Dispatch]) -> None:
    await Clock(TIMETABLE, []).tick()
    await store.delete("dramatiq:__leader__")  # and nobody leads for two days
    time.at += timedelta(days=2)
    await Clock(TIMETABLE, []).tick()
    assert names(sent).count("nightly") == 1
    assert names(sent).count("often") == 10  # those of the last ten minutes


async def test_of_three_clocks_one_leads_and_another_takes_over(store: Any, time: Time, sent: list[Dispatch]) -> None:
    clocks = [Clock(TIMETABLE, []) for _ in range(3)]
    for _ in range(5):
        for clock in clocks:
            await clock.tick()
        time.at += timedelta(minutes=1)
    assert len(names(sent)) == 4
    assert 9_000 < await store.pttl("dramatiq:__leader__") <= 10_000
    await store.delete("dramatiq:__leader__")  # its lease ran out
    for clock in reversed(clocks):
        await clock.tick()
    assert len(names(sent)) == 5


async def test_at_the_start_and_when_redis_was_emptied_it_asks_at_once(
    store: Any, time: Time, sent: list[Dispatch]
) -> None:
    clock = Clock([], [OFTEN])
    for _ in range(3):
        await clock.tick()
    assert len(names(sent)) == 1
    time.at += timedelta(seconds=1)
    await store.flushdb()
    for _ in range(3):
        await clock.tick()
    assert len(names(sent)) == 2


async def test_an_emptied_redis_neither_repeats_nor_forgets_a_slot(
    store: Any, time: Time, sent: list[Dispatch]
) -> None:
    clock = Clock(TIMETABLE, [])
    await clock.tick()
    await store.flushdb()
    time.at += timedelta(minutes=1)
    await clock.tick()
    assert names(sent) == ["often"]
    assert set(await store.hkeys("dramatiq:__sent__")) == {"nightly", "often"}


async def test_it_survives_an_outage_and_sends_what_was_due(
    store: Any, time: Time, sent: list[Dispatch], pharos: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "TICK", 0.01)
    clock = Clock(TIMETABLE, [])
    await clock.tick()
    assert pharos.broker_url is not None
    monkeypatch.setenv("PHAROS_BROKER_URL", "redis://127.0.0.1:1/0")
    settings.cache_clear()
    running = asyncio.create_task(clock.run())
    await asyncio.sleep(0.1)
    with pytest.raises(BrokerAway):
        await scheduler_age()
    time.at += timedelta(minutes=2)
    monkeypatch.setenv("PHAROS_BROKER_URL", pharos.broker_url)
    settings.cache_clear()
    async with asyncio.timeout(5):
        while len(names(sent)) < 2:
            await asyncio.sleep(0.01)
    clock.stop()
    await running
    assert names(sent) == ["often", "often"]
    assert await store.exists("dramatiq:__leader__") == 0


async def test_its_age_says_that_it_runs(store: Any) -> None:
    assert await scheduler_age() is None
    await Clock([], []).tick()
    age = await scheduler_age()
    assert age is not None
    assert age < 5


async def test_the_timetable_says_what_it_holds_and_how_each_line_stands(
    time: Time, sent: list[Dispatch], store: Any
) -> None:
    clock = Clock(TIMETABLE, [])
    await clock.tick()
    await clock.tick()
    lines = {line.name: line for line in await schedules()}
    assert {name: (line.cron, line.queue) for name, line in lines.items()} == {
        "nightly": ("0 2 * * *", "batch"), "often": ("* * * * *", "batch"),
    }  # fmt: skip
    assert lines["nightly"].next == datetime(2026, 11, 24, 2, tzinfo=UTC)
    assert lines["often"].last == datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
    await store.delete("dramatiq:__timetable__")
    assert {line.state for line in await schedules()} == {"stopped"}
