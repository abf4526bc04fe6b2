"""Priorities 0 to 9 and delays, of tasks, actors and messages; queues that are paused."""

import asyncio
import time
from typing import Any

import dramatiq
import pytest

from service.errors import NotFound
from service.queue import Queue, Task, actor, pause, queue_status, resume, send, task_state
from service.queue.broker import PharosBroker
from service.queue.options import BadDelay
from service.queue.task import BadPriority
from tests.queue.conftest import NORMAL, URGENT, Work, dispatch, until


async def test_of_ten_tasks_that_wait_the_most_urgent_starts_first(working: Work) -> None:
    order: list[int] = []
    for priority in range(10):

        @actor(Task(f"ranked_{priority}", NORMAL, priority=priority))
        async def work(priority: int) -> None:
            order.append(priority)

    for priority in range(10):
        await send([dispatch(Task(f"ranked_{priority}", NORMAL, priority=priority), priority=priority)])
    async with working(concurrency=1) as engine:
        await until(lambda: engine.processed == 10)
    assert order[0] == 9
    # Three classes of work share a worker; within each one the rank decides.
    classes = [[9, 8], [7, 6, 5, 4], [3, 2, 1, 0]]
    assert [[priority for priority in order if priority in work] for work in classes] == classes


async def test_a_message_takes_a_priority_of_its_own(broker: PharosBroker, working: Work) -> None:
    order: list[int] = []

    @dramatiq.actor(queue_name="default")
    async def note(priority: int) -> None:
        order.append(priority)

    def send_all() -> None:
        for priority in (4, 6, 7, 5):
            note.send_with_options(args=(priority,), priority=priority)

    await asyncio.to_thread(send_all)
    async with working(concurrency=1) as engine:
        await until(lambda: engine.processed == 4)
    assert order == [7, 6, 5, 4]


async def test_an_actor_ranks_below_its_queue_by_dramatiqs_number(broker: PharosBroker, working: Work) -> None:
    order: list[str] = []

    @dramatiq.actor(queue_name="default", priority=1)
    async def later() -> None:
        order.append("later")

    @dramatiq.actor(queue_name="default")
    async def sooner() -> None:
        order.append("sooner")

    await asyncio.to_thread(lambda: [later.send(), sooner.send()])
    async with working(concurrency=1) as engine:
        await until(lambda: engine.processed == 2)
    assert order == ["sooner", "later"]


@pytest.mark.parametrize("priority", [-1, 10, "9", 5.0, True])
async def test_what_is_no_priority_is_refused_at_the_sender(broker: PharosBroker, store: Any, priority: Any) -> None:
    @dramatiq.actor(queue_name="default")
    async def note() -> None: ...

    with pytest.raises(BadPriority, match="from 0 to 9"):
        await asyncio.to_thread(lambda: note.send_with_options(priority=priority))
    assert await store.dbsize() == 0


async def test_a_worker_that_waits_hears_of_a_priority_that_is_new(working: Work) -> None:
    task, started = Task("sudden", NORMAL, priority=7), 0.0

    @actor(task)
    async def work() -> None:
        nonlocal started
        started = time.monotonic()

    async with working() as engine:
        await until(lambda: engine.idle)
        sent = dispatch(task)
        await send([sent])
        await until(lambda: engine.processed == 1)
    state = await task_state(sent.message_id)
    assert state is not None
    assert (state.queue, state.priority) == ("default", 7)


async def test_the_delay_of_an_actor_is_meant_where_the_sender_gives_none(broker: PharosBroker, store: Any) -> None:
    @dramatiq.actor(queue_name="default", delay=60_000)
    async def note() -> None: ...

    await asyncio.to_thread(note.send)
    assert await store.zcard("dramatiq:default:due") == 1
    await asyncio.to_thread(lambda: note.send_with_options(delay=0))
    assert await store.llen("dramatiq:default") == 1
    with pytest.raises(BadDelay, match="no whole number of milliseconds"):
        dramatiq.actor(queue_name="default", actor_name="other", delay=-1)(lambda: None)


async def test_nothing_is_taken_from_a_paused_queue(working: Work) -> None:
    runs: list[str] = []
    tasks = [Task(f"in_{queue.name}", queue) for queue in (URGENT, NORMAL)]
    for task in tasks:

        @actor(task)
        async def work(queue: str) -> None:
            runs.append(queue)

    async with working() as engine:
        await pause("default")
        await send([dispatch(task, queue=task.queue.name) for task in tasks])
        await until(lambda: engine.processed == 1)
        await send([dispatch(tasks[0], queue="urgent")])
        await until(lambda: engine.processed == 2)
        assert runs == ["urgent", "urgent"]
        paused = {queue.name: (queue.paused, queue.waiting) for queue in await queue_status()}
        assert (paused["default"], paused["urgent"]) == ((True, 1), (False, 0))
        await resume("default")
        await until(lambda: engine.processed == 3)
    assert runs[-1] == "default"


async def test_a_queue_that_is_not_there_cannot_be_paused(broker: PharosBroker) -> None:
    with pytest.raises(NotFound, match="no queue nowhere"):
        await pause("nowhere")


def test_a_queue_has_a_lane_for_each_priority_in_use() -> None:
    assert [lane for lane, *_ in Queue("default", 5).lanes([5, 9])][:2] == ["default", "default"]
    assert Queue("default", 5).lane(9) == "default:9"
    assert Queue("default", 5).lane(9, bulk=True) == "default:bulk"
