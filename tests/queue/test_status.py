"""What operators see: workers, queues, single tasks."""

import asyncio
import os
import socket
from typing import Any
from uuid import uuid4

import pytest

from service.queue import BrokerAway, Task, actor, ping, queue_status, send, task_state, worker_status
from service.settings import Settings
from tests.queue.conftest import NORMAL, Work, dispatch, until

WORK = Task("work", NORMAL)


async def test_a_task_shows_each_state_of_its_life(working: Work) -> None:
    may_end = asyncio.Event()
    keyed = Task("keyed", NORMAL, key="n", backoff=60)

    @actor(keyed)
    async def work(n: int) -> None:
        await may_end.wait()
        raise OSError("later")

    sent = dispatch(keyed, n=1, after=0.2)
    seen: list[str] = []

    async def becomes(status: str) -> None:
        async def is_it() -> bool:
            state = await task_state(sent.message_id)
            return state is not None and state.status == status

        await until(is_it)
        seen.append(status)

    assert await task_state(sent.message_id) is None
    await send([sent])
    await becomes("scheduled")
    await send([dispatch(keyed, n=1)])
    await becomes("queued")
    async with working():
        await becomes("running")
        may_end.set()
        await becomes("retrying")
    state = await task_state(sent.message_id)
    assert state is not None
    assert (state.attempts, state.error, state.date_done) == (1, "OSError: later", None)
    assert seen == ["scheduled", "queued", "running", "retrying"]


async def test_workers_say_who_they_are_and_what_they_do(working: Work) -> None:
    may_end = asyncio.Event()

    @actor(WORK)
    async def work() -> None:
        await may_end.wait()

    assert await worker_status() == []
    sent = dispatch(WORK)
    await send([sent])
    async with working(concurrency=4, grace=5, queues=["default"]) as engine:

        async def busy() -> Any:
            workers = await worker_status()
            return workers if workers and any(one["name"] for one in workers[0].active) else None

        [worker] = await until(busy)
        may_end.set()
    assert (worker.id, worker.host, worker.pid) == (engine.id, socket.gethostname(), os.getpid())
    assert (worker.queues, worker.concurrency, worker.utilization_percent) == (["default"], 4, 25.0)
    assert [(one["task_id"], one["name"]) for one in worker.active] == [(str(sent.message_id), "work")]
    assert worker.heartbeat_age_s < 10
    assert worker.rss_mb > 10
    assert await worker_status() == []


async def test_a_worker_that_is_silent_for_long_is_not_shown(pharos: Settings, store: Any) -> None:
    await store.zadd("dramatiq:__workers__", {"silent": 1})
    await store.hset("dramatiq:__profiles__", "silent", "{}")
    assert await worker_status() == []


async def test_queues_say_how_deep_they_are(working: Work) -> None:
    may_end = asyncio.Event()

    @actor(WORK)
    async def work(fails: bool = False) -> None:
        if fails:
            raise PermissionError from None
        await may_end.wait()

    await send([dispatch(WORK)])
    async with working(concurrency=1, grace=5) as engine:
        await until(lambda: not engine.idle and engine.profile()["active"])
        engine.stop()
        later = [dispatch(WORK, after=60) for _ in range(3)]
        await send([dispatch(WORK), dispatch(WORK, bulk=True), *later])
        status = {queue.name: queue for queue in await queue_status()}
        may_end.set()
    default = status["default"]
    assert (default.priority, default.scheduled, default.waiting, default.running, default.dead) == (5, 3, 2, 1, 0)
    assert 0 <= default.oldest_age_s < 60
    ranks = [queue.priority for queue in await queue_status()]
    assert ranks == sorted(ranks, reverse=True)


async def test_a_server_that_is_away_is_told(pharos: Settings) -> None:
    await ping()
    await ping(pharos.cache_url)
    with pytest.raises(BrokerAway):
        await ping("redis://127.0.0.1:1/0")


async def test_nobody_knows_a_task_that_was_never_sent(pharos: Settings) -> None:
    assert await task_state(uuid4()) is None
