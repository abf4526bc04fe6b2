"""What Dramatiq promises about brokers, workers and messages, held by our broker and engine.

Restated from its documentation and behaviour, with its public names only. Its engine has threads, so whatever blocks is
called in one.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import dramatiq
import pytest
from dramatiq import Message, group, pipeline
from dramatiq.errors import ActorNotFound, QueueJoinTimeout, Retry
from dramatiq.middleware import CurrentMessage, GroupCallbacks, Middleware, SkipMessage
from dramatiq.middleware.prometheus import Prometheus
from dramatiq.rate_limits.backends import RedisBackend as RateLimits
from dramatiq.results import ResultFailure, ResultMissing, Results, ResultTimeout
from dramatiq.results.backends import RedisBackend

from service.queue.broker import PharosBroker
from service.settings import Settings
from tests.queue.conftest import Work, letters, until

T = TypeVar("T")


async def blocking(function: Callable[..., T], *arguments: Any, **options: Any) -> T:
    return await asyncio.to_thread(function, *arguments, **options)


async def joined(broker: PharosBroker, queue: str = "default") -> None:
    """Wait until a queue is done."""
    await blocking(broker.join, queue, timeout=10_000, interval=10)


@pytest.fixture
async def engine(working: Work) -> AsyncIterator[Any]:
    async with working() as engine:
        yield engine


@pytest.fixture
def results(broker: PharosBroker, pharos: Settings) -> Iterator[RedisBackend]:
    """Dramatiq's results, in Redis."""
    backend = RedisBackend(url=pharos.cache_url)
    broker.add_middleware(Results(backend=backend))
    yield backend
    backend.client.close()


@pytest.fixture
def callbacks(broker: PharosBroker, pharos: Settings) -> Iterator[None]:
    """Dramatiq's callbacks of groups, which count in Redis."""
    backend = RateLimits(url=pharos.cache_url)
    broker.add_middleware(GroupCallbacks(backend))
    yield
    backend.client.close()


# Actors, messages, enqueue


async def test_an_actor_is_declared_once_and_found_by_its_name(broker: PharosBroker) -> None:
    @dramatiq.actor(queue_name="letters", actor_name="post")
    async def post() -> None: ...

    assert broker.get_actor("post") is post
    assert broker.get_declared_actors() == {"post"}
    assert broker.get_declared_queues() == {"letters"}
    with pytest.raises(ActorNotFound):
        broker.get_actor("other")
    with pytest.raises(ValueError, match="already registered"):
        dramatiq.actor(post.fn, actor_name="post")
    with pytest.raises(ValueError, match="Queue names must"):
        dramatiq.actor(post.fn, queue_name="no $ such name", actor_name="odd")
    with pytest.raises(ValueError, match="undefined"):
        dramatiq.actor(post.fn, actor_name="odd", no_such_option=1)


async def test_what_is_sent_is_run_with_its_arguments(broker: PharosBroker, engine: Any) -> None:
    seen: list[tuple[Any, ...]] = []

    @dramatiq.actor
    async def collect(*args: Any, **kwargs: Any) -> None:
        seen.append((args, kwargs))

    message = await blocking(collect.send, 1, "two", three={"four": [5, None]})
    assert (message.queue_name, message.actor_name) == ("default", "collect")
    await joined(broker)
    assert seen == [((1, "two"), {"three": {"four": [5, None]}})]


async def test_an_id_lasts_while_a_message_is_tried_again(broker: PharosBroker, engine: Any) -> None:
    seen: list[tuple[str, int]] = []

    @dramatiq.actor(max_retries=2, min_backoff=10)
    async def fail() -> None:
        message = CurrentMessage.get_current_message()
        assert message is not None
        seen.append((message.message_id, message.options.get("retries", 0)))
        raise RuntimeError

    message = await blocking(fail.send)
    await joined(broker)
    assert seen == [(message.message_id, retries) for retries in range(3)]


