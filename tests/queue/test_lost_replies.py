"""Replies that never arrive: each script may have run, and is called again."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any

import pytest

from service.queue import BrokerAway, Task, actor, send
from service.settings import Settings, settings
from tests.faults.proxy import Proxy
from tests.queue.conftest import NORMAL, Work, dispatch, until

WORK = Task("work", NORMAL, retries=9, backoff=0.01)


@pytest.fixture
async def proxy(pharos: Settings, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Proxy]:
    assert pharos.broker_url is not None
    async with Proxy(pharos.broker_url, chance=0.1).running() as proxy:
        monkeypatch.setenv("PHAROS_BROKER_URL", proxy.url)
        settings.cache_clear()
        yield proxy


async def test_no_task_is_lost_and_none_runs_twice(proxy: Proxy, working: Work, store: Any) -> None:
    runs: Counter[int] = Counter()
    keyed = Task("keyed", NORMAL, key="n", retries=9, backoff=0.01)

    for task in (WORK, keyed):

        @actor(task)
        async def work(n: int, fails: bool = False) -> None:
            runs[n] += 1
            if fails and runs[n] == 1:
                raise OSError("once")

    messages = [dispatch(WORK, n=n) for n in range(100)]
    messages += [dispatch(WORK, n=1000 + n, fails=True) for n in range(20)]
    messages += [dispatch(keyed, n=2000 + n, after=0.05) for n in range(100)]

    async def persist(n: int) -> None:
        while True:
            try:
                return await send(messages[n : n + 10])
            except BrokerAway:
                await asyncio.sleep(0.01)

    async with working(concurrency=8):
        await asyncio.gather(*(persist(n) for n in range(0, len(messages), 10)))

        async def over() -> bool:
            return len(runs) == 220 and not await store.exists("dramatiq:default.msgs")

        await until(over, 30)
    assert proxy.dropped > 10
    assert {n: count for n, count in runs.items() if count != (2 if 1000 <= n < 2000 else 1)} == {}
