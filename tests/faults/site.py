"""A site: Redis, PostgreSQL and workers that are ours to kill, of Pharos or of stock Dramatiq."""

import asyncio
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncGenerator, Generator, Iterable, Mapping
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple
from unittest.mock import patch
from uuid import uuid4

import psutil
import redis.asyncio
from dramatiq.brokers.redis import RedisBroker
from dramatiq.errors import ConnectionClosed
from redis.exceptions import RedisError
from sqlalchemy import select, text

from service import database
from service.embedded import Postgres, Valkey, tied
from service.embedded import Server as Program
from service.migrations import migrate
from service.queue import BrokerAway, Dispatch, Task, connected, send
from service.queue.tables import DeadLetter
from service.settings import settings
from tests.faults import peer
from tests.faults.ledger import EFFECTS, Ledger
from tests.faults.program import NAP
from tests.queue.conftest import until

ROOT = Path(__file__).parents[2]
CONCURRENCY = 8
RUNNING = 10  # tasks in one worker at most: each class of work has a place more
PATIENCE = 60.0  # seconds after which what has not ended counts as lost


class Server:
    """A server that is ours to stop."""

    def __init__(self, program: Program, log: Path) -> None:
        self.program = program
        self._log = log.open("ab")
        self.start()

    def start(self) -> None:
        self.program.prepare()
        environment = {name: value for name, value in os.environ.items() if name != EFFECTS}  # it is no worker
        self.process = subprocess.Popen(
            tied(self.program.command(), self.program.stop_signal),
            env=environment,
            stdout=self._log,
            stderr=subprocess.STDOUT,
        )
        deadline = time.monotonic() + 30
        while not self.program.ready():
            assert time.monotonic() < deadline, Path(self._log.name).read_text()
            time.sleep(0.01)

    def end(self, number: signal.Signals | None = None) -> None:
        self.process.send_signal(number or self.program.stop_signal)
        self.process.wait(30)

    @contextmanager
    def frozen(self) -> Generator[None]:
        self.process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self.process.send_signal(signal.SIGCONT)

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)
            self.end()
        self._log.close()


class Ground:
    """PostgreSQL, which the sites of one session use in turn."""

    def __init__(self, folder: Path) -> None:
        self.postgres = Postgres(folder / "postgres", durable=False)
        self.server = Server(self.postgres, folder / "postgres.log")


@asynccontextmanager
async def ground() -> AsyncGenerator[Ground]:
    """Run a PostgreSQL that holds an empty library."""
    with tempfile.TemporaryDirectory(prefix="pharos-faults-") as folder:
        made = Ground(Path(folder))
        try:
            await migrate(made.postgres.url())
            yield made
        finally:
            made.server.close()


class Job(NamedTuple):
    """One request for a task; `delay` and `at_most` are in seconds."""

    task: Task
    arguments: Mapping[str, Any]
    delay: float = 0
    at_most: float = 0


def naps(numbers: Iterable[int], seconds: float = 0.05, delay: float = 0) -> list[Job]:
    return [Job(NAP, {"n": n, "seconds": seconds}, delay) for n in numbers]


