"""Replies that never arrive: each script may have run, and is called again."""

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import urlsplit

import pytest

from service.queue import BrokerAway, Task, actor, send
from service.settings import Settings, settings
from tests.queue.conftest import NORMAL, Work, dispatch, until

WORK = Task("work", NORMAL, retries=9, backoff=0.01)


class Proxy:
    """Stands between a client and Redis, and now and then hangs up instead of passing a reply on."""

    def __init__(self, target: str, chance: float) -> None:
        self._target, self._chance = target, chance
        self.dropped = 0
        self.serving: set[asyncio.Task[None]] = set()
        self._random = random.Random(7)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        serving = asyncio.current_task()
        assert serving is not None
        self.serving.add(serving)
        address = urlsplit(self._target)
        upstream, downstream = await asyncio.open_connection(address.hostname, address.port)

        async def forward() -> None:
            while data := await reader.read(65536):
                downstream.write(data)
            downstream.close()

        forwarding = asyncio.create_task(forward())
        while data := await upstream.read(65536):
            if self._random.random() < self._chance:
                self.dropped += 1
                break
            writer.write(data)
        for stream in (writer, downstream):
            stream.close()
        await asyncio.gather(forwarding, writer.wait_closed(), downstream.wait_closed(), return_exceptions=True)
        self.serving.discard(serving)


@pytest.fixture
async def proxy(pharos: Settings, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Proxy]:
    assert pharos.broker_url is not None
    proxy = Proxy(pharos.broker_url, chance=0.1)
    server = await asyncio.start_server(proxy.serve, "127.0.0.1", 0)
    address = urlsplit(pharos.broker_url)
    port = server.sockets[0].getsockname()[1]
    netloc = address.netloc.rpartition(":")[0]
    monkeypatch.setenv("PHAROS_BROKER_URL", address._replace(netloc=f"{netloc}:{port}").geturl())
    settings.cache_clear()
    yield proxy
    server.close()
    await asyncio.gather(*proxy.serving)


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
