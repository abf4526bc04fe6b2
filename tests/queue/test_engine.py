"""Running tasks: arguments and origin, order and room, limits, and actors that misbehave."""

import asyncio
import sys
import threading
import time
from typing import Any
from uuid import UUID, uuid4

import dramatiq
import pytest
import redis.asyncio
from dramatiq.middleware import CurrentMessage, Middleware, SkipMessage

from service.events import current_origin
from service.queue import Queue, Task, actor, send, task_state
from service.queue.broker import PharosBroker
from service.queue.wire import encode
from tests.queue.conftest import BACKGROUND, NORMAL, URGENT, Work, dispatch, letters, until

WORK = Task("work", NORMAL)


async def test_runs_what_is_sent_with_validated_arguments_and_its_origin(working: Work) -> None:
    seen: list[tuple[Any, ...]] = []

    @actor(WORK)
    async def work(resource_id: UUID, times: int) -> None:
        origin = current_origin()
        seen.append((resource_id, times, origin.correlation_id, origin.cause, origin.bulk))

    resource_id, event_id = uuid4(), uuid4()
    arguments = {"resource_id": str(resource_id), "times": "3"}
    async with working():
        await send([dispatch(WORK, event_id, **arguments, correlation_id="abc", bulk=True)])
        await until(lambda: seen)
    assert seen == [(resource_id, 3, "abc", event_id, True)]


async def test_a_result_is_kept_and_one_that_is_not_json_is_an_error(working: Work) -> None:
    @actor(WORK)
    async def work(good: bool) -> object:
        return {"counted": 3} if good else object()

    good, bad = dispatch(WORK, good=True), dispatch(WORK, good=False)
    async with working() as engine:
        await send([good, bad])
        await until(lambda: engine.processed == 2)
    done, failed = await task_state(good.message_id), await task_state(bad.message_id)
    assert done is not None
    assert failed is not None
    assert (done.status, done.result, done.attempts, done.name, done.queue, done.priority) == (
        "succeeded", {"counted": 3}, 1, "work", "default", 5,
    )  # fmt: skip
    assert done.queued_at is not None
    assert done.started_at is not None
    assert done.date_done is not None
    assert done.queued_at <= done.started_at <= done.date_done
    assert failed.status == "failed"
    assert failed.error is not None
    assert failed.error.startswith("ResultNotJson: The task returned something that is not JSON")


async def test_urgent_lanes_go_first_and_bulk_lanes_last(working: Work) -> None:
    order: list[str] = []
    queues = [BACKGROUND, NORMAL, Queue("high_priority", 7), URGENT]
    tasks = [Task(f"in_{queue.name}", queue) for queue in queues]
    for task in tasks:

        @actor(task)
        async def work(name: str) -> None:
            order.append(name)

    for task in tasks:
        await send([dispatch(task, name=f"{task.queue.name} bulk", bulk=True), dispatch(task, name=task.queue.name)])
    async with working(concurrency=1) as engine:
        await until(lambda: engine.processed == 8)
    # The three classes of work share a worker, so their runs interleave; within a class the rank decides.
    assert [name for name in order if name in ("high_priority", "default")] == ["high_priority", "default"]
    bulk = ["urgent bulk", "high_priority bulk", "default bulk", "batch bulk"]
    assert [name for name in order if name == "batch" or name in bulk] == ["batch", *bulk]


async def test_no_class_of_work_shuts_out_another(working: Work) -> None:
    running: dict[str, int] = {"urgent": 0, "default": 0, "batch": 0}
    over = asyncio.Event()
    tasks = {queue.name: Task(f"in_{queue.name}", queue) for queue in (URGENT, NORMAL, BACKGROUND)}
    for task in tasks.values():

        @actor(task)
        async def work(queue: str) -> None:
            running[queue] += 1
            await over.wait()

    async def flood(queue: str) -> None:
        await send([dispatch(tasks[queue], queue=queue) for _ in range(40)])

    async with working(concurrency=16) as engine:
        await flood("batch")
        await until(lambda: running["batch"] == 16)
        await flood("default")
        await until(lambda: running["default"] == 2)
        await flood("urgent")
        await until(lambda: running["urgent"] == 2)
        await asyncio.sleep(0.1)
        assert running == {"batch": 16, "default": 2, "urgent": 2}
        over.set()
        await until(lambda: engine.processed == 120, 20)


