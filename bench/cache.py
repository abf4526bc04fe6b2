"""The cache: what a hit costs in both layers, what it costs to forget, and what it saves under a skewed load.

Sizes, for a run on a small machine: CACHE_READS, CACHE_KEYS (by commas), CACHE_ROUNDS, CACHE_RESOURCES, CACHE_QUERIES,
CACHE_SECONDS.
"""

import asyncio
import json
import os
import random
import subprocess
import sys
from bisect import bisect
from dataclasses import asdict
from hashlib import md5
from itertools import accumulate
from pathlib import Path
from time import perf_counter
from urllib.request import Request, urlopen
from uuid import UUID

import orjson
from sqlalchemy import text

from bench.load import Plan, drive
from bench.report import Report, WorkNotDone, percentile
from bench.servers import OURS, ROOT, Servers, peers_python, servers, web_process
from service import database
from service.cache.cache import Cache, cache
from service.cache.keys import entry
from service.cache.local import Local
from service.database import transaction
from service.migrations import migrate
from service.queue.link import Link, connect
from service.resources import actions
from service.resources.cached import shown
from service.search import actions as search
from service.security.accounts import Account, create_user
from service.security.permissions import ROLES
from service.settings import settings


def _size(name: str, usual: int) -> int:
    return int(os.environ.get(f"CACHE_{name}", usual))


READS, ROUNDS, SECONDS = _size("READS", 5000), _size("ROUNDS", 5), _size("SECONDS", 8)
RESOURCES, QUERIES = _size("RESOURCES", 50_000), _size("QUERIES", 10_000)
KEYS = [int(number) for number in os.environ.get("CACHE_KEYS", "1000,100000,1000000").split(",")]
WRITES = 0.02  # of what is asked in the skewed load
ASKED = 5  # times as many questions as there are different ones
PATIENCE = 10.0  # seconds
SEARCHED = 200  # resources that the search finds
SEARCH = "/search?query=harbour&mode=keyword"
VALUE = {"title": "A lamp", "words": ["lantern"] * 200}  # about 2 KB
TOKEN = "pharos-bench-token-of-forty-three-characters"
WAYS = {"keys": "KEYS + DEL", "scan": "SCAN + UNLINK", "tags": "tag set", "cashews": "cashews"}

_RESOURCES = text(
    """INSERT INTO resources (id, owner_id, private, title, type, authors, subjects, tags, content, content_hash,
        word_count, status, version)
    SELECT uuid_in(md5(n::text)::cstring), :owner, false, 'Item ' || n, 'webpage', '{}', '{}', '{}',
        repeat('The lamp of the harbour. ', 80), md5(n::text), 400, 'completed', 1
    FROM generate_series(0, :number - 1) n"""
)


def run() -> Report:
    """Measure hits, forgetting, HTTP, and the skewed load."""
    report = Report(
        "cache",
        "The cache",
        f"{READS:,} reads, {ROUNDS} rounds; forgetting beside {', '.join(f'{number:,}' for number in KEYS)} keys; then"
        f" {ASKED * QUERIES:,} questions for {QUERIES:,} of {RESOURCES:,} resources, by Zipf's law with s = 1, of which"
        f" {WRITES:.0%} write. One process asks, one question at a time; the servers are as `make up` starts them.",
    )
    python = peers_python()
    with servers() as place:
        os.environ |= place.environment(PHAROS_ADMIN_TOKEN=TOKEN, PHAROS_RATE_LIMITS="false")
        settings.cache_clear()
        _local(report)
        asyncio.run(_hits(report))
        asyncio.run(_forgetting(report))
        for keys in KEYS:
            for way, who in WAYS.items():
                command = [str(python), "bench/peers/caches.py", place.valkey.url(1), way, str(keys), str(ROUNDS)]
                done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
                report.figure(f"forgetting {keys:,} keys", who, "ms", json.loads(done.stdout))
        asyncio.run(_skewed(report))
        _over_http(report, place)
    return report


def quick() -> Report:
    """Measure hits."""
    report = Report("cache", "The cache", f"{READS:,} reads, {ROUNDS} rounds.")
    with servers() as place:
        os.environ |= place.environment()
        settings.cache_clear()
        _local(report)
        asyncio.run(_hits(report))
    return report


