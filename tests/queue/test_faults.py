"""Real workers and a real server, killed, frozen and stopped. What was accepted is compared with what tasks did."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import psutil
import pytest
import redis.asyncio

from service.embedded import Valkey, tied
from service.queue import BrokerAway, Dispatch, connected, send, worker_status
from service.settings import Settings, settings
from tests.queue.conftest import dispatch, letters, until
from tests.queue.program import BLOCK, KILL, NAP, STUBBORN

pytestmark = [pytest.mark.faults, pytest.mark.timeout(180)]

ROOT = Path(__file__).parents[2]


class Server:
    """A Redis that is ours to stop."""

    def __init__(self, folder: Path) -> None:
        self.valkey = Valkey(folder)
        self.log = (folder / "log").open("ab")
        self.start()

    def start(self) -> None:
        self.valkey.prepare()
        self.process = subprocess.Popen(
            tied(self.valkey.command(), signal.SIGTERM), stdout=self.log, stderr=subprocess.STDOUT
        )
        deadline = time.monotonic() + 20
        while not self.valkey.ready():
            assert time.monotonic() < deadline, Path(self.log.name).read_text()
            time.sleep(0.01)

    def end(self, number: int = signal.SIGTERM) -> None:
        self.process.send_signal(number)
        self.process.wait(20)

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)
            self.end()
        self.log.close()


class Effect(NamedTuple):
    """A line of the tasks' log."""

    what: str
    n: int
    pid: int
    at: float


class Site:
    """Workers around one Redis."""

    def __init__(self, server: Server, effects: Path) -> None:
        self.server, self._effects = server, effects
        self._environment = {**os.environ, "EFFECTS": str(effects), "PHAROS_WORKER_CONCURRENCY": "8"}
        self._log = effects.with_suffix(".log").open("ab")
        self.processes: list[subprocess.Popen[bytes]] = []

    def start(self, **variables: str) -> subprocess.Popen[bytes]:
        """Start one `dramatiq` command."""
        command = [sys.executable, "-m", "dramatiq", "tests.queue.program", "--processes", "1", "--threads", "1"]
        process = subprocess.Popen(
            command, cwd=ROOT, env={**self._environment, **variables}, stdout=self._log, stderr=subprocess.STDOUT
        )
        self.processes.append(process)
        return process

    async def ready(self, count: int) -> None:
        async def enough() -> bool:
            return len(await worker_status()) >= count

        await until(enough, 30)

    def effects(self, what: str) -> list[Effect]:
        """Return what the tasks wrote, in the order of writing."""
        lines = self._effects.read_text().splitlines() if self._effects.exists() else []
        effects = [Effect(words[0], int(words[1]), int(words[2]), float(words[3])) for words in map(str.split, lines)]
        return [effect for effect in effects if effect.what == what]

    def ended(self) -> Counter[int]:
        return Counter(effect.n for effect in self.effects("end"))

    async def all_ended(self, sent: int, seconds: float) -> None:
        await until(lambda: len(self.ended()) >= sent, seconds)

    def close(self) -> None:
        for process in self.processes:
            if process.poll() is None:
                process.kill()
                process.wait()
        for child in psutil.process_iter():
            if belongs(child, self._effects):
                child.kill()
        self._log.close()


def belongs(process: psutil.Process, effects: Path) -> bool:
    """Tell whether a process is a worker of this test."""
    try:
        return process.environ().get("EFFECTS") == str(effects)
    except psutil.Error:
        return False


def child_of(process: subprocess.Popen[bytes]) -> psutil.Process:
    """Return the worker below a `dramatiq` command."""
    [child] = psutil.Process(process.pid).children()
    return child


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    server = Server(tmp_path / "valkey")
    yield server
    server.close()


@pytest.fixture
async def site(
    pharos: Settings, server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Site]:
    monkeypatch.setenv("PHAROS_BROKER_URL", server.valkey.url())
    settings.cache_clear()
    site = Site(server, tmp_path / "effects")
    async with connected():
        yield site
    site.close()


@pytest.fixture
async def store(site: Site) -> AsyncIterator[redis.asyncio.Redis]:
    async with redis.asyncio.Redis.from_url(site.server.valkey.url(), decode_responses=True) as client:
        yield client


def naps(count: int, seconds: float = 0.05, **fields: Any) -> list[Dispatch]:
    return [dispatch(NAP, n=n, seconds=seconds, **fields) for n in range(count)]


async def persist(messages: list[Dispatch]) -> None:
    """Send as the relay does: again and again, until it is said to be accepted."""
    while True:
        try:
            return await send(messages)
        except BrokerAway:
            await asyncio.sleep(0.1)


async def test_a_worker_is_killed_under_load(site: Site) -> None:
    victim, _ = site.start(), site.start()
    await site.ready(2)
    await send(naps(400))
    await until(lambda: len(site.ended()) > 60)
    child = child_of(victim)
    child.kill()
    killed_at = time.time()
    await site.all_ended(400, 30)
    ended = site.ended()
    assert sum(ended.values()) - 400 <= 10  # at most what ran there
    assert max(effect.at for effect in site.effects("start")) - killed_at < 20
    assert victim.wait(10) != 0


