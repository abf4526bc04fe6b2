"""The cache's Redis killed, frozen, away, and back."""

import asyncio
import os
import signal
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path
from time import perf_counter

import pytest
import redis.asyncio

from service.cache import server
from service.cache.cache import Cache
from service.embedded import Valkey
from service.settings import Settings
from tests.cache.conftest import MakeCache, Source, always, until

pytestmark = pytest.mark.integration


class Redis:
    """A server of the test's own, which it kills and freezes."""

    def __init__(self, folder: Path, durable: bool = False) -> None:
        self.made = Valkey(folder, durable=durable)
        self.made.prepare()
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return self.made.url(1)

    async def start(self) -> None:
        self.process = subprocess.Popen(self.made.command(), stdout=subprocess.DEVNULL)
        await until(self.made.ready)

    def signal(self, number: int) -> None:
        assert self.process is not None
        os.kill(self.process.pid, number)

    async def end(self) -> None:
        if self.process is not None:
            self.signal(signal.SIGCONT)
            self.process.kill()
            await asyncio.to_thread(self.process.wait)
            self.process = None


@pytest.fixture
async def own(tmp_path: Path, pharos: Settings) -> AsyncIterator[Redis]:
    made = Redis(tmp_path / "own", durable=True)
    await made.start()
    yield made
    await made.end()


def usable(cache: Cache) -> bool:
    return cache.shared.server is not None and cache.shared.server.usable


async def read(cache: Cache, source: Source) -> str:
    return (await cache.get_or_compute("quality:1", source)).value


async def test_killed_and_back(own: Redis, new_cache: MakeCache) -> None:
    cache, source = await new_cache(own.url), Source()
    assert [await read(cache, source) for _ in range(2)] == ["value"] * 2
    await own.end()
    await until(lambda: not usable(cache))
    assert [await read(cache, source) for _ in range(3)] == ["value"] * 3
    assert source.computed == 4
    await own.start()
    await until(lambda: usable(cache))
    # It read its data back, and may have lost the last things that were forgotten: nothing of before counts.
    assert [await read(cache, source) for _ in range(2)] == ["value"] * 2
    assert source.computed == 5


async def test_what_was_forgotten_while_it_was_away_is_not_there_when_it_is_back(
    own: Redis, new_cache: MakeCache
) -> None:
    cut_off, other = await new_cache(own.url), await new_cache(own.url)
    await other.set("quality:1", "old")
    link = cut_off.shared.server
    assert link is not None
    assert link._link is not None
    link._link.close()  # of one process only: the server and its values live on
    await cut_off.forget(["quality:1"])
    await until(lambda: link.outages == 1 and usable(cut_off))
    assert not link.debt
    assert [await one.get("quality:1") for one in (cut_off, other)] == [None, None]


async def test_frozen_it_costs_one_reader_a_moment_and_the_others_nothing(own: Redis, new_cache: MakeCache) -> None:
    cache, source = await new_cache(own.url), Source()
    await read(cache, source)
    own.signal(signal.SIGSTOP)
    began = perf_counter()
    answers = [await read(cache, source) for _ in range(50)]
    took = perf_counter() - began
    assert answers == ["value"] * 50
    assert took < 50 * server.READ  # they do not each wait
    assert source.computed == 51
    source.value = "new"
    await cache.forget(["quality:1"])
    own.signal(signal.SIGCONT)
    await until(lambda: usable(cache))
    assert await read(cache, source) == "new"


async def test_frozen_for_long_it_is_given_up_and_found_again(
    own: Redis, new_cache: MakeCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "OVERDUE", 0.2)
    cache, other, source = await new_cache(own.url), await new_cache(own.url), Source()
    await read(cache, source)
    own.signal(signal.SIGSTOP)
    await read(cache, source)
    source.value = "new"
    await cache.forget(["quality:1"])
    state = cache.shared.server
    assert state is not None
    await until(lambda: state._link is None and state.debt)  # nobody knows whether it was forgotten
    own.signal(signal.SIGCONT)
    await until(lambda: usable(cache))
    assert [await read(one, source) for one in (cache, other)] == ["new", "new"]


async def test_one_that_refuses_costs_nobody_an_error(own: Redis, new_cache: MakeCache) -> None:
    cache, source = await new_cache(own.url), Source()
    async with redis.asyncio.Redis.from_url(own.url) as client:
        await client.config_set("maxmemory", "1mb")  # takes nothing any more
        assert [await read(cache, source) for _ in range(2)] == ["value"] * 2
        await client.config_set("maxmemory", 0)
    assert await read(cache, source) == "value"
    assert (await cache.get_or_compute("quality:1", always("other"))).value == "value"


async def test_scripts_that_the_server_lost_are_sent_again(own: Redis, new_cache: MakeCache) -> None:
    cache, source = await new_cache(own.url), Source()
    async with redis.asyncio.Redis.from_url(own.url) as client:
        await client.script_flush()
    assert [await read(cache, source) for _ in range(2)] == ["value"] * 2
    assert source.computed == 1


async def test_a_server_that_is_not_there_at_the_start_is_found_later(tmp_path: Path, new_cache: MakeCache) -> None:
    own = Redis(tmp_path / "late")
    cache, source = await new_cache(own.url), Source()
    assert [await read(cache, source) for _ in range(2)] == ["value"] * 2
    await own.start()
    await until(lambda: usable(cache))
    source.computed = 0
    assert [await read(cache, source) for _ in range(2)] == ["value"] * 2
    assert source.computed == 1
    await cache.disconnect()
    await own.end()