def _local(report: Report) -> None:
    held, rounds = Local(), []
    wanted = [number.to_bytes(8, "big") for number in range(1000)]
    for key in wanted:
        held.set(key, bytes(1536))
    for _ in range(ROUNDS):
        began = perf_counter()
        for _ in range(max(1, READS // 50)):
            for key in wanted:
                held.get(key)
        rounds.append(1e6 * (perf_counter() - began) / (max(1, READS // 50) * len(wanted)))
    found = report.figure("a hit in the process (L1)", "Pharos", "us", rounds)
    report.mark("a hit in the process (L1)", found.median, "at most", 2, "us")


async def _hits(report: Report) -> None:
    link, made = await connect(settings().cache_url or ""), Cache()
    await made.connect(settings().cache_url or "")
    try:
        await made.set("resource:bench", VALUE)
        await link.request([("SET", "bench", orjson.dumps(VALUE))])
        raw, ours = [], []
        for _ in range(ROUNDS):
            began = perf_counter()
            for _ in range(READS):
                [data] = await link.request([("GET", "bench")])
                orjson.loads(data)
            raw.append(1e6 * (perf_counter() - began) / READS)
            began = perf_counter()
            for _ in range(READS):
                if await made.get("resource:bench") is None:
                    await _until_hit(made)
            ours.append(1e6 * (perf_counter() - began) / READS)
        counted = await made.read_statistics()
        report.check("hits that were counted", counted["by_prefix"]["resource"]["hits"], READS * ROUNDS)
    finally:
        await made.disconnect()
        link.close()
    plain = report.figure("a hit in Redis (L2)", "GET and decode", "us", raw)
    cached = report.figure("a hit in Redis (L2)", "Pharos", "us", ours)
    report.mark("a hit in Redis, to GET and decode", cached.median / plain.median, "at most", 1.2, "times")


async def _until_hit(made: Cache) -> None:
    """Wait while reads go without a server that a busy machine made slow; this round is slower by it."""
    deadline = perf_counter() + PATIENCE
    while await made.get("resource:bench") is None:
        if perf_counter() > deadline:
            raise WorkNotDone(f"cache: what is there was not read within {PATIENCE:g} s")
        await asyncio.sleep(0.01)


async def _forgetting(report: Report) -> None:
    url = settings().cache_url or ""
    for keys in KEYS:
        filler, other, made = await connect(url), await connect(url), Cache()
        await made.connect(url)
        took, stalls = [], []
        try:
            for begin in range(0, keys, 10_000):
                some = range(begin, min(begin + 10_000, keys))
                await filler.request([("SET", entry(f"search_query:{number}"), bytes(100)) for number in some])
            for _ in range(50 * ROUNDS):
                await made.set("search_query:asked", VALUE)
                watching = asyncio.create_task(_watch(other))
                began = perf_counter()
                assert await made.forget(["search_query"])
                took.append(1000 * (perf_counter() - began))
                stalls.append(await watching)
                if await made.get("search_query:asked") is not None:
                    raise AssertionError("a forgotten value was served")
            await filler.request([("FLUSHDB",)])
        finally:
            await made.disconnect()
            filler.close()
            other.close()
        report.figure(f"forgetting {keys:,} keys", "Pharos", "ms", took)
        report.figure(f"another client meanwhile, {keys:,} keys", "Pharos", "ms", stalls)
        report.mark(f"forgetting {keys:,} keys, p95", percentile(took, 95), "at most", 0.5, "ms")
        report.mark(f"another client meanwhile, {keys:,} keys, p95", percentile(stalls, 95), "at most", 1, "ms")


async def _watch(link: Link) -> float:
    began = perf_counter()
    await link.request([("PING",)])
    return 1000 * (perf_counter() - began)


async def _skewed(report: Report) -> None:
    """Ask for resources as people do, some far more often than others, and hold each answer against the last write."""
    await migrate(settings().database_url or "")
    dice = random.Random(7)
    ids = [UUID(bytes=_md5(number)) for number in dice.sample(range(RESOURCES), min(QUERIES, RESOURCES))]
    weights = list(accumulate(1 / rank for rank in range(1, len(ids) + 1)))
    versions: dict[UUID, int] = {}
    stale = 0
    async with database.connected("bench", 4, 2):
        async with transaction() as session:
            user = await create_user(session, "bench", "admin")
            await session.execute(_RESOURCES, {"owner": user.id, "number": RESOURCES})
        account = Account(user.id, user.username, "admin", ROLES["admin"])
        await cache.connect(settings().cache_url or "")
        try:
            await cache.shared.usable().ask(("FLUSHDB",), patience=10)
            for number in range(ASKED * QUERIES):
                id = ids[min(bisect(weights, dice.random() * weights[-1]), len(ids) - 1)]
                if dice.random() < WRITES:
                    async with transaction() as session:
                        row = await actions.change(session, account, id, {"description": f"as of {number}"})
                    versions[id] = row["version"]
                else:
                    _, version = await shown(account.id, id)
                    stale += version < versions.get(id, 1)
            counted = await cache.read_statistics()
            for id in ids[:SEARCHED]:
                async with transaction() as session:
                    await search.index(session, id)
        finally:
            await cache.disconnect()
    of = counted["by_prefix"]["resource"]
    report.check("questions that the cache counted", of["total_operations"] > 0, True)
    report.mark("hits under the skewed load", of["hit_rate_percent"], "at least", 65, "%")
    report.details["skewed load"] = {**of, "saved_percent": counted["saved_percent"]}
    report.mark("computation saved", counted["saved_percent"], "at least", 60, "%")
    report.mark("stale answers", stale, "at most", 0, "answers")


def _md5(number: int) -> bytes:
    return md5(str(number).encode()).digest()


def _over_http(report: Report, place: Servers) -> None:
    environment = place.environment(PHAROS_ADMIN_TOKEN=TOKEN, PHAROS_RATE_LIMITS="false")
    headers = {"Authorization": f"Bearer {TOKEN}"}
    of_one = [f"/resources/{UUID(bytes=_md5(number))}" for number in range(min(1000, RESOURCES))]
    with web_process(Path(sys.executable), OURS, environment, "/health", factory=True) as web:
        asked = Request(f"http://127.0.0.1:{web.port}{SEARCH}", headers=headers)
        with urlopen(asked, timeout=30) as response:
            report.check("the search finds something", json.load(response)["total"] > 0, True)
        for what, paths, connections in (
            ("GET /resources/{id}", of_one, 32),
            ("a cached search", [SEARCH], 1),
        ):
            outcome = drive(Plan(web.port, "GET", paths, headers, "", connections=connections, seconds=SECONDS))
            report.check(f"{what}: all answers are 200", list(outcome.statuses), ["200"])
            report.details[what] = asdict(outcome)
            if connections == 1:
                report.mark(f"{what}, p95", outcome.p95, "at most", 5, "ms")
            else:
                report.mark(what, outcome.rate, "at least", 2000, "a second")