async def test_a_message_survives_encoding_and_can_be_copied(broker: PharosBroker) -> None:
    @dramatiq.actor
    async def work(n: int) -> None: ...

    message = work.message_with_options(args=(1,), max_retries=7)
    assert Message.decode(message.encode()) == message
    copied = message.copy(args=(2,), options={"max_age": 5})
    assert (copied.args, copied.options, copied.message_id) == (
        (2,),
        {"max_retries": 7, "max_age": 5},
        message.message_id,
    )


async def test_actors_without_async_and_actors_of_classes_run_too(broker: PharosBroker, engine: Any) -> None:
    seen: list[str] = []

    @dramatiq.actor
    def plain(text: str) -> None:
        seen.append(text)

    class Shout(dramatiq.GenericActor):
        def perform(self, text: str) -> None:
            seen.append(text.upper())

    await blocking(plain.send, "plain")
    await blocking(Shout.send, "class")
    await joined(broker)
    assert sorted(seen) == ["CLASS", "plain"]


# Acknowledgement, rejection, retries


async def test_success_leaves_nothing_behind(broker: PharosBroker, engine: Any, store: Any) -> None:
    @dramatiq.actor
    async def work() -> None: ...

    await blocking(work.send)
    await joined(broker)
    assert await store.exists("dramatiq:default", "dramatiq:default.msgs", f"dramatiq:claims:{engine.id}") == 0
    assert await letters() == []


@pytest.mark.parametrize(("declared", "sent", "runs"), [(3, None, 4), (0, None, 1), (3, 1, 2), (0, 2, 3)])
async def test_a_failure_is_tried_again_as_often_as_actor_or_message_say(
    broker: PharosBroker, engine: Any, declared: int, sent: int | None, runs: int
) -> None:
    count = 0

    @dramatiq.actor(max_retries=declared, min_backoff=10, max_backoff=20)
    async def fail() -> None:
        nonlocal count
        count += 1
        raise RuntimeError

    options = {} if sent is None else {"max_retries": sent}
    await blocking(fail.send_with_options, **options)
    await joined(broker)
    assert count == runs
    assert [letter.attempts for letter in await letters()] == [runs]


async def test_without_a_limit_it_is_tried_until_it_works(broker: PharosBroker, engine: Any) -> None:
    count = 0

    @dramatiq.actor(max_retries=None, min_backoff=5, max_backoff=5)
    async def work() -> None:
        nonlocal count
        count += 1
        if count < 30:
            raise RuntimeError

    await blocking(work.send)
    await joined(broker)
    assert count == 30


async def test_what_an_actor_declares_to_throw_is_not_tried_again(broker: PharosBroker, engine: Any) -> None:
    runs: list[str] = []

    @dramatiq.actor(throws=(KeyError, ZeroDivisionError), min_backoff=10)
    async def fail(how: str) -> None:
        runs.append(how)
        raise LookupError(how) if how == "tried again" and runs.count(how) < 3 else KeyError(how)

    await blocking(fail.send, "thrown")
    await blocking(fail.send, "tried again")
    await joined(broker)
    assert (runs.count("thrown"), runs.count("tried again")) == (1, 3)


async def test_an_actor_may_ask_for_another_try_at_a_time(broker: PharosBroker, engine: Any) -> None:
    runs: list[float] = []

    @dramatiq.actor(min_backoff=60_000)
    async def again() -> None:
        runs.append(time.monotonic())
        if len(runs) == 1:
            raise Retry("later", delay=300)

    await blocking(again.send)
    await joined(broker)
    assert 0.3 <= runs[1] - runs[0] < 1.5


async def test_a_predicate_decides_about_another_try(broker: PharosBroker, engine: Any) -> None:
    runs = 0

    @dramatiq.actor(retry_when=lambda retries, error: isinstance(error, OSError) and retries < 2, min_backoff=10)
    async def fail() -> None:
        nonlocal runs
        runs += 1
        raise OSError

    await blocking(fail.send)
    await joined(broker)
    assert runs == 3