async def test_equal_queues_take_turns(working: Work) -> None:
    order: list[str] = []
    tasks = [Task(f"in_{name}", Queue(name, 5)) for name in ("alpha", "beta")]
    for task in tasks:

        @actor(task)
        async def work(queue: str) -> None:
            order.append(queue)

    await send([dispatch(task, queue=task.queue.name) for task in tasks for _ in range(20)])
    async with working(concurrency=1) as engine:
        await until(lambda: engine.processed == 40)
    assert 8 <= order[:20].count("alpha") <= 12


async def test_an_engine_serves_the_queues_that_it_was_given_only(working: Work) -> None:
    runs: list[str] = []
    tasks = [Task(f"in_{queue.name}", queue) for queue in (URGENT, NORMAL)]
    for task in tasks:

        @actor(task)
        async def work(queue: str) -> None:
            runs.append(queue)

    await send([dispatch(task, queue=task.queue.name) for task in tasks])
    async with working(queues=["default"]) as engine:
        await until(lambda: engine.processed == 1)
        await asyncio.sleep(0.3)
    assert runs == ["default"]


async def test_an_idle_engine_starts_at_once(working: Work) -> None:
    late: list[float] = []

    @actor(WORK)
    async def work(at: float) -> None:
        late.append(time.perf_counter() - at)

    async with working() as engine:
        await until(lambda: engine.idle)
        for n in range(20):
            await until(lambda: engine.idle)
            await send([dispatch(WORK, at=time.perf_counter())])
            await until(lambda n=n: engine.processed == n + 1)
    assert sorted(late)[10] < 0.05  # looking every 250 ms would take 125


async def test_a_task_is_cancelled_at_its_limit(working: Work) -> None:
    short = Task("short", NORMAL, retries=0, soft=0.1)
    ends: list[str] = []

    @actor(short)
    async def work() -> None:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            ends.append("cancelled")
            raise

    async with working() as engine:
        await send([dispatch(short)])
        await until(lambda: engine.processed == 1)
    assert ends == ["cancelled"]
    [letter] = await letters()
    assert letter.exception == "TimeLimitExceeded: The task ran longer than its limit of 0.1 s and was cancelled."
    assert letter.reason == "exhausted"


async def test_a_task_that_ignores_its_cancellation_is_given_up_at_its_limit(working: Work) -> None:
    stubborn, free = Task("stubborn", NORMAL, retries=0, soft=0.1, limit=0.3), asyncio.Event()
    refused = 0

    @actor(stubborn)
    async def work() -> str:
        nonlocal refused
        while not free.is_set():
            try:
                await free.wait()
            except asyncio.CancelledError:
                refused += 1
        return "too late"

    sent = dispatch(stubborn)
    async with working() as engine:
        await send([sent])
        await until(lambda: engine.processed == 1)
        free.set()
        await asyncio.sleep(0.05)
        assert engine.processed == 1
    [letter] = await letters()
    assert refused == 1
    assert letter.exception.startswith("TaskStuck: The task was cancelled after 0.1 s and still runs at its limit")
    state = await task_state(sent.message_id)
    assert state is not None
    assert (state.status, state.result) == ("failed", None)


async def test_a_task_that_ends_when_it_is_cancelled_has_a_result(working: Work) -> None:
    tidy = Task("tidy", NORMAL, soft=0.1)

    @actor(tidy)
    async def work() -> str:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            return "half of it"
        return "all of it"

    sent = dispatch(tidy)
    async with working() as engine:
        await send([sent])
        await until(lambda: engine.processed == 1)
    state = await task_state(sent.message_id)
    assert state is not None
    assert (state.status, state.result) == ("succeeded", "half of it")


@pytest.mark.parametrize(
    "error", [SystemExit(3), KeyboardInterrupt(), asyncio.CancelledError(), GeneratorExit(), BaseException("base")]
)
async def test_nothing_that_an_actor_raises_ends_its_worker(working: Work, error: BaseException) -> None:
    fragile, runs = Task("fragile", NORMAL, retries=0), 0

    @actor(fragile)
    async def work(fails: bool) -> None:
        nonlocal runs
        runs += 1
        if fails:
            raise error

    async with working() as engine:
        await send([dispatch(fragile, fails=True)])
        await until(lambda: engine.processed == 1)
        await send([dispatch(fragile, fails=False)])
        await until(lambda: engine.processed == 2)
    assert runs == 2
    assert [letter.exception.partition(":")[0] for letter in await letters()] == [type(error).__name__]


