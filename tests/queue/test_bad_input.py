"""Bad input: each gets a clear error in the dead letters or at the sender, and the worker goes on.

Also shown elsewhere: messages that are none at all and wrong arguments (test_retries.py), what actors raise
(test_engine.py), an actor that blocks its loop or leaks tasks (tests/faults/test_misbehaviour.py).
"""

import asyncio
import json
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import dramatiq
import pytest
import redis.asyncio

from service.queue import Queue, Task, actor, send
from service.queue.broker import PharosBroker
from service.queue.engine import Engine
from service.queue.send import MessageTooLarge, NotJson
from tests.queue.conftest import NORMAL, Work, dispatch, letters, until

GOOD = Task("good", NORMAL)


@pytest.fixture
def good(broker: PharosBroker) -> list[int]:
    """Runs of a task that is sent after the bad one: the worker must go on."""
    runs: list[int] = []

    @actor(GOOD)
    async def work(n: int) -> None:
        runs.append(n)

    return runs


async def goes_on(engine: Engine, good: list[int]) -> None:
    """Send a task, and wait until it has run."""
    count = len(good) + 1
    await send([dispatch(GOOD, n=len(good))])
    await until(lambda: len(good) == count)
    await until(lambda: not engine.profile()["active"])


def message(**changes: Any) -> dict[str, Any]:
    """Return a message as stock Dramatiq writes it; None leaves a field out."""
    fields: dict[str, Any] = {
        "queue_name": "default", "actor_name": "good", "args": [], "kwargs": {"n": -1}, "options": {},
        "message_id": str(uuid4()), "message_timestamp": 1,
    }  # fmt: skip
    return {name: value for name, value in (fields | changes).items() if value is not None}