async def test_when_retries_are_used_up_another_actor_is_told(broker: PharosBroker, engine: Any) -> None:
    told: list[tuple[dict[str, Any], dict[str, Any]]] = []

    @dramatiq.actor
    async def tell(message: dict[str, Any], retries: dict[str, Any]) -> None:
        told.append((message, retries))

    @dramatiq.actor(max_retries=1, min_backoff=10, on_retry_exhausted="tell")
    async def fail() -> None:
        raise RuntimeError

    message = await blocking(fail.send)
    await until(lambda: told)
    [(data, retries)] = told
    assert data["message_id"] == message.message_id
    assert retries == {"retries": 1, "max_retries": 1}


# Queues, priorities, delays


async def test_queues_are_apart(broker: PharosBroker, working: Work) -> None:
    runs: list[str] = []
    actors: dict[str, Any] = {}
    for name in ("one", "two"):

        @dramatiq.actor(queue_name=name, actor_name=f"in_{name}")
        async def work(queue: str) -> None:
            runs.append(queue)

        actors[name] = work
    for name, sent in actors.items():
        await blocking(sent.send, name)
    async with working(queues=["two"]):
        await joined(broker, "two")
    assert runs == ["two"]
    with pytest.raises(QueueJoinTimeout):
        await blocking(broker.join, "one", timeout=50, interval=10)


async def test_of_two_actors_of_a_queue_the_more_urgent_goes_first(broker: PharosBroker, working: Work) -> None:
    """A lower number of Dramatiq's is more urgent."""
    order: list[str] = []
    actors: list[Any] = []
    for name, priority in (("late", 5), ("soon", 0)):

        @dramatiq.actor(actor_name=name, priority=priority)
        async def work(name: str) -> None:
            order.append(name)

        actors.append(work)
    for actor in actors:
        for _ in range(10):
            await blocking(actor.send, actor.actor_name)
    async with working(concurrency=1):
        await joined(broker)
    soon = [at for at, name in enumerate(order) if name == "soon"]
    assert sum(soon) / 10 < sum(set(range(20)) - set(soon)) / 10


async def test_delayed_messages_run_when_they_are_due_and_block_nothing(broker: PharosBroker, engine: Any) -> None:
    runs: list[tuple[str, float]] = []

    @dramatiq.actor
    async def work(name: str) -> None:
        runs.append((name, time.monotonic()))

    began = time.monotonic()
    for name, delay in (("hour", 3_600_000), ("later", 700), ("soon", 300), ("now", None)):
        await blocking(work.send_with_options, args=(name,), delay=delay)
    await until(lambda: len(runs) == 3)
    assert [name for name, _ in runs] == ["now", "soon", "later"]
    assert 0.3 <= runs[1][1] - began < 0.7 <= runs[2][1] - began < 1.5


# Join and flush


async def test_join_waits_for_what_runs_waits_and_is_delayed(broker: PharosBroker, engine: Any) -> None:
    runs: list[str] = []

    @dramatiq.actor(min_backoff=50, max_retries=1)
    async def work(name: str) -> None:
        await asyncio.sleep(0.1)
        runs.append(name)
        if runs.count("fails") == 1 and name == "fails":
            raise RuntimeError

    await blocking(work.send_with_options, args=("delayed",), delay=400)
    await blocking(work.send, "fails")
    await blocking(work.send, "runs")
    await joined(broker)
    assert sorted(runs) == ["delayed", "fails", "fails", "runs"]


async def test_join_gives_up_at_its_time_limit(broker: PharosBroker) -> None:
    @dramatiq.actor
    async def work() -> None: ...

    await blocking(broker.join, "default", timeout=1000)  # nothing there
    await blocking(work.send)
    began = time.monotonic()
    with pytest.raises(QueueJoinTimeout):
        await blocking(broker.join, "default", timeout=200, interval=20)
    assert 0.2 <= time.monotonic() - began < 1


