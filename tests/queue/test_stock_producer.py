"""A process that knows nothing of Pharos: plain Dramatiq with its RedisBroker sends, our engine runs."""

import asyncio
import os
import subprocess
import sys
import time
from textwrap import dedent
from typing import Any
from uuid import UUID

import dramatiq
import pytest
from dramatiq.results import Results
from dramatiq.results.backends import RedisBackend

from service.queue import Task, actor, task_state
from service.queue.broker import PharosBroker
from service.settings import Settings
from tests.queue.conftest import NORMAL, Work, until

PRODUCER = """
import os, time
import dramatiq
from dramatiq import group, pipeline
from dramatiq.brokers.redis import RedisBroker
from dramatiq.results import Results
from dramatiq.results.backends import RedisBackend

broker = RedisBroker(url=os.environ["URL"])
broker.add_middleware(Results(backend=RedisBackend(url=os.environ["URL"])))
dramatiq.set_broker(broker)

@dramatiq.actor
def note(*texts, **more): ...

@dramatiq.actor(store_results=True)
def add(a, b): ...

@dramatiq.actor(queue_name="elsewhere")
def unknown_queue(): ...
"""


async def produce(pharos: Settings, code: str) -> str:
    """Run a stock producer to its end, and return what it printed."""
    assert pharos.broker_url is not None
    environment = {**os.environ, "URL": pharos.broker_url}
    script = PRODUCER + dedent(code)

    def run() -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-c", script], env=environment, capture_output=True, text=True, timeout=30, check=False
        )

    done = await asyncio.to_thread(run)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.fixture
def runs(broker: PharosBroker) -> list[tuple[tuple[str, ...], dict[str, Any], float]]:
    """What `note` was run with, and when."""
    seen: list[tuple[tuple[str, ...], dict[str, Any], float]] = []

    @actor(Task("note", NORMAL))
    async def note(*texts: Any, **more: Any) -> None:
        seen.append((texts, more, time.time()))

    return seen


async def test_what_it_sends_runs(pharos: Settings, working: Work, runs: list[Any]) -> None:
    async with working() as engine:
        await produce(pharos, "note.send('now', really={'deep': [1]})")
        await until(lambda: engine.processed == 1)
    assert [(texts, more) for texts, more, _ in runs] == [(("now",), {"really": {"deep": [1]}})]


async def test_its_tasks_have_a_state(pharos: Settings, working: Work, runs: list[Any]) -> None:
    async with working() as engine:
        id = UUID(await produce(pharos, "print(note.send('now').options['redis_message_id'])"))
        await until(lambda: engine.processed == 1)
    state = await task_state(id)
    assert state is not None
    assert (state.status, state.queue) == ("succeeded", "default")


async def test_what_it_delays_runs_when_it_is_due(pharos: Settings, working: Work, runs: list[Any], store: Any) -> None:
    code = """
    at = time.time()
    for delay in (1500, 700):
        note.send_with_options(args=(str(delay),), delay=delay)
    note.send_with_options(args=("hour",), delay=3_600_000)
    note.send("now")
    print(at)
    """
    async with working() as engine:
        at = float(await produce(pharos, code))
        await until(lambda: engine.processed == 3)
    assert [texts[0] for texts, *_ in runs] == ["now", "700", "1500"]
    assert 0.7 <= runs[1][2] - at
    assert 1.5 <= runs[2][2] - at < 3.5
    assert await store.zcard("dramatiq:default:due") == 1  # a worker that dies takes no delay with it


async def test_delays_and_messages_wait_for_a_worker_that_comes_later(
    pharos: Settings, working: Work, runs: list[Any]
) -> None:
    await produce(pharos, "note.send('one'); note.send_with_options(args=('two',), delay=10)")
    async with working() as engine:
        await until(lambda: engine.processed == 2)
    assert sorted(texts[0] for texts, *_ in runs) == ["one", "two"]


async def test_its_options_hold(pharos: Settings, working: Work, broker: PharosBroker) -> None:
    tries = 0

    @dramatiq.actor(min_backoff=10)
    async def note() -> None:
        nonlocal tries
        tries += 1
        raise RuntimeError

    async with working() as engine:
        await produce(pharos, "note.send_with_options(max_retries=1)")
        await until(lambda: engine.processed == 1)
    assert tries == 2


async def test_its_pipelines_and_groups_run_and_it_gets_their_results(
    pharos: Settings, working: Work, broker: PharosBroker
) -> None:
    backend = RedisBackend(url=pharos.broker_url)
    broker.add_middleware(Results(backend=backend))

    @dramatiq.actor(store_results=True)
    async def add(a: int, b: int) -> int:
        return a + b

    code = """
    pipe = pipeline([add.message(1, 2), add.message(3), add.message(4)]).run()
    both = group([add.message(5, 5), add.message(6, 6)]).run()
    later = pipeline([add.message(7, 7), add.message(1)]).run(delay=300)
    print(pipe.get_result(block=True), list(both.get_results(block=True)), later.get_result(block=True))
    """
    async with working():
        assert await produce(pharos, code) == "10 [10, 12] 15"
    backend.client.close()