async def push(store: redis.asyncio.Redis, body: bytes | dict[str, Any], id: str = "pushed") -> None:
    """Put bytes into the queue as a stock producer does."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    await store.hset("dramatiq:default.msgs", id, raw)
    await store.rpush("dramatiq:default", id)


@pytest.mark.parametrize(
    ("body", "says"),
    [
        pytest.param(b"\xff\xfe\x00", "not a message", id="bytes"),
        pytest.param(b"", "not a message", id="nothing"),
        pytest.param(b'{"queue_name": "def', "not a message", id="half"),
        pytest.param(b"[" * 100_000, "not a message", id="deep"),
        pytest.param(b"null", "not a message", id="null"),
        pytest.param(message(version=2), "unexpected keyword argument 'version'", id="extra field"),
        pytest.param(message(message_id=None), "message_id is None", id="no id"),
        pytest.param(message(actor_name=None), "missing 1 required positional argument: 'actor_name'", id="no actor"),
        pytest.param(message(kwargs=[1]), "options and kwargs must be objects", id="kwargs a list"),
        pytest.param(message(options="x"), "options and kwargs must be objects", id="options a text"),
        pytest.param(message(message_id=7), "message_id is 7", id="id a number"),
        pytest.param(message(args={"n": 1}, kwargs={"n": 2}), "", id="args an object"),
        pytest.param(message(args=5), "", id="args a number"),
        pytest.param(message(kwargs={}, args=["text"]), "ValidationError", id="wrong arguments"),
        pytest.param(message(actor_name="unknown"), "ActorNotFound", id="unknown task"),
    ],
)
async def test_what_cannot_be_run_becomes_a_dead_letter(
    working: Work, store: redis.asyncio.Redis, good: list[int], body: bytes | dict[str, Any], says: str
) -> None:
    await push(store, body)
    async with working() as engine:
        await until(lambda: engine.processed == 1, 4)
        await goes_on(engine, good)
    [letter] = await letters()
    assert letter.reason in ("permanent", "unknown_task")
    assert says in letter.exception
    assert good == [0]
    assert await store.exists("dramatiq:default.msgs") == 0


@pytest.mark.parametrize(
    "changes",
    [
        {"message_timestamp": "yesterday"},
        {"message_timestamp": None},
        {"options": {"max_retries": "many", "unknown_option": [1]}},
        {"options": {"priority": 77}},
        {"options": {"event_id": "no uuid", "max_retries": 0}},
    ],
    ids=str,
)
async def test_odd_options_of_a_message_do_not_harm_the_worker(
    working: Work, store: redis.asyncio.Redis, good: list[int], changes: dict[str, Any]
) -> None:
    """It runs, or is a dead letter."""
    await push(store, message(**changes, kwargs={"n": -1}))
    async with working() as engine:
        await until(lambda: engine.processed == 1, 4)
        await goes_on(engine, good)
    assert len(await letters()) + good.count(-1) == 1
    assert await store.exists("dramatiq:default.msgs") == 0


async def test_a_failure_that_cannot_be_judged_is_none_the_less_a_failure(
    working: Work, store: redis.asyncio.Redis, good: list[int]
) -> None:
    await push(store, message(options={"min_backoff": "soon"}, kwargs={"n": "no number"}))
    async with working() as engine:
        await until(lambda: engine.processed == 1, 4)
        await goes_on(engine, good)
    assert len(await letters()) == 1


async def test_five_megabytes_are_refused_at_the_sender(working: Work, good: list[int]) -> None:
    large = Task("large", NORMAL)
    async with working() as engine:
        with pytest.raises(MessageTooLarge, match="large was given 5000"):
            await send([dispatch(large, text="x" * 5_000_000)])
        await goes_on(engine, good)


def circle() -> list[Any]:
    found: list[Any] = []
    found.append(found)
    return found


@pytest.mark.parametrize(
    "make", [object, circle, lambda: {1, 2}, lambda: "\ud800", lambda: 2**70, lambda: {(1, 2): 3}, lambda: b"bytes"]
)
async def test_a_result_that_is_not_json_is_a_dead_letter(
    working: Work, good: list[int], make: Callable[[], Any]
) -> None:
    odd = Task("odd", NORMAL, retries=5)

    @actor(odd)
    async def work() -> Any:
        return make()

    async with working() as engine:
        await send([dispatch(odd)])
        await until(lambda: engine.processed == 1, 4)
        await goes_on(engine, good)
    [letter] = await letters()
    assert (letter.reason, letter.attempts) == ("permanent", 1)
    assert letter.exception.startswith("ResultNotJson: The task returned something that is not JSON: ")


class Mute(Exception):
    """Cannot be described."""

    def __str__(self) -> str:
        raise RuntimeError("no words")


@pytest.mark.parametrize(
    "error",
    [
        SystemExit(3),
        KeyboardInterrupt(),
        BaseException("base"),
        ExceptionGroup("two", [ValueError(), KeyError()]),
        Mute(),
        ValueError("x" * 10_000_000),
        dramatiq.errors.RateLimitExceeded("slow"),
        StopAsyncIteration(),
    ],
    ids=lambda error: type(error).__name__,
)
async def test_whatever_a_coroutine_raises_is_a_dead_letter(
    working: Work, good: list[int], error: BaseException
) -> None:
    wild = Task("wild", NORMAL, retries=0)

    @actor(wild)
    async def work() -> None:
        raise error

    async with working() as engine:
        await send([dispatch(wild)])
        await until(lambda: engine.processed == 1, 4)
        await goes_on(engine, good)
    [letter] = await letters()
    assert letter.exception.startswith(type(error).__name__)
    assert len(letter.exception) <= 20_000


@pytest.mark.parametrize(
    "error", [SystemExit(3), KeyboardInterrupt(), BaseException("base"),
     StopIteration(), asyncio.CancelledError()],
    ids=lambda error: type(error).__name__,
)  # fmt: skip
async def test_whatever_a_function_in_a_thread_raises_is_a_dead_letter(
    working: Work, good: list[int], error: BaseException
) -> None:
    @dramatiq.actor(queue_name="default", max_retries=0)
    def wild() -> None:
        raise error

    async with working() as engine:
        await asyncio.to_thread(wild.send)
        await until(lambda: engine.processed == 1, 4)
        await goes_on(engine, good)
    [letter] = await letters()
    assert letter.name == "wild"


async def test_tasks_that_an_actor_leaks_do_not_hold_the_stop(working: Work, good: list[int]) -> None:
    leaky, leaked = Task("leaky", NORMAL), []

    @actor(leaky)
    async def work() -> None:
        leaked.append(asyncio.create_task(asyncio.sleep(60)))

    async with asyncio.timeout(5), working(grace=30) as engine:
        await send([dispatch(leaky)])
        await until(lambda: engine.processed == 1, 4)
        await goes_on(engine, good)
    assert await letters() == []
    for task in leaked:
        task.cancel()


async def test_an_unknown_queue_is_told_to_the_sender(broker: PharosBroker, good: list[int]) -> None:
    sent = dramatiq.Message("nowhere", "good", (), {"n": 1}, {})
    try:
        with pytest.raises(dramatiq.errors.QueueNotFound):
            await asyncio.to_thread(broker.enqueue, sent)
    finally:
        Queue.registry.pop("nowhere", None)


async def test_what_waits_in_an_unknown_queue_runs_once_a_worker_serves_it(
    broker: PharosBroker, working: Work, store: redis.asyncio.Redis, good: list[int]
) -> None:
    body = json.dumps(message(queue_name="nowhere"))
    await store.hset("dramatiq:nowhere.msgs", "pushed", body)
    await store.rpush("dramatiq:nowhere", "pushed")
    async with working() as engine:
        await goes_on(engine, good)
    assert good == [0]
    broker.declare_queue("nowhere")
    try:
        async with working() as engine:
            await until(lambda: engine.processed == 1)
    finally:
        Queue.registry.pop("nowhere", None)
    assert good == [0, -1]


async def test_arguments_that_are_not_json_are_refused_at_the_sender(broker: PharosBroker, good: list[int]) -> None:
    @dramatiq.actor(queue_name="default")
    async def plain(value: object) -> None: ...

    with pytest.raises(NotJson):
        plain.send(object())
    with pytest.raises(NotJson):
        await send([dispatch(GOOD, n={1, 2})])