async def test_workers_are_replaced_one_by_one_under_load(site: Site) -> None:
    old = [site.start(), site.start()]
    await site.ready(2)
    await send(naps(600, 0.4))
    for worker in old:
        site.start()
        await site.ready(3)
        worker.send_signal(signal.SIGTERM)
        assert await asyncio.to_thread(worker.wait, 15) == 0
    await site.all_ended(600, 40)
    assert set(site.ended().values()) == {1}
    assert len({effect.pid for effect in site.effects("start")}) >= 3


async def test_redis_restarts_while_tasks_run_wait_and_are_due(site: Site, store: Any) -> None:
    site.start()
    await site.ready(1)
    await send([*naps(100, 0.1), *(dispatch(NAP, n=100 + n, seconds=0, after=3) for n in range(20))])
    await until(lambda: len(site.ended()) > 20)
    await asyncio.sleep(1.1)  # appendfsync everysec
    site.server.end()
    await asyncio.sleep(3)
    site.server.start()
    back_at = time.time()
    await persist(naps(1000, 0)[999:])
    await site.all_ended(121, 30)
    assert set(site.ended().values()) == {1}
    starts = [effect.at for effect in site.effects("start") if effect.at > back_at]
    assert min(starts) - back_at < 5
    assert max(effect.at for effect in site.effects("end") if effect.n < 120) - back_at < 10


@pytest.mark.parametrize("seconds", [3, 13])
async def test_redis_freezes(site: Site, seconds: float) -> None:
    site.start(), site.start()
    await site.ready(2)
    await send(naps(300, 0.1))
    await until(lambda: len(site.ended()) > 20)
    site.server.process.send_signal(signal.SIGSTOP)
    await asyncio.sleep(seconds)
    site.server.process.send_signal(signal.SIGCONT)
    back_at = time.time()
    await site.all_ended(300, 30)
    assert set(site.ended().values()) == {1}
    assert min(effect.at for effect in site.effects("start") if effect.at > back_at) - back_at < 5
    assert {effect.pid for effect in site.effects("start") if effect.at > back_at} == {
        child_of(process).pid for process in site.processes
    }


async def test_redis_is_killed_and_comes_back_empty(site: Site, store: Any) -> None:
    site.start()
    await site.ready(1)
    await send(naps(50, 0.2))
    await until(lambda: site.ended())
    site.server.end(signal.SIGKILL)
    await asyncio.sleep(1)
    site.server.start()
    await store.flushall()
    back_at = time.time()
    await persist([dispatch(NAP, n=1000 + n, seconds=0) for n in range(20)])
    await until(lambda: sum(n >= 1000 for n in site.ended()) == 20, 10)
    assert max(effect.at for effect in site.effects("end") if effect.n >= 1000) - back_at < 5


async def test_a_poisonous_task_dies_alone(site: Site) -> None:
    async def supervise(over: Callable[[], bool]) -> None:
        """Restart what ends, as the supervisor does."""
        while not over():
            for process in site.processes:
                if process.poll() is not None:
                    site.processes.remove(process)
                    site.start()
                    break
            await asyncio.sleep(0.1)

    site.start()
    await site.ready(1)
    await send([dispatch(KILL, n=0)])
    supervisor = asyncio.create_task(supervise(lambda: False))
    await send(naps(20, 0.01, after=1)[1:])

    async def buried() -> list[Any]:
        return await letters()

    [letter] = await until(buried, 90)
    assert (letter.name, letter.reason, letter.attempts) == ("kill", "poison", 3)
    assert len(site.effects("start")) - len([e for e in site.effects("start") if e.n]) == 3
    await site.all_ended(19, 30)
    supervisor.cancel()


async def test_tasks_that_outlast_the_heartbeat_run_once_even_when_they_block_everything(site: Site) -> None:
    site.start(), site.start()
    await site.ready(2)
    await send([dispatch(BLOCK, n=n, seconds=14) for n in range(2)])
    await until(lambda: len(site.effects("start")) == 2)
    await send([dispatch(NAP, n=10 + n, seconds=14) for n in range(4)])
    await site.all_ended(6, 60)
    assert set(site.ended().values()) == {1}
    assert len(site.effects("start")) == 6


@pytest.mark.parametrize("signals", [1, 2])
async def test_a_worker_that_cannot_stop_is_ended(site: Site, signals: int) -> None:
    process = site.start(PHAROS_WORKER_GRACE="1" if signals == 1 else "60")
    await site.ready(1)
    await send([dispatch(STUBBORN, n=1)])
    await until(lambda: site.effects("start"))
    for _ in range(signals):
        process.send_signal(signal.SIGTERM)
        await asyncio.sleep(0.3)
    assert await asyncio.to_thread(process.wait, 15) == 0
    assert site.effects("refused")
    process = site.start()
    await until(lambda: len(site.effects("start")) == 2)  # it was handed back


async def test_an_idle_worker_stops_at_once(site: Site) -> None:
    process = site.start()
    await site.ready(1)
    child = child_of(process)
    await asyncio.sleep(0.3)
    began = time.monotonic()
    process.send_signal(signal.SIGTERM)
    await asyncio.to_thread(child.wait, 10)
    assert time.monotonic() - began < 1
    assert await asyncio.to_thread(process.wait, 10) == 0
    assert await worker_status() == []


async def test_a_worker_ends_with_its_command(site: Site) -> None:
    process = site.start()
    await site.ready(1)
    child = child_of(process)
    process.kill()
    process.wait()
    await asyncio.to_thread(psutil.wait_procs, [child], 15)
    assert not child.is_running() or child.status() == psutil.STATUS_ZOMBIE
    assert await worker_status() == []