async def test_flush_drops_what_waits_in_one_queue_or_in_all(broker: PharosBroker, working: Work) -> None:
    runs: list[str] = []
    actors: dict[str, Any] = {}
    for name in ("one", "two"):

        @dramatiq.actor(queue_name=name, actor_name=f"in_{name}")
        async def work(queue: str) -> None:
            runs.append(queue)

        actors[name] = work

    async def send_all() -> None:
        for name, sent in actors.items():
            await blocking(sent.send, name)
            await blocking(sent.send_with_options, args=(name,), delay=100)

    await send_all()
    await blocking(broker.flush, "one")
    async with working():
        await joined(broker, "one")
        await joined(broker, "two")
    assert runs == ["two", "two"]
    await send_all()
    await blocking(broker.flush_all)
    async with working():
        await joined(broker, "one")
        await joined(broker, "two")
        await asyncio.sleep(0.2)
    assert runs == ["two", "two"]


# Middleware


async def test_middleware_is_called_in_its_order_before_and_against_it_after(broker: PharosBroker, engine: Any) -> None:
    heard: list[str] = []

    class Named(Middleware):
        def __init__(self, name: str) -> None:
            self.name = name

        def before_enqueue(self, broker: Any, message: Any, delay: Any) -> None:
            heard.append(f"{self.name} before enqueue")

        def after_enqueue(self, broker: Any, message: Any, delay: Any) -> None:
            heard.append(f"{self.name} after enqueue")

        def before_process_message(self, broker: Any, message: Any) -> None:
            heard.append(f"{self.name} before")

        def after_process_message(self, broker: Any, message: Any, **outcome: Any) -> None:
            heard.append(f"{self.name} after")

    class Second(Named): ...

    class First(Named): ...

    broker.add_middleware(Second("second"))
    broker.add_middleware(First("first"), before=Second)

    @dramatiq.actor
    async def work() -> None: ...

    await blocking(work.send)
    await joined(broker)
    sent = ["first before enqueue", "second before enqueue", "second after enqueue", "first after enqueue"]
    assert [what for what in heard if what in sent] == sent  # the task may run before its sender is done
    assert [what for what in heard if what not in sent] == [
        "first before",
        "second before",
        "second after",
        "first after",
    ]


async def test_a_middleware_that_fails_costs_the_message_nothing(broker: PharosBroker, engine: Any) -> None:
    runs = 0

    class Broken(Middleware):
        def before_process_message(self, broker: Any, message: Any) -> None:
            raise RuntimeError("broken")

        def after_process_message(self, broker: Any, message: Any, **outcome: Any) -> None:
            raise RuntimeError("broken")

        def after_ack(self, broker: Any, message: Any) -> None:
            raise RuntimeError("broken")

    broker.add_middleware(Broken())

    @dramatiq.actor
    async def work() -> None:
        nonlocal runs
        runs += 1

    await blocking(work.send)
    await joined(broker)
    assert runs == 1
    assert await letters() == []


async def test_a_middleware_may_skip_a_message_and_have_options_of_its_own(broker: PharosBroker, engine: Any) -> None:
    runs = 0

    class Quiet(Middleware):
        @property
        def actor_options(self) -> set[str]:
            return {"quiet"}

        def before_process_message(self, broker: Any, message: Any) -> None:
            if broker.get_actor(message.actor_name).options.get("quiet"):
                raise SkipMessage

    broker.add_middleware(Quiet())

    @dramatiq.actor(quiet=True)
    async def work() -> None:
        nonlocal runs
        runs += 1

    await blocking(work.send)
    await joined(broker)
    assert runs == 0
    assert await letters() == []


async def test_messages_that_are_too_old_are_not_run(broker: PharosBroker, working: Work) -> None:
    runs: list[str] = []

    @dramatiq.actor(max_age=200)
    async def work(name: str) -> None:
        runs.append(name)

    await blocking(work.send, "old")
    await blocking(work.send_with_options, args=("may be older",), max_age=60_000)
    await asyncio.sleep(0.3)
    await blocking(work.send, "young")
    async with working():
        await joined(broker)
    assert sorted(runs) == ["may be older", "young"]


# Callbacks and pipelines


