"""What a worker gets before it asks: a message handed over by its bell, and claims that wait for a place."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
import redis.asyncio

from service.queue import Task, actor, send, task_state
from service.queue.broker import PharosBroker
from service.queue.delivery import Claim
from service.queue.engine import Engine
from service.queue.exchange import PREFETCH
from service.queue.layout import pause
from tests.queue.conftest import BACKGROUND, NORMAL, URGENT, Work, dispatch, until

WORK, LOW, HIGH = Task("work", NORMAL), Task("low", BACKGROUND), Task("high", URGENT)

Free = Callable[[Engine], Any]


@pytest.fixture
def free(store: redis.asyncio.Redis) -> Free:
    """Waits until an engine has nothing to do, listens to its bell, and Redis knows."""

    async def wait(engine: Engine) -> None:
        bell = f"dramatiq:bell:{engine.id}"

        async def listening() -> bool:
            return await store.pubsub_numsub(bell) == [(bell, 1)]

        await until(listening)
        await until(lambda: store.sismember("dramatiq:__free__", engine.id))

    return wait


async def pushes(store: redis.asyncio.Redis) -> int:
    """Return how many times ids were put into a lane."""
    return (await store.info("commandstats")).get("cmdstat_rpush", {"calls": 0})["calls"]


async def test_what_is_sent_alone_goes_into_the_hands_of_an_idle_worker(
    working: Work, store: redis.asyncio.Redis, free: Free
) -> None:
    ran: list[int] = []
    may_end = asyncio.Event()

    @actor(WORK)
    async def work(n: int) -> None:
        ran.append(n)
        await may_end.wait()

    async with working() as engine:
        await free(engine)
        before = await pushes(store)
        first = dispatch(WORK, n=1)
        await send([first])
        await until(lambda: ran == [1])
        assert await pushes(store) == before
        state = await task_state(first.message_id)
        assert state is not None
        assert state.status == "running"
        await send([dispatch(WORK, n=2)])  # it is idle no more: the second goes its way through the lane
        await until(lambda: ran == [1, 2])
        assert await pushes(store) == before + 1
        may_end.set()
        await until(lambda: engine.processed == 2)
    assert await store.hlen(f"dramatiq:claims:{engine.id}") == 0


async def test_of_several_the_most_urgent_one_goes_first(working: Work, free: Free) -> None:
    ran: list[str] = []

    @actor(LOW)
    async def low() -> None:
        ran.append("low")

    @actor(HIGH)
    async def high() -> None:
        ran.append("high")

    async with working() as engine:
        await free(engine)
        await send([dispatch(LOW), dispatch(HIGH)])
        await until(lambda: len(ran) == 2)
    assert ran == ["high", "low"]


async def test_nothing_of_a_paused_queue_is_handed_over(working: Work, store: redis.asyncio.Redis, free: Free) -> None:
    @actor(WORK)
    async def work() -> None: ...

    waiting = dispatch(WORK)
    async with working() as engine:
        await free(engine)
        await pause("default")
        await send([waiting])
        state = await task_state(waiting.message_id)
        assert state is not None
        assert state.status == "queued"


async def test_what_an_unheard_bell_has_brought_is_handed_back_and_runs(
    working: Work, free: Free, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran: list[int] = []

    @actor(WORK)
    async def work(n: int) -> None:
        ran.append(n)

    deaf: list[Claim | None] = []
    monkeypatch.setattr(Engine, "_rung", lambda self, handed: deaf.append(handed))
    async with working() as engine:
        await free(engine)
        await send([dispatch(WORK, n=1)])
        await until(lambda: ran == [1], seconds=10)
        await until(lambda: engine.processed == 1)
    assert [claim.id for claim in deaf if claim is not None]
    assert ran == [1]


@pytest.mark.parametrize("concurrency", [1, 8])
async def test_claims_wait_for_places_that_fall_free_and_never_take_more(
    working: Work, broker: PharosBroker, concurrency: int
) -> None:
    running = most = done = waited = 0

    @actor(WORK)
    async def work() -> None:
        nonlocal running, most, done
        running += 1
        most = max(most, running)
        await asyncio.sleep(0.002)
        running -= 1
        done += 1

    await send([dispatch(WORK) for _ in range(400)])
    async with working(concurrency) as engine:
        while done < 400:
            waiting = len(engine._waiting)  # pyright: ignore[reportPrivateUsage]
            assert waiting <= PREFETCH
            waited = max(waited, waiting)
            await asyncio.sleep(0.001)
        await until(lambda: engine.processed == 400)
    assert most == concurrency
    assert waited > 0 or concurrency == 1  # half of the room at a time: with one place there is nothing to spare


async def test_claims_that_find_no_place_are_handed_back(working: Work, store: redis.asyncio.Redis) -> None:
    may_end = asyncio.Event()
    held: list[int] = []

    @actor(WORK)
    async def work(n: int) -> None:
        await asyncio.sleep(0.002)
        if n >= 80:
            held.append(n)
            await may_end.wait()

    # Eighty quick ones, on whose heels the worker asks for more than it has places; those after them keep their places.
    await send([dispatch(WORK, n=n) for n in range(100)])
    async with working(8) as engine:
        await until(lambda: len(held) == 8)
        await until(lambda: not engine._waiting)  # pyright: ignore[reportPrivateUsage]

        async def settled() -> bool:
            return await store.hlen(f"dramatiq:claims:{engine.id}") == 8

        await until(settled)
        assert await store.llen("dramatiq:default") == 12
        may_end.set()
        await until(lambda: engine.processed == 100)
    assert sorted(held) == list(range(80, 100))


async def test_a_stop_hands_back_what_waits(working: Work, store: redis.asyncio.Redis) -> None:
    ran: list[int] = []

    @actor(WORK)
    async def work(n: int) -> None:
        await asyncio.sleep(0.002)
        ran.append(n)

    await send([dispatch(WORK, n=n) for n in range(2000)])
    async with working(8) as engine, asyncio.timeout(10):
        while not engine._waiting:  # pyright: ignore[reportPrivateUsage]
            await asyncio.sleep(0)
    assert await store.hlen(f"dramatiq:claims:{engine.id}") == 0
    assert await store.llen("dramatiq:default") == 2000 - engine.processed
    assert engine.processed < 2000
    async with working(8) as second:
        await until(lambda: engine.processed + second.processed == 2000)
    assert set(ran) == set(range(2000))
