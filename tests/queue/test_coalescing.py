"""A burst is one run: trailing edge, maximum wait, lanes, and what happens while a task runs."""

import asyncio
from uuid import UUID

import redis.asyncio

from service.queue import Task, actor, send, task_state
from service.queue.broker import PharosBroker
from tests.queue.conftest import NORMAL, Elapse, Work, dispatch, until

EMBED = Task("embed", NORMAL, key="resource_id", backoff=0.05)


async def due_in(store: redis.asyncio.Redis) -> float:
    """Return the seconds until the only scheduled message is due."""
    [(_, due)] = await store.zrange("dramatiq:default:due", 0, -1, withscores=True)
    seconds, microseconds = await store.time()
    return due / 1000 - seconds - microseconds / 1e6


async def test_a_burst_runs_once_with_the_last_arguments(working: Work) -> None:
    runs: list[tuple[str, int]] = []

    @actor(EMBED)
    async def embed(resource_id: str, version: int) -> None:
        runs.append((resource_id, version))

    burst = [dispatch(EMBED, resource_id="a", version=n, after=0.2, at_most=5) for n in range(30)]
    other = dispatch(EMBED, resource_id="b", version=0, after=0.2, at_most=5)
    async with working() as engine:
        for one in burst:
            await send([one])
        await send([other])
        await until(lambda: engine.processed == 2)
        await send(burst)  # what was absorbed is known as well
        await asyncio.sleep(0.3)
    assert sorted(runs) == [("a", 29), ("b", 0)]
    states = [await task_state(one.message_id) for one in burst]
    assert {state.status for state in states if state} == {"succeeded"}
    assert [state.task_id for state in states if state] == [one.message_id for one in burst]


async def test_each_request_postpones_up_to_the_maximum_wait(
    broker: PharosBroker, store: redis.asyncio.Redis, elapse: Elapse
) -> None:
    for passed, due in ((0, 10), (4, 10), (4, 10), (4, 10), (4, 8), (4, 4)):  # the last is due 24 s after the first
        await elapse(passed)
        await send([dispatch(EMBED, resource_id="a", after=10, at_most=24)])
        assert due - 0.5 < await due_in(store) <= due


async def test_the_promise_of_another_edge_is_kept(broker: PharosBroker, store: redis.asyncio.Redis) -> None:
    await send([dispatch(EMBED, resource_id="a", after=1, at_most=4)])
    await send([dispatch(EMBED, resource_id="a", after=60, at_most=300)])
    assert await due_in(store) <= 4
    await send([dispatch(EMBED, resource_id="a", after=0)])
    assert await store.zcard("dramatiq:default:due") == 0
    assert await store.llen("dramatiq:default") == 1


async def test_what_is_queued_absorbs_until_it_starts_and_then_no_more(working: Work) -> None:
    runs: list[int] = []
    may_end = asyncio.Event()

    @actor(EMBED)
    async def embed(resource_id: str, version: int) -> None:
        runs.append(version)
        await may_end.wait()

    await send([dispatch(EMBED, resource_id="a", version=n) for n in range(3)])
    await send([dispatch(EMBED, resource_id="a", version=3)])
    async with working() as engine:
        await until(lambda: runs == [3])
        await send([dispatch(EMBED, resource_id="a", version=4, after=0.05)])
        await send([dispatch(EMBED, resource_id="a", version=5, after=0.05)])
        await until(lambda: runs == [3, 5])
        may_end.set()
        await until(lambda: engine.processed == 2)
    assert runs == [3, 5]


async def test_a_retry_merges_into_what_came_meanwhile(working: Work, store: redis.asyncio.Redis) -> None:
    runs: list[int] = []
    failing = asyncio.Event()

    @actor(EMBED)
    async def embed(resource_id: str, version: int) -> None:
        runs.append(version)
        if version == 0:
            await failing.wait()
            raise OSError("once")

    first, second = (dispatch(EMBED, resource_id="a", version=n, after=n / 2) for n in range(2))
    await send([first])
    async with working() as engine:
        await until(lambda: runs == [0])
        await send([second])
        failing.set()
        await until(lambda: engine.processed == 1)
        assert await store.hlen("dramatiq:default.msgs") == 0
    assert runs == [0, 1]
    state = await task_state(first.message_id)
    assert state is not None
    assert (state.task_id, state.status) == (first.message_id, "succeeded")


async def test_a_request_brings_a_pausing_retry_forward_but_bulk_work_does_not(
    working: Work, store: redis.asyncio.Redis
) -> None:
    patient = Task("patient", NORMAL, key="resource_id", backoff=60)
    runs: list[int] = []

    @actor(patient)
    async def work(resource_id: str, version: int) -> None:
        runs.append(version)
        if version == 0:
            raise OSError("once")

    first = dispatch(patient, resource_id="a", version=0)
    await send([first])
    async with working() as engine:
        await until(lambda: store.zcard("dramatiq:default:due"))
        state = await task_state(first.message_id)
        assert state is not None
        assert (state.status, state.attempts, state.error) == ("retrying", 1, "OSError: once")
        await send([dispatch(patient, resource_id="a", version=1, bulk=True)])
        assert await due_in(store) > 40
        await send([dispatch(patient, resource_id="a", version=2, after=0.05)])
        await until(lambda: engine.processed == 1)
    assert runs == [0, 2]


async def test_a_request_that_is_not_bulk_takes_its_slot_out_of_the_bulk_lane(
    working: Work, store: redis.asyncio.Redis
) -> None:
    runs: list[str] = []

    @actor(EMBED)
    async def embed(resource_id: str) -> None:
        runs.append(resource_id)

    for name in "abc":
        await send([dispatch(EMBED, resource_id=name, bulk=True)])
    await send([dispatch(EMBED, resource_id="c")])
    assert await store.lrange("dramatiq:default", 0, -1) == (await store.lrange("dramatiq:default:bulk", 2, 2))
    async with working(concurrency=1) as engine:
        await until(lambda: engine.processed == 3)

        async def empty() -> bool:
            return not await store.exists("dramatiq:default:bulk", "dramatiq:default", "dramatiq:default.msgs")

        await until(empty)
    assert runs == ["c", "a", "b"]


async def test_a_batch_gathers_keys_and_closes_when_it_is_full(working: Work, store: redis.asyncio.Redis) -> None:
    graph = Task("graph", NORMAL, key="resource_id", backoff=0.05)
    runs: list[list[str]] = []

    @actor(graph)
    async def update(resource_id: list[str]) -> None:
        runs.append(resource_id)
        if len(runs) == 1:
            raise OSError("the keys must survive this")

    await send([dispatch(graph, resource_id=name, after=0.3, at_most=1, batch=3) for name in "abacd"])
    async with working() as engine:
        await until(lambda: engine.processed == 2)
    assert sorted(runs) == [["a", "b", "c"], ["a", "b", "c"], ["d"]]
    assert await store.keys("dramatiq:gathered:*") == []


async def test_the_same_holds_for_uuid_keys(working: Work) -> None:
    runs: list[UUID] = []

    @actor(EMBED)
    async def embed(resource_id: UUID) -> None:
        runs.append(resource_id)

    resource_id = UUID(int=7)
    await send([dispatch(EMBED, resource_id=str(resource_id), after=0.1, at_most=1) for _ in range(5)])
    async with working() as engine:
        await until(lambda: engine.processed == 1)
    assert runs == [resource_id]
