"""Everything is restarted in turn, as an update does, under load: no request fails, and no task is lost."""

import asyncio
import itertools
import os
import random
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4

import asyncpg
import httpx
import pytest

from service.embedded import free_port, tied
from service.settings import Settings
from service.tasks import RECONCILE
from tests.installation import ROOT, Installation, installed
from tests.ops.balancer import Balancer
from workers.supervisor import control, programs

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(400)]

RATE = 50  # requests and tasks a second, each
LEAST = 30  # seconds of load; the restarts may take longer
LIBRARY = 50  # resources from the beginning on
# Of a second's requests; what is written asks for tasks: a creation for nine, a change for three, a batch for one.
SHARES = {"read": 22, "search": 10, "change": 7, "create": 3, "batch": 8}
WORDS = "lamp harbour reef storm sail keeper bell tide rope chart".split()
TRIES = re.compile(r'^pharos_task_tries_total\{[^}]*outcome="succeeded"[^}]*\} (\S+)$', re.MULTILINE)


@dataclass
class Load:
    """Asks through a proxy, so many times a second whatever the answers; remembers what was promised."""

    client: httpx.AsyncClient
    asked: int = 0
    answered: Counter[str] = field(default_factory=Counter[str])
    failed: list[str] = field(default_factory=list[str])
    told: dict[str, set[str]] = field(
        default_factory=dict[str, set[str]]
    )  # by resource: the changes that were accepted
    batches: list[str] = field(default_factory=list[str])
    _random: random.Random = field(default_factory=lambda: random.Random(7))

    async def create(self) -> None:
        title = f"Of the {self._random.choice(WORDS)} {uuid4()}"
        body = {"title": title, "content": f"A {self._random.choice(WORDS)} is described by {title}. {uuid4()}"}
        answer = await self._ask("create", 201, "POST", "/resources", json=body)
        if answer is not None:
            self.told[answer.json()["id"]] = set()

    async def read(self) -> None:
        await self._ask("read", 200, "GET", f"/resources/{self._any()}")

    async def search(self) -> None:
        await self._ask("search", 200, "GET", "/search", params={"query": self._random.choice(WORDS)})

    async def change(self) -> None:
        id, words = self._any(), f"Of another {self._random.choice(WORDS)} {uuid4()}"
        if await self._ask("change", 200, "PUT", f"/resources/{id}", json={"description": words}):
            self.told[id].add(words)

    async def batch(self) -> None:
        body = {"resource_ids": [self._any()], "operation": "recompute_quality"}
        answer = await self._ask("batch", 202, "POST", "/batch", json=body)
        if answer is not None:
            self.batches.append(answer.json()["task_id"])

    @asynccontextmanager
    async def flowing(self) -> AsyncGenerator[None]:
        """Ask at the rate, within the block; at a lower one where the machine has three seconds of them under way."""
        kinds = [kind for kind, share in SHARES.items() for _ in range(share)]
        assert len(kinds) == RATE
        asked: set[asyncio.Task[None]] = set()
        places = asyncio.Semaphore(3 * RATE)

        async def flow() -> None:
            due = time.monotonic()
            for number in itertools.count():
                await places.acquire()
                now = time.monotonic()
                await asyncio.sleep(max(0, due - now))
                due += 1 / RATE  # what a restart held up is made up for
                if number % RATE == 0:
                    self._random.shuffle(kinds)
                self.asked += 1
                asking = asyncio.create_task(getattr(self, kinds[number % RATE])())
                asking.add_done_callback(lambda _: places.release())
                asked.add(asking)

        flowing = asyncio.create_task(flow())
        try:
            yield
        finally:
            flowing.cancel()
            await asyncio.gather(*asked)

    def _any(self) -> str:
        return self._random.choice(list(self.told))

    async def _ask(self, kind: str, wanted: int, method: str, path: str, **given: object) -> httpx.Response | None:
        try:
            answer = await self.client.request(method, path, **given)  # type: ignore[arg-type]
        except httpx.TransportError as error:
            self.failed.append(f"{method} {path}: {error!r}")
            return None
        if answer.status_code != wanted:
            self.failed.append(f"{method} {path}: {answer.status_code} {answer.text[:200]}")
            return None
        self.answered[kind] += 1
        return answer


class SecondWeb:
    """Another web server of an installation, whose supervisor runs one."""

    def __init__(self, installation: Installation) -> None:
        self.port = free_port()
        lines = (installation.home / "run" / "env").read_text().splitlines()
        self.addresses = dict(line.split("=", 1) for line in lines)
        self._environment = {**os.environ, **self.addresses, **installation.settings}
        self._log = installation.home / "log" / "web-2.log"
        self._command = programs.web(Settings(_env_file=None, port=self.port)).command  # pyright: ignore
        self.start()

    def start(self) -> None:
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                tied(self._command, signal.SIGTERM), cwd=ROOT, env=self._environment, stdout=log, stderr=log
            )

    def stop(self) -> int:
        self._process.terminate()
        return self._process.wait(30)