async def test_success_and_failure_call_back(broker: PharosBroker, engine: Any) -> None:
    heard: list[tuple[str, Any, Any]] = []

    @dramatiq.actor
    async def succeeded(message: dict[str, Any], result: Any) -> None:
        heard.append(("succeeded", message["args"], result))

    @dramatiq.actor
    async def failed(message: dict[str, Any], error: dict[str, Any]) -> None:
        heard.append(("failed", message["args"], error))

    @dramatiq.actor(max_retries=0)
    async def divide(a: int, b: int) -> float:
        return a / b

    for b in (2, 0):
        await blocking(divide.send_with_options, args=(1, b), on_success=succeeded, on_failure="failed")
    await until(lambda: len(heard) == 2)
    found = {what: (list(args), said) for what, args, said in heard}
    assert found["succeeded"] == ([1, 2], 0.5)
    assert found["failed"] == ([1, 0], {"type": "ZeroDivisionError", "message": "division by zero"})


async def test_a_pipeline_hands_results_on_unless_a_step_ignores_them(
    broker: PharosBroker, engine: Any, results: RedisBackend
) -> None:
    @dramatiq.actor(store_results=True)
    async def add(a: int, b: int) -> int:
        return a + b

    pipe = add.message(1, 2) | add.message(3) | add.message(4)
    await blocking(pipe.run)
    assert await blocking(pipe.get_result, block=True, timeout=5000) == 10
    assert await blocking(lambda: list(pipe.get_results(block=True, timeout=5000))) == [3, 6, 10]
    assert pipe.completed
    assert pipe.completed_count == 3
    ignoring = add.message(1, 2) | add.message_with_options(args=(5, 5), pipe_ignore=True)
    await blocking(ignoring.run)
    assert await blocking(ignoring.get_result, block=True, timeout=5000) == 10


async def test_a_pipeline_ends_at_a_step_that_fails(broker: PharosBroker, engine: Any) -> None:
    runs: list[int] = []

    @dramatiq.actor(max_retries=0)
    async def step(n: int, before: int | None = None) -> int:
        runs.append(n)
        if n == 2:
            raise RuntimeError
        return n

    await blocking(pipeline([step.message(n) for n in (1, 2, 3)]).run)
    await until(letters)
    await joined(broker)
    assert runs == [1, 2]


async def test_a_pipeline_may_be_delayed(broker: PharosBroker, engine: Any) -> None:
    runs: list[float] = []

    @dramatiq.actor
    async def step(*_: Any) -> None:
        runs.append(time.monotonic())

    began = time.monotonic()
    await blocking((step.message() | step.message_with_options(delay=300)).run, delay=300)
    await until(lambda: len(runs) == 2)
    assert runs[0] - began >= 0.3
    assert runs[1] - runs[0] >= 0.3


# Results and groups


async def test_a_result_can_be_waited_for(broker: PharosBroker, engine: Any, results: RedisBackend) -> None:
    may_end = asyncio.Event()

    @dramatiq.actor(store_results=True)
    async def add(a: int, b: int) -> int:
        await may_end.wait()
        return a + b

    message = await blocking(add.send, 1, 2)
    with pytest.raises(ResultMissing):
        await blocking(message.get_result)
    with pytest.raises(ResultTimeout):
        await blocking(message.get_result, block=True, timeout=100)
    may_end.set()
    assert await blocking(message.get_result, block=True, timeout=5000) == 3
    assert await blocking(message.get_result, backend=results) == 3


async def test_nothing_is_a_result_and_every_result_is_kept(
    broker: PharosBroker, engine: Any, results: RedisBackend
) -> None:
    @dramatiq.actor(store_results=True)
    async def nothing() -> None: ...

    @dramatiq.actor
    async def unstored() -> int:
        return 5

    message = await blocking(nothing.send)
    assert await blocking(message.get_result, block=True, timeout=5000) is None
    other = await blocking(unstored.send)
    await joined(broker)
    assert await blocking(other.get_result) == 5  # beside its state, whether it asks for that or not


async def test_a_failure_is_a_result_once_retries_are_used_up(
    broker: PharosBroker, engine: Any, results: RedisBackend
) -> None:
    runs = 0

    @dramatiq.actor(store_results=True, max_retries=1, min_backoff=50)
    async def fail() -> None:
        nonlocal runs
        runs += 1
        raise ValueError("no")

    message = await blocking(fail.send)
    with pytest.raises(ResultFailure, match="actor raised ValueError: no"):
        await blocking(message.get_result, block=True, timeout=5000)
    assert runs == 2