async def test_functions_that_are_no_coroutines_run_in_threads(working: Work) -> None:
    threads: list[tuple[bool, bool]] = []

    @dramatiq.actor(queue_name="default")
    def count(rounds: int) -> None:
        here = threading.current_thread() is threading.main_thread()
        threads.append((here, CurrentMessage.get_current_message() is not None))
        if rounds:
            sys.exit("not the worker")

    async with working() as engine:
        await asyncio.to_thread(count.send, 0)
        await until(lambda: engine.processed == 1)
    assert threads == [(False, True)]


async def test_middleware_hears_every_signal_in_dramatiqs_order(broker: PharosBroker, working: Work) -> None:
    signals: list[str] = []

    class Listener(Middleware):
        def before_process_message(self, broker: Any, message: Any) -> None:
            signals.append("before_process")
            if message.kwargs["how"] == "skip":
                raise SkipMessage

        def after_process_message(self, broker: Any, message: Any, **outcome: Any) -> None:
            signals.append(f"after_process {outcome.get('result')} {outcome.get('exception')!r}")

        def after_skip_message(self, broker: Any, message: Any) -> None:
            signals.append("after_skip")

        def after_ack(self, broker: Any, message: Any) -> None:
            signals.append("after_ack")

        def after_nack(self, broker: Any, message: Any) -> None:
            signals.append("after_nack")

    broker.add_middleware(Listener())
    once = Task("once", NORMAL, retries=0)

    @actor(once)
    async def work(how: str) -> int:
        if how == "fail":
            raise ValueError("no")
        return 5

    heard: dict[str, list[str]] = {}
    async with working() as engine:
        for number, how in enumerate(("succeed", "skip", "fail"), 1):
            signals.clear()
            await send([dispatch(once, how=how)])
            await until(lambda number=number: engine.processed == number)
            heard[how] = signals.copy()
    assert heard == {
        "succeed": ["before_process", "after_process 5 None", "after_ack"],
        "skip": ["before_process", "after_skip", "after_ack"],
        "fail": ["before_process", "after_process None ValueError('no')", "after_nack"],
    }


async def test_pipelines_and_callbacks_of_dramatiq_work(broker: PharosBroker, working: Work) -> None:
    seen: list[Any] = []

    @dramatiq.actor(queue_name="default")
    async def add(a: int, b: int) -> int:
        return a + b

    @dramatiq.actor(queue_name="default")
    async def report(*values: Any) -> None:
        seen.append(values[-1])

    async with working() as engine:
        await asyncio.to_thread((add.message(1, 2) | add.message(10) | report.message()).run)
        await until(lambda: engine.processed == 3)
        message = add.message_with_options(args=(2, 2), on_success=report)
        await asyncio.to_thread(broker.enqueue, message)
        await until(lambda: engine.processed == 5)
    assert seen == [13, 4]


async def test_messages_that_redis_gave_away_with_a_lost_reply_come_back(
    working: Work, store: redis.asyncio.Redis
) -> None:
    runs: list[int] = []

    @actor(WORK)
    async def work(n: int) -> None:
        runs.append(n)

    async with working() as engine:
        await until(lambda: engine.idle)
        orphan = dispatch(WORK, n=1)
        await send([orphan])
        await until(lambda: engine.processed == 1)
        # As if a call that was given up had been carried out after all.
        lost = dispatch(WORK, n=2)
        id = str(lost.message_id)
        await store.hset(f"dramatiq:claims:{engine.id}", id, "default")
        await store.hset("dramatiq:default.msgs", id, encode(id, "default", "work", {"n": 2}, {}))
        await store.hset(f"dramatiq:task:{id}", mapping={"s": "running", "q": "default", "d": 1})
        await until(lambda: engine.processed == 2)
    assert runs == [1, 2]
    assert await store.exists("dramatiq:default.msgs") == 0