async def until(condition: Callable[[], Awaitable[bool]], what: str, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not await condition():
        assert time.monotonic() < deadline, f"not within {seconds:.0f} s: {what}"
        await asyncio.sleep(0.2)


async def restart(installation: Installation, name: str) -> None:
    """Have one of the supervisor's programs stop in its own way, and wait until another one runs."""

    async def pid() -> int | None:
        status = await asyncio.to_thread(control.ask, installation.home / "run" / "control", "status")
        assert status is not None
        return next(program["pid"] for program in status["programs"] if program["name"] == name)

    before = await pid()
    assert before is not None
    os.kill(before, signal.SIGTERM)

    async def another_runs() -> bool:
        return await pid() not in (None, before)

    await until(another_runs, f"another {name} runs")


async def roll(installation: Installation, balancer: Balancer, second: SecondWeb) -> None:
    """Restart everything of Pharos in turn; each is back before the next one goes."""

    async def both_ready() -> bool:
        return len(balancer.ready) == 2

    async def model_answers() -> bool:
        environment = {**os.environ, "PHAROS_INFERENCE_SOCKET": str(installation.home / "run" / "inference")}
        command = [sys.executable, "-I", "-S", str(ROOT / "workers" / "alive.py"), "inference"]
        done = await asyncio.create_subprocess_exec(*command, env=environment, stderr=subprocess.DEVNULL)
        return await done.wait() == 0

    async def two_workers() -> bool:
        return (await asyncio.to_thread(installation.call, "GET", "/ready"))[1]["checks"]["workers"]["count"] == 2

    await restart(installation, "inference")
    await until(model_answers, "the model server answers")
    await restart(installation, "timetable")
    for name in ("worker-1", "worker-2"):
        await restart(installation, name)
        await until(two_workers, "two workers")
    await restart(installation, "web")
    await until(both_ready, "both web servers are ready")
    assert await asyncio.to_thread(second.stop) in (0, -signal.SIGTERM)  # uvicorn ends by the signal that it got
    second.start()
    await until(both_ready, "both web servers are ready")


async def test_everything_restarts_and_nothing_fails_or_is_lost(tmp_path: Path) -> None:
    settings = {"DRAIN_SECONDS": "5", "RATE_LIMITS": "false", "WORKER_TASKS": "0"}  # workers restart when we say so
    with installed(**{f"PHAROS_{name}": value for name, value in settings.items()}) as installation:
        await asyncio.to_thread(installation.up)
        second = SecondWeb(installation)
        database = await asyncpg.connect(second.addresses["PHAROS_DATABASE_URL"])
        try:
            await _roll_under_load(installation, second, database)
        finally:
            await database.close()
            await asyncio.to_thread(second.stop)


async def _roll_under_load(installation: Installation, second: SecondWeb, database: asyncpg.Connection) -> None:
    token = (installation.home / "admin-token").read_text().strip()
    balancer = Balancer([installation.port, second.port])
    async with (
        balancer.running(),
        httpx.AsyncClient(
            base_url=f"http://127.0.0.1:{balancer.port}",
            headers={"Authorization": f"Bearer {token}"},
            timeout=60,
            limits=httpx.Limits(max_connections=None, max_keepalive_connections=20),
        ) as client,
    ):

        async def both_ready() -> bool:
            return len(balancer.ready) == 2

        async def categories_mean_something() -> bool:
            return await count("categories") > 0 and await count("categories WHERE prior IS NULL") == 0

        async def enough() -> bool:
            return load.asked >= RATE * LEAST

        async def tries() -> float:
            return sum(map(float, TRIES.findall((await client.get("/metrics")).text)))

        async def count(query: str, *values: object) -> int:
            return await database.fetchval(f"SELECT count(*) FROM {query}", *values)

        await until(both_ready, "both web servers are ready")
        assert (await client.post(f"/schedules/{RECONCILE.name}/run")).status_code == 202
        await until(categories_mean_something, "resources can be classified")
        load = Load(client)
        for _ in range(LIBRARY):
            await load.create()
        done, began = await tries(), time.monotonic()

        async with load.flowing():
            await roll(installation, balancer, second)
            await until(enough, "enough requests")
            seconds = time.monotonic() - began

        assert load.failed == []
        assert sum(load.answered.values()) == load.asked + LIBRARY

        async def all_derived() -> bool:
            """Of every resource that was promised, there is everything that its tasks make."""
            tables = ("search_documents", "embeddings", "quality", "classifications", "citation_readings")
            ids = list(load.told)
            for table in tables:
                mine = f"(SELECT DISTINCT resource_id FROM {table} WHERE resource_id = ANY($1::uuid[])) AS mine"
                if await count(mine, ids) < len(ids):
                    return False
            return True

        async def all_ended() -> bool:
            return await count("tasks WHERE status IS NULL") == 0

        await until(all_derived, "everything derived is there", 180)
        await until(all_ended, "every task has ended", 60)
        ended = await database.fetch("SELECT id::text, status FROM tasks WHERE id = ANY($1::uuid[])", load.batches)
        assert {row["id"] for row in ended if row["status"] == "succeeded"} == set(load.batches)
        kept = {
            row["id"]: row["description"] for row in await database.fetch("SELECT id::text, description FROM resources")
        }
        assert kept.keys() == load.told.keys()
        assert [id for id, words in kept.items() if words not in (load.told[id] or {None})] == []
        assert await count("dead_letters") == 0
        assert (await tries()) - done >= load.asked  # as many tasks as requests
        print(f"{seconds:.0f} s of restarts, {load.asked / seconds:.0f} requests a second, {load.asked} requests,")
        print(f"{await tries() - done:.0f} tasks")
