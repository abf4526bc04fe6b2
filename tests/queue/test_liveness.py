"""Workers that die, messages that kill them, and stopping."""

import asyncio
from typing import Any

import pytest

from service.queue import Task, actor, send, task_state
from service.queue.scripting import Call, execute, script
from tests.queue.conftest import NORMAL, Work, dispatch, letters, until

WORK = Task("work", NORMAL, key="n")


@pytest.fixture(autouse=True)
async def reaping(store: Any, pharos: Any) -> None:
    """As if somebody had reaped just now: a first reaper would wait for everyone to beat."""
    await execute(Call(script("reap"), [10_000]))
    await store.delete("dramatiq:__grace__")


async def die(store: Any, worker: str, *, take: int = 8) -> list[str]:
    """Let a worker take what waits, as an engine does, and never be heard of again; return what it took."""
    lanes = ["default:suspect", "s", "default", "n", "default:bulk", "b"]
    suspects = 0
    for turn in range(1, 9):
        [(_, _, taken)] = await execute(
            Call(script("take"), [worker, turn, take, 1, 0, 0, 0, suspects, "", "0", *lanes])
        )
        suspects += sum(lane == b"default:suspect" for _, lane, *_ in taken)
    await store.zadd("dramatiq:__workers__", {worker: 1})
    return sorted(await store.hkeys(f"dramatiq:claims:{worker}"))


async def test_what_a_dead_worker_had_in_hand_is_run_by_another(working: Work, store: Any) -> None:
    runs: list[str] = []

    @actor(WORK)
    async def work(n: str) -> None:
        runs.append(n)

    sent = [dispatch(WORK, n=str(n)) for n in range(5)]
    await send(sent)
    assert await die(store, "dead") == sorted(str(one.message_id) for one in sent)
    async with working() as engine:
        await until(lambda: engine.processed == 5)
    assert sorted(runs) == list("01234")
    assert await store.exists("dramatiq:claims:dead", "dramatiq:turn:dead") == 0
    assert await store.zscore("dramatiq:__workers__", "dead") is None


async def test_a_newer_request_does_the_work_of_a_lost_one(working: Work, store: Any) -> None:
    runs: list[str] = []

    @actor(WORK)
    async def work(n: str) -> None:
        runs.append(n)

    lost, newer = dispatch(WORK, n="a"), dispatch(WORK, n="a", after=0.1)
    await send([lost])
    await die(store, "dead")
    await send([newer])
    async with working() as engine:
        await until(lambda: engine.processed == 1)
        await asyncio.sleep(0.2)
    assert runs == ["a"]
    state = await task_state(lost.message_id)
    assert state is not None
    assert state.status == "succeeded"


async def test_a_message_that_kills_its_worker_each_time_becomes_a_dead_letter(working: Work, store: Any) -> None:
    runs: list[str] = []

    @actor(WORK)
    async def work(n: str) -> None:
        runs.append(n)

    poison = dispatch(WORK, n="poison")
    await send([poison])
    for death in range(3):
        assert await die(store, f"dead {death}") == [str(poison.message_id)]
        await execute(Call(script("reap"), [10_000]))
    await send([dispatch(WORK, n="good")])
    async with working() as engine:
        await until(lambda: engine.processed == 2)
    assert runs == ["good"]
    [letter] = await letters()
    assert (letter.reason, letter.attempts, letter.arguments) == ("poison", 3, {"n": "poison"})
    assert letter.exception == "WorkerLost: The worker process ended 3 times while it ran this task."


async def test_neighbours_of_a_poisonous_message_survive(working: Work, store: Any) -> None:
    runs: list[str] = []

    @actor(WORK)
    async def work(n: str) -> None:
        runs.append(n)

    await send([dispatch(WORK, n=str(n)) for n in range(6)])
    for death in range(2):
        assert len(await die(store, f"dead {death}")) == 6
        await execute(Call(script("reap"), [10_000]))
    # From here on they are suspects, and travel alone: only the one that kills is counted on.
    assert len(await die(store, "dead 2")) == 1
    await execute(Call(script("reap"), [10_000]))
    async with working() as engine:
        await until(lambda: engine.processed == 6)
    assert len(runs) == 5
    assert [letter.reason for letter in await letters()] == ["poison"]


async def test_an_outcome_clears_the_count(working: Work, store: Any) -> None:
    flaky, runs = Task("flaky", NORMAL, retries=5, backoff=0.02), 0

    @actor(flaky)
    async def work() -> None:
        nonlocal runs
        runs += 1
        if runs < 5:
            raise OSError

    sent = dispatch(flaky)
    await send([sent])
    await die(store, "dead")
    async with working() as engine:
        await until(lambda: engine.processed == 1)
    assert runs == 5
    assert await store.hget(f"dramatiq:task:{sent.message_id}", "d") == "1"


