"""Progress: from coroutines and threads, rarely written, the last word always."""

import asyncio
import sys
import time
from typing import Any

import dramatiq
import pytest

from service.queue import Task, actor, progress, send, task_state
from service.queue.scripting import Call, execute
from tests.queue.conftest import NORMAL, Work, dispatch, until

WORK = Task("work", NORMAL)


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """When progress was written."""
    times: list[float] = []

    async def timed(*calls: Call) -> list[Any]:
        times.append(time.monotonic())
        return await execute(*calls)

    monkeypatch.setattr(sys.modules["service.queue.progress"], "execute", timed)  # the package exports the function
    return times


async def test_the_last_word_is_written_and_not_many_before(working: Work, written: list[float]) -> None:
    @actor(WORK)
    async def work() -> None:
        for n in range(1, 401):
            progress(n, 400, f"item {n}")
            await asyncio.sleep(0.001)

    sent = dispatch(WORK)
    async with working() as engine:
        await send([sent])
        await until(lambda: engine.processed == 1)
    state = await task_state(sent.message_id)
    assert state is not None
    assert (state.status, state.progress) == ("succeeded", {"current": 400, "total": 400, "message": "item 400"})
    assert len(written) >= 2
    lasted = written[-1] - written[0]
    assert len(written) <= lasted * 4 + 2  # the first and the last word wait for nobody


async def test_it_shows_while_the_task_runs(working: Work) -> None:
    may_end = asyncio.Event()

    @actor(WORK)
    async def work() -> None:
        progress(3, 10)
        await may_end.wait()

    sent = dispatch(WORK)
    async with working(grace=5):
        await send([sent])

        async def shown() -> Any:
            state = await task_state(sent.message_id)
            return state and state.progress

        assert await until(shown) == {"current": 3, "total": 10, "message": ""}
        may_end.set()


async def test_from_threads_and_of_the_right_task(working: Work) -> None:
    @actor(WORK)
    def work(n: int) -> None:  # @actor runs it in a thread
        progress(n)

    @dramatiq.actor(queue_name="default")
    def stock(n: int) -> None:
        progress(n, message="stock")

    one, two = dispatch(WORK, n=1), dispatch(WORK, n=2)
    async with working() as engine:
        await send([one, two])
        message = await asyncio.to_thread(stock.send, 3)
        await until(lambda: engine.processed == 3)
    states = [await task_state(id) for id in (one.message_id, two.message_id, message.message_id)]
    assert [state and state.progress and state.progress["current"] for state in states] == [1, 2, 3]


async def test_outside_of_a_task_it_says_nothing(written: list[float]) -> None:
    before = asyncio.all_tasks()
    progress(1, 2)
    assert asyncio.all_tasks() == before  # nothing is about to be written either
    assert written == []