class Site:
    """Workers around one Redis. `stock` says whose they are."""

    def __init__(self, folder: Path, ground: Ground, *, stock: bool) -> None:
        self.folder, self.postgres, self.stock = folder, ground.server, stock
        self.valkey = Valkey(folder / "valkey")
        self.redis = Server(self.valkey, folder / "valkey.log")
        self.effects = folder / "effects"
        self.ledger = Ledger(self.effects)
        self.workers: list[subprocess.Popen[bytes]] = []
        self._log = (folder / "workers.log").open("ab")
        self._broker = peer.broker(self.valkey.url()) if stock else None

    # Workers

    def start(self, **variables: str) -> subprocess.Popen[bytes]:
        """Start one `dramatiq` command."""
        module, threads = ("tests.faults.peer", str(peer.THREADS)) if self.stock else ("tests.faults.program", "1")
        return self.run([sys.executable, "-m", "dramatiq", module, "--processes", "1", "--threads", threads], variables)

    def run(self, command: list[str], variables: Mapping[str, str] | None = None) -> subprocess.Popen[bytes]:
        environment = {**os.environ, **(variables or {})}
        process = subprocess.Popen(
            tied(command, signal.SIGTERM), cwd=ROOT, env=environment, stdout=self._log, stderr=subprocess.STDOUT
        )
        self.workers.append(process)
        return process

    async def ready(self, count: int) -> None:
        """Wait until so many workers were ready since the beginning."""
        await until(lambda: len(self.ledger.all("ready")) >= count, 40)

    @asynccontextmanager
    async def kept(self) -> AsyncGenerator[None]:
        """Restart what ends, as a supervisor does."""

        async def keep() -> None:
            while True:
                for worker in self.workers:
                    if worker.poll() is not None:
                        self.workers.remove(worker)
                        self.start()
                        break
                await asyncio.sleep(0.1)

        keeper = asyncio.create_task(keep())
        try:
            yield
        finally:
            keeper.cancel()

    def processes(self) -> list[psutil.Process]:
        """Return every process of this site's workers, found by its environment."""
        return [process for process in psutil.process_iter() if self._owns(process)]

    def _owns(self, process: psutil.Process) -> bool:
        try:
            return process.pid != os.getpid() and process.environ().get(EFFECTS) == str(self.effects)
        except psutil.Error:
            return False

    # Jobs

    async def send(self, jobs: list[Job]) -> None:
        """Send until it is said to be accepted, as the relay does: the same messages again, under the same ids."""
        await self.post(self.messages(jobs))
        self.ledger.accept(job.arguments["n"] for job in jobs)

    def messages(self, jobs: list[Job]) -> list[Any]:
        """Return jobs as they are sent, each under an id of its own."""
        if not self.stock:
            return [dispatch(job) for job in jobs]
        return [(peer.message(job.task.name, job.task.queue.name, dict(job.arguments)), job.delay) for job in jobs]

    async def post(self, messages: list[Any]) -> None:
        """Send what `messages()` returned, until it is accepted."""
        if self._broker is not None:
            await asyncio.to_thread(self._post_stock, self._broker, messages)
            return
        while True:
            try:
                await send(messages)
                return
            except BrokerAway:
                await asyncio.sleep(0.1)

    def _post_stock(self, broker: RedisBroker, messages: list[Any]) -> None:
        for message, delay in messages:
            while True:
                try:
                    broker.enqueue(message, delay=round(delay * 1000) or None)
                    break
                except (RedisError, ConnectionClosed):
                    time.sleep(0.1)

    async def ended(self, patience: float = PATIENCE) -> bool:
        """Wait until all that was accepted has ended, for so many seconds at most."""
        deadline = time.monotonic() + patience
        while self.ledger.missing and time.monotonic() < deadline:
            await asyncio.sleep(0.05)
        return not self.ledger.missing

    async def some_ended(self, count: int) -> None:
        await until(lambda: len(self.ledger.ends) >= count, 40)

    async def dead_letters(self) -> list[str]:
        """Return why each of them was given up; stock Dramatiq keeps no reason."""
        if self.stock:
            async with redis.asyncio.Redis.from_url(self.valkey.url()) as client:
                return ["?"] * await client.zcard(f"dramatiq:{NAP.queue.name}.XQ")
        async with database.reading() as session:
            return list(await session.scalars(select(DeadLetter.reason).order_by(DeadLetter.failed_at)))

    def use(self, broker_url: str) -> None:
        """Send to this address from now on, and start workers with it."""
        os.environ["PHAROS_BROKER_URL"] = broker_url
        settings.cache_clear()
        if self._broker is not None:
            self._broker.close()
            self._broker = peer.broker(broker_url)

    def close(self) -> None:
        for process in self.processes():
            with suppress(psutil.Error):
                process.kill()
        for worker in self.workers:
            worker.kill()
            worker.wait()
        if self._broker is not None:
            self._broker.close()
        self.redis.close()
        self._log.close()


def dispatch(job: Job) -> Dispatch:
    """Return a job as a request of ours, under an event of its own."""
    return Dispatch(job.task, job.arguments, uuid4(), after=job.delay, at_most=job.at_most)


def child_of(process: subprocess.Popen[bytes]) -> psutil.Process:
    """Return the worker below a `dramatiq` command; a stock one has a helper beside it."""
    return max(psutil.Process(process.pid).children(), key=lambda child: child.memory_info().rss)


@asynccontextmanager
async def site(ground: Ground, *, stock: bool = False) -> AsyncGenerator[Site]:
    """Make a site with an empty Redis and no rows."""
    with tempfile.TemporaryDirectory(prefix="pharos-site-") as name:
        folder = Path(name)
        made = Site(folder, ground, stock=stock)
        variables = {
            "PHAROS_HOME": str(folder / "home"),
            "PHAROS_DATABASE_URL": ground.postgres.url(),
            "PHAROS_BROKER_URL": made.valkey.url(0),
            "PHAROS_CACHE_URL": made.valkey.url(1),
            "PHAROS_WORKER_CONCURRENCY": str(CONCURRENCY),
            "PHAROS_WORKER_TASKS": "0",  # without a supervisor, nobody replaces what is worn out
            "PHAROS_WORKER_MEMORY_MB": "0",
            EFFECTS: str(made.effects),
            "PEER": "1" if stock else "",
        }
        foreign = [name for name in os.environ if name.startswith("PHAROS_")]
        with patch.dict(os.environ, variables):
            for name in set(foreign) - variables.keys():
                del os.environ[name]
            settings.cache_clear()
            try:
                async with connected(), database.connected("faults", 5, 5):
                    async with database.transaction() as session:
                        await session.execute(text("TRUNCATE dead_letters, outbox, events"))
                    yield made
            finally:
                made.close()
        settings.cache_clear()