async def test_after_a_silence_of_redis_everyone_gets_time_to_beat(store: Any) -> None:
    await store.zadd("dramatiq:__workers__", {"late": 1})
    await store.set("dramatiq:__reaped__", 1)  # the last reaper was here long ago
    assert await execute(Call(script("reap"), [10_000])) == [[]]
    assert await execute(Call(script("reap"), [10_000])) == [[]]
    await store.delete("dramatiq:__grace__")  # ten seconds later
    assert await execute(Call(script("reap"), [10_000])) == [[b"late"]]


async def test_a_turn_that_is_repeated_returns_the_same_and_an_older_one_nothing(store: Any) -> None:
    await send([dispatch(WORK, n=str(n)) for n in range(9)])
    lanes = ["default", "n"]

    async def take(turn: int) -> list[bytes]:
        [(_, _, taken)] = await execute(Call(script("take"), ["one", turn, 4, 1, 0, 0, 0, 0, "", "0", *lanes]))
        return [id for id, *_ in taken]

    first = await take(1)
    assert len(first) == 2  # half of the room at a time
    assert await take(1) == first
    second = await take(2)
    assert not set(first) & set(second)
    assert await take(1) == []
    assert await store.hlen("dramatiq:claims:one") == 4


async def test_only_the_owner_settles(working: Work, store: Any) -> None:
    await send([dispatch(WORK, n="a")])
    [id] = await die(store, "one")
    for name, arguments in {
        "done": ["other", id, "default"],
        "end": ["other", id, "default", "failed", "", "no"],
        "retry": ["other", id, "default", 0, 1, "no", 0, "{}"],
        "release": ["other", id, "default"],
    }.items():
        await execute(Call(script(name), arguments))
        assert await store.hgetall("dramatiq:claims:one") == {id: "default"}
        assert await store.hget(f"dramatiq:task:{id}", "s") == "running"
    for _ in range(2):
        await execute(Call(script("done"), ["one", id, "default"]))
    assert await store.hget(f"dramatiq:task:{id}", "s") == "succeeded"
    assert 3500 < await store.ttl(f"dramatiq:task:{id}") <= 3600


async def test_a_stopping_engine_finishes_what_runs_and_takes_nothing_more(working: Work, store: Any) -> None:
    runs: list[str] = []
    may_end = asyncio.Event()

    @actor(WORK)
    async def work(n: str) -> None:
        runs.append(n)
        await may_end.wait()

    await send([dispatch(WORK, n="running")])
    async with working(grace=5) as engine:
        await until(lambda: runs)
        engine.stop()
        await send([dispatch(WORK, n="later")])
        await asyncio.sleep(0.1)
        may_end.set()
        await until(lambda: engine.processed == 1)
    assert runs == ["running"]
    assert await store.llen("dramatiq:default") == 1
    assert await store.exists("dramatiq:__workers__", "dramatiq:__profiles__") == 0
    assert await store.keys("dramatiq:*:idle") == []


@pytest.mark.parametrize("stubborn", [False, True])
async def test_what_does_not_finish_is_handed_back_uncounted(working: Work, store: Any, stubborn: bool) -> None:
    started, freed = 0, asyncio.Event()

    @actor(WORK)
    async def work(n: str) -> None:
        nonlocal started
        started += 1
        while not freed.is_set():
            try:
                await freed.wait()
            except asyncio.CancelledError:
                if not stubborn:
                    raise

    sent = dispatch(WORK, n="long")
    await send([sent])
    async with working(grace=0.1):
        await until(lambda: started)
    assert await store.lrange("dramatiq:default", 0, -1) == [str(sent.message_id)]
    assert await store.hget(f"dramatiq:task:{sent.message_id}", "d") == "0"
    state = await task_state(sent.message_id)
    assert state is not None
    assert state.status == "queued"
    freed.set()
    async with working() as engine:
        await until(lambda: engine.processed == 1)
    assert started == 2


async def test_a_second_stop_cuts_the_grace_short(working: Work) -> None:
    started = asyncio.Event()

    @actor(WORK)
    async def work(n: str) -> None:
        started.set()
        await asyncio.sleep(60)

    await send([dispatch(WORK, n="long")])
    async with asyncio.timeout(5), working(grace=60) as engine:
        await started.wait()
        engine.stop()
        await asyncio.sleep(0.05)
    assert started.is_set()