async def test_a_skipped_message_has_nothing_as_its_result(
    broker: PharosBroker, engine: Any, results: RedisBackend
) -> None:
    class Skip(Middleware):
        def before_process_message(self, broker: Any, message: Any) -> None:
            raise SkipMessage

    broker.add_middleware(Skip())

    @dramatiq.actor(store_results=True)
    async def work() -> int:
        return 1

    message = await blocking(work.send)
    assert await blocking(message.get_result, block=True, timeout=5000) is None


async def test_a_group_is_complete_when_all_of_it_is(broker: PharosBroker, engine: Any, results: RedisBackend) -> None:
    may_end = [asyncio.Event() for _ in range(3)]

    @dramatiq.actor(store_results=True)
    async def double(n: int) -> int:
        await may_end[n].wait()
        return 2 * n

    members = group(double.message(n) for n in range(3))
    await blocking(members.run)
    may_end[1].set()
    await until(lambda: blocking(lambda: members.completed_count == 1))
    assert not await blocking(lambda: members.completed)
    with pytest.raises(ResultTimeout):
        await blocking(members.wait, timeout=100)
    for event in may_end:
        event.set()
    await blocking(members.wait, timeout=5000)
    assert await blocking(lambda: members.completed)
    assert await blocking(lambda: list(members.get_results())) == [0, 2, 4]


async def test_a_group_may_hold_pipelines_and_be_delayed(
    broker: PharosBroker, engine: Any, results: RedisBackend
) -> None:
    @dramatiq.actor(store_results=True)
    async def add(a: int, b: int) -> int:
        return a + b

    members = group([add.message(1, 1) | add.message(1), add.message(5, 5)])
    began = time.monotonic()
    await blocking(members.run, delay=300)
    found = await blocking(lambda: list(members.get_results(block=True, timeout=5000)))
    assert found == [3, 10]
    assert time.monotonic() - began >= 0.3


async def test_a_group_calls_back_once_when_all_of_it_has_succeeded(
    broker: PharosBroker, engine: Any, callbacks: None
) -> None:
    ends: list[int] = []
    heard: list[tuple[str, int]] = []

    @dramatiq.actor(min_backoff=20, max_retries=3)
    async def member(n: int) -> None:
        await asyncio.sleep(0.02 * n)
        ends.append(n)
        if n == 2 and ends.count(2) == 1:
            raise RuntimeError

    @dramatiq.actor
    async def complete(who: str) -> None:
        heard.append((who, len(ends)))

    members = group(member.message(n) for n in range(5))
    members.add_completion_callback(complete.message("first"))
    members.add_completion_callback(complete.message("second"))
    await blocking(members.run)
    await until(lambda: len(heard) == 2)
    await joined(broker)
    assert sorted(heard) == [("first", 6), ("second", 6)]


async def test_its_prometheus_middleware_counts_and_times(
    broker: PharosBroker, working: Work, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dramatiq.middleware.prometheus, "DB_PATH", str(tmp_path))
    metrics = Prometheus()
    broker.add_middleware(metrics)
    metrics.after_process_boot(broker)

    @dramatiq.actor(min_backoff=10, max_retries=1)
    async def work(*, fails: bool) -> None:
        await asyncio.sleep(0.02)
        if fails:
            raise RuntimeError

    async with working():
        work.send(fails=False)
        work.send(fails=True)
        await joined(broker)

    def value(metric: Any, name: str = "") -> float:
        [family] = metric.collect()
        return sum(sample.value for sample in family.samples if sample.name.endswith(name))

    assert value(metrics.total_messages, "_total") == 3
    assert value(metrics.total_errored_messages, "_total") == 2
    assert value(metrics.total_retried_messages, "_total") == 1
    assert value(metrics.total_rejected_messages, "_total") == 1
    assert value(metrics.inprogress_messages) == 0
    assert value(metrics.message_durations, "_count") == 3
    assert value(metrics.message_durations, "_sum") >= 60  # ms
