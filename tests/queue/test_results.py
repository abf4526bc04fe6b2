"""Results, groups, pipelines and group callbacks of Dramatiq, over our broker; none of them blocks the loop."""

import asyncio
import threading
import time
from collections.abc import Callable
from typing import Any

import dramatiq
import pytest
from dramatiq import Message, group, pipeline
from dramatiq.middleware import GroupCallbacks
from dramatiq.rate_limits.backends import RedisBackend as RedisLimits
from dramatiq.rate_limits.backends import StubBackend as StubLimits
from dramatiq.results import ResultFailure, ResultMissing, Results, ResultTimeout
from dramatiq.results.backends import RedisBackend, StubBackend

from service.queue import Task, actor, send, task_state
from service.queue.broker import PharosBroker
from service.settings import Settings
from tests.queue.conftest import NORMAL, Work, dispatch, until

WORK = Task("work", NORMAL)


@pytest.fixture
def add(broker: PharosBroker) -> Any:
    """An actor of Dramatiq's own."""

    @dramatiq.actor(store_results=True, max_retries=0)
    def add(x: int, y: int) -> int:
        return x + y

    return add


async def aside(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """Call what blocks from a thread, as the code that uses Dramatiq's interface does."""
    return await asyncio.to_thread(function, *args, **kwargs)


async def test_a_message_gets_its_result(working: Work, add: Any) -> None:
    message = await aside(add.send, 1, 2)
    with pytest.raises(ResultMissing):
        await aside(message.get_result)
    with pytest.raises(ResultTimeout):
        await aside(message.get_result, block=True, timeout=20)
    async with working():
        assert await aside(message.get_result, block=True) == 3


async def test_results_of_coroutines_of_nothing_and_of_failures(working: Work) -> None:
    @dramatiq.actor(max_retries=0)
    async def answer(kind: str) -> Any:
        if kind == "fails":
            raise ValueError("no: good")
        return {"kind": kind} if kind == "something" else None

    async with working():
        messages = [await aside(answer.send, kind) for kind in ("something", "nothing", "fails")]
        assert await aside(messages[0].get_result, block=True) == {"kind": "something"}
        assert await aside(messages[1].get_result, block=True) is None
        with pytest.raises(ResultFailure, match="actor raised ValueError: no: good") as failure:
            await aside(messages[2].get_result, block=True)
    assert (failure.value.orig_exc_type, failure.value.orig_exc_msg) == ("ValueError", "no: good")


async def test_a_request_of_the_table_has_its_result_too(working: Work) -> None:
    @actor(WORK)
    async def work() -> int:
        return 5

    sent = dispatch(WORK)
    async with working() as engine:
        await send([sent])
        await until(lambda: engine.processed == 1)
    message: Message[Any] = Message("default", "work", (), {}, {}, message_id=str(sent.message_id))
    assert await aside(message.get_result) == 5


async def test_a_group_runs_and_is_waited_for(working: Work, add: Any) -> None:
    several = group([add.message(n, 1) for n in range(5)])
    await aside(several.run)
    assert await aside(lambda: several.completed_count) == 0
    async with working():
        await aside(several.wait, timeout=5000)
        assert await aside(lambda: (several.completed, list(several.get_results()))) == (True, [1, 2, 3, 4, 5])


async def test_a_pipeline_hands_on_what_each_returns(working: Work, add: Any) -> None:
    line = pipeline([add.message(1, 2), add.message(10), add.message(100)])
    await aside(line.run)
    async with working():
        assert await aside(line.get_result, block=True, timeout=5000) == 113
    assert await aside(lambda: (line.completed, list(line.get_results()))) == (True, [3, 13, 113])


@pytest.mark.parametrize("limits", ["stub", "redis"])
async def test_when_a_group_has_ended_its_callback_runs_once(
    working: Work, broker: PharosBroker, pharos: Settings, limits: str
) -> None:
    backend: Any = StubLimits() if limits == "stub" else RedisLimits(url=pharos.broker_url)
    broker.add_middleware(GroupCallbacks(backend))
    called: list[str] = []

    @dramatiq.actor
    async def part(n: int) -> None:
        await asyncio.sleep(0)

    @dramatiq.actor
    async def whole(word: str) -> None:
        called.append(word)

    several = group([part.message(n) for n in range(6)])
    several.add_completion_callback(whole.message("over"))
    async with working() as engine:
        await aside(several.run)
        await until(lambda: engine.processed == 7)
    assert called == ["over"]
    if limits == "redis":
        backend.client.close()


async def test_a_result_store_of_dramatiq_is_written_before_the_acknowledgement(
    working: Work, broker: PharosBroker, pharos: Settings
) -> None:
    backend = RedisBackend(url=pharos.broker_url)
    broker.add_middleware(Results(backend=backend))

    @dramatiq.actor(store_results=True)
    async def answer() -> int:
        return 7

    async with working() as engine:
        message = await aside(answer.send)
        await until(lambda: engine.processed == 1)
        assert await aside(message.get_result, backend=backend) == 7
    backend.client.close()


class SlowStore(StubBackend):
    """A result store whose server takes its time."""

    def __init__(self) -> None:
        super().__init__()
        self.threads: set[int] = set()

    def _store(self, message_key: str, result: Any, ttl: int) -> None:
        self.threads.add(threading.get_ident())
        time.sleep(0.3)
        super()._store(message_key, result, ttl)


async def test_a_slow_result_store_does_not_hold_up_the_loop(working: Work, broker: PharosBroker) -> None:
    store = SlowStore()
    broker.add_middleware(Results(backend=store))

    @dramatiq.actor(store_results=True, max_retries=0)
    async def answer(fails: bool) -> int:
        if fails:
            raise ValueError("no good")
        return 7

    longest, last, over = 0.0, time.monotonic(), False

    async def tick() -> None:
        nonlocal longest, last
        while not over:
            await asyncio.sleep(0.005)
            now = time.monotonic()
            longest, last = max(longest, now - last), now

    async with working() as engine:
        ticking = asyncio.create_task(tick())
        good, bad = await aside(answer.send, fails=False), await aside(answer.send, fails=True)
        await until(lambda: store.threads)
        state = await task_state(good.message_id)
        assert state is not None
        assert state.status == "running"  # the acknowledgement waits for the store
        await until(lambda: engine.processed == 2)
        over = True
        await ticking
    assert longest < 0.25
    assert threading.get_ident() not in store.threads
    assert await aside(good.get_result, backend=store) == 7
    with pytest.raises(ResultFailure, match="no good"):
        await aside(bad.get_result, backend=store)
