"""Search quality on Cranfield: 1,400 abstracts, queries of engineers, judgements by the same."""

import asyncio
import json
import os
import sys
import time
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from math import log2
from pathlib import Path
from statistics import mean
from typing import Any, get_args
from uuid import UUID

from bench.report import Report, WorkNotDone, percentile
from bench.servers import process, servers
from service import database, inference
from service.database import reading, transaction
from service.migrations import migrate
from service.resources import actions as resources
from service.search import actions
from service.search.filters import Filters
from service.search.retrieval import Mode, search
from service.security.accounts import Account, create_user
from service.security.permissions import ROLES
from service.settings import settings

DATA = Path(__file__).parents[2] / "shared" / "data" / "cranfield"
DEPTH = 10
MARKS = {
    "keyword": 0.51,
    "semantic": 0.50,
    "hybrid": 0.56,
}  # plain BM25 has .498 on these queries, the model alone .489


@dataclass(frozen=True, slots=True)
class Collection:
    """Texts by number, queries, and how much each text helps with each query (4 a complete answer, 1 of some use)."""

    texts: Mapping[int, Mapping[str, str]]
    queries: Mapping[int, str]
    gains: Mapping[int, Mapping[int, int]]


def load(folder: Path) -> Collection:
    """Read `docs.json`, `queries.json` and `qrels.json`."""
    gains: dict[int, dict[int, int]] = {}
    for entry in json.loads((folder / "qrels.json").read_text()):
        gain = 5 - entry["position"] if 1 <= entry["position"] <= 4 else 0
        gains.setdefault(int(entry["query_num"]), {})[int(entry["id"])] = gain
    return Collection(
        {text["id"]: text for text in json.loads((folder / "docs.json").read_text())},
        {
            entry["query number"]: entry["query"]
            for entry in json.loads((folder / "queries.json").read_text())
            if entry["query number"] in gains
        },
        gains,
    )


def ndcg(ranking: Sequence[int], gains: Mapping[int, int], depth: int = DEPTH) -> float:
    """Return the normalised discounted cumulative gain; Järvelin, Kekäläinen: Cumulated Gain-Based Evaluation, 2002."""
    best = sorted(gains.values(), reverse=True)
    return _dcg([gains.get(item, 0) for item in ranking[:depth]]) / (_dcg(best[:depth]) or 1)


def _dcg(gains: Sequence[int]) -> float:
    return sum(gain / log2(rank + 1) for rank, gain in enumerate(gains, 1))


def recall(ranking: Sequence[int], gains: Mapping[int, int], depth: int = DEPTH) -> float:
    """Return the share of the helpful texts that is among the first."""
    helpful = {item for item, gain in gains.items() if gain}
    return len(helpful.intersection(ranking[:depth])) / (len(helpful) or 1)


def run() -> Report:
    """Index all texts, ask all queries in each mode."""
    return with_model(_measure)


def with_model(measure: Callable[[Collection], Coroutine[Any, Any, Report]]) -> Report:
    """Measure something about the collection, with servers and a model server of its own."""
    collection = load(DATA)
    with servers() as running, (running.home / "inference.log").open("wb") as log:
        environment = running.environment(PHAROS_INFERENCE_SOCKET=str(running.home / "inference"))
        os.environ.update({name: value for name, value in environment.items() if name.startswith("PHAROS_")})
        settings.cache_clear()
        with process([sys.executable, "-m", "workers.inference"], environment, log.fileno()):
            return asyncio.run(measure(collection))


async def _measure(collection: Collection) -> Report:
    report = Report(
        "cranfield",
        "Search quality: Cranfield",
        f"{len(collection.texts):,} abstracts, {len(collection.queries)} queries (every second one), depth {DEPTH}; "
        "the actions that the tasks and the API run, on a PostgreSQL and a model server of their own.",
    )
    await migrate(settings().database_url or "")
    async with database.connected("bench", 16, 4), inference.connected():
        await model_server()
        began = time.perf_counter()
        account, numbers = await _fill(collection)
        seconds = time.perf_counter() - began
        for mode in get_args(Mode):
            rankings: dict[int, list[int]] = {}
            times: list[float] = []
            for query_number, query in collection.queries.items():
                found = await search(query, Filters(account.id), mode, limit=DEPTH)
                if found.degraded:
                    raise WorkNotDone(f"query {query_number} was answered without {found.degraded}")
                rankings[query_number] = [numbers[item["id"]] for item in found.items]
                times.append(found.took_ms)
            score = mean(ndcg(ranking, collection.gains[query]) for query, ranking in rankings.items())
            report.figure("nDCG@10", mode, "", [score])
            report.figure("recall@10", mode, "", [mean(recall(r, collection.gains[q]) for q, r in rankings.items())])
            report.figure("search, p50", mode, "ms", [percentile(times, 50)])
            report.figure("search, p95", mode, "ms", [percentile(times, 95)])
            report.mark(f"nDCG@10, {mode}", score, "at least", MARKS[mode], "")
        report.figure("added, indexed, embedded", "Pharos", "texts/s", [len(collection.texts) / seconds])
        report.checks["texts indexed and embedded"] = [len(numbers)]
    return report


async def model_server() -> None:
    """Wait until the model server answers."""
    async with asyncio.timeout(60):
        while True:
            try:
                await inference.embed_query("warm")
                return
            except inference.InferenceOutage:
                await asyncio.sleep(0.1)


async def _fill(collection: Collection) -> tuple[Account, dict[UUID, int]]:
    """Add every text and do what its tasks do; return who added them, and the number of each resource."""
    async with transaction() as session:
        user = await create_user(session, "bench", "admin")
    account = Account(user.id, user.username, "admin", ROLES["admin"])
    numbers: dict[UUID, int] = {}
    free = asyncio.Semaphore(16)

    async def add(number: int, text: Mapping[str, str]) -> None:
        fields: dict[str, Any] = {
            "title": text["title"] or "untitled",
            "content": text["body"] or "-",
            "language": "en",
        }
        fields["authors"] = [text["author"]] if text["author"] else []
        async with free:
            async with transaction() as session:
                resource_id = (await resources.create(session, account, fields, source="content")).id
            async with transaction() as session:
                await actions.index(session, resource_id)
            async with reading() as session:
                draft = await actions.drafted(session, resource_id)
            if draft is None:
                raise WorkNotDone(f"text {number} has nothing to embed")
            embedded = await inference.embed_passages(draft.title, draft.content)
            async with transaction() as session:
                await actions.keep_embedding(session, draft, embedded)
            numbers[resource_id] = number

    await asyncio.gather(*(add(number, text) for number, text in collection.texts.items()))
    return account, numbers
