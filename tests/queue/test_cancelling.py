"""Cancelling: what waits ends at once, what runs is told, and nothing that was cancelled runs again."""

import asyncio
from uuid import UUID

import redis.asyncio

from service.queue import Task, actor, send, task_state
from service.queue.cancel import cancel
from service.queue.scripting import Call, execute, script
from service.queue.state import TaskState
from tests.queue.conftest import NORMAL, Work, dispatch, letters, until

WORK = Task("work", NORMAL)
KEYED = Task("keyed", NORMAL, key="n", backoff=0.05)


async def state_of(task_id: UUID) -> TaskState:
    state = await task_state(task_id)
    assert state is not None
    return state


async def has(task_id: UUID, status: str) -> bool:
    state = await task_state(task_id)
    return state is not None and state.status == status


async def stop(task_id: UUID) -> str:
    return (await cancel(task_id, "default", "work"))[0]


async def test_what_waits_never_runs(working: Work, store: redis.asyncio.Redis) -> None:
    ran: list[int] = []

    @actor(KEYED)
    async def keyed(n: int) -> None:
        ran.append(n)

    queued, scheduled, other = dispatch(KEYED, n=1), dispatch(KEYED, n=2, after=0.1), dispatch(KEYED, n=3)
    await send([queued, scheduled, other])
    assert [await stop(one.message_id) for one in (queued, scheduled)] == ["cancelled", "cancelled"]
    async with working() as engine:
        await until(lambda: engine.processed == 1)
        again = dispatch(KEYED, n=1)
        await send([again])  # the slot is free: it does not merge into what was cancelled
        await until(lambda: engine.processed == 2)
        await asyncio.sleep(0.15)
    assert ran == [3, 1]
    state = await state_of(queued.message_id)
    assert (state.status, state.attempts, state.error) == ("cancelled", 0, None)
    assert state.date_done is not None
    assert await store.hlen("dramatiq:default.msgs") == 0
    assert await store.zcard("dramatiq:default:due") == 0
    assert await stop(queued.message_id) == "cancelled"


async def test_what_is_not_sent_yet_is_left_out_when_it_is(working: Work) -> None:
    ran: list[int] = []

    @actor(WORK)
    async def work(n: int) -> None:
        ran.append(n)

    early = dispatch(WORK, n=1)
    assert await stop(early.message_id) == "cancelled"
    async with working() as engine:
        await send([early, dispatch(WORK, n=2)])
        await until(lambda: engine.processed == 1)
    assert ran == [2]


async def test_what_runs_is_cancelled_within_a_second_and_not_tried_again(working: Work) -> None:
    cleaned: list[bool] = []

    @actor(WORK)
    async def work() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            cleaned.append(True)

    sent = dispatch(WORK)
    async with working() as engine:
        await send([sent])
        await until(lambda: has(sent.message_id, "running"))
        assert await stop(sent.message_id) == "running"
        await until(lambda: has(sent.message_id, "cancelled"), 1)
        assert engine.profile()["active"] == []
        assert (engine.processed, engine.profile()["failed"]) == (1, 0)
    assert cleaned == [True]
    assert await letters() == []


async def test_one_that_swallows_it_counts_as_cancelled_when_it_ends(working: Work) -> None:
    refused, may_end = asyncio.Event(), asyncio.Event()

    @actor(WORK)
    async def work() -> str:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            refused.set()
        await may_end.wait()
        return "done"

    sent = dispatch(WORK)
    async with working(grace=5):
        await send([sent])
        await until(lambda: has(sent.message_id, "running"))
        await stop(sent.message_id)
        await refused.wait()
        assert (await state_of(sent.message_id)).status == "running"
        may_end.set()
        await until(lambda: has(sent.message_id, "cancelled"))
    assert (await state_of(sent.message_id)).result is None


async def test_one_that_had_ended_stays_as_it_ended(working: Work) -> None:
    @actor(WORK)
    async def work() -> int:
        return 7

    sent = dispatch(WORK)
    async with working() as engine:
        await send([sent])
        await until(lambda: engine.processed == 1)
    assert await stop(sent.message_id) == "succeeded"
    assert (await state_of(sent.message_id)).result == 7


async def test_one_that_waits_for_another_try_is_not_tried_again(working: Work) -> None:
    tries: list[int] = []

    @actor(KEYED)
    async def keyed(n: int) -> None:
        tries.append(n)
        raise OSError("later")

    sent = dispatch(KEYED, n=1)
    async with working():
        await send([sent])
        await until(lambda: has(sent.message_id, "retrying"))
        assert await stop(sent.message_id) == "cancelled"
        await asyncio.sleep(0.2)
    assert len(tries) == 1


async def test_one_whose_worker_is_lost_does_not_run_again(working: Work, store: redis.asyncio.Redis) -> None:
    """The worker died with a cancelled task in hand: the reaper ends it instead of queueing it."""
    sent = dispatch(WORK)
    await send([sent])
    take = Call(script("take"), ["dead", 1, 8, 1, 0, 0, 0, 0, "", "0", "default", "n"])
    [[_, _, taken]] = await execute(take)
    assert [claim[0].decode() for claim in taken] == [str(sent.message_id)]
    assert await stop(sent.message_id) == "running"
    await execute(Call(script("release"), ["dead", str(sent.message_id), "default"]))
    assert (await state_of(sent.message_id)).status == "cancelled"
    assert await store.llen("dramatiq:default") == 0
    assert await store.hlen("dramatiq:default.msgs") == 0


async def test_one_that_merged_into_another_is_not_cancelled(working: Work) -> None:
    first, second = dispatch(KEYED, n=1), dispatch(KEYED, n=1)
    await send([first, second])
    assert await cancel(second.message_id, "default", "keyed") == ("merged", first.message_id)
    assert (await state_of(first.message_id)).status == "queued"
