"""PageRank of 10,000 items with 50,000 citations: the computation, and the whole step from rows to rows."""

import asyncio
import os
import statistics
import time
from collections.abc import Awaitable, Callable

import numpy as np
from sqlalchemy import text

from bench.report import Report
from bench.servers import servers
from service import database
from service.database import reading, transaction
from service.graph import importance
from service.graph.ranking import pagerank, ranked
from service.graph.traversal import around
from service.migrations import migrate
from service.security.accounts import Account, create_user
from service.security.permissions import ROLES
from service.settings import settings

NODES, EDGES, ROUNDS = 10_000, 50_000, 5
BOUND = 1000  # ms

_RESOURCES = text(
    """INSERT INTO resources (id, owner_id, private, title, type, authors, subjects, tags, content, content_hash,
        word_count, status, version)
    SELECT uuid_in(md5(n::text)::cstring), :owner, false, 'Item ' || n, 'webpage', '{}', '{}', '{}', 'x', md5(n::text),
        1, 'completed', 1 FROM generate_series(0, :nodes - 1) n"""
)
_CITATIONS = text(
    """INSERT INTO citations (id, resource_id, position, kind, value, text, keys, target_id)
    SELECT gen_random_uuid(), uuid_in(md5(source::text)::cstring), 0, 'url', '', '', '{}',
        uuid_in(md5(target::text)::cstring)
    FROM unnest(CAST(:sources AS int[]), CAST(:targets AS int[])) AS edge(source, target)"""
)


def run() -> Report:
    """Rank a graph of which a tenth of the items gets most of the citations."""
    report = Report(
        "graph",
        "Importance of items",
        f"{NODES:,} items, {EDGES:,} citations of which most lead to few items; {ROUNDS} rounds, one citation more in "
        "each. The step reads the graph from PostgreSQL, ranks it, checks that it is still the same, and writes every "
        "rank that changed.",
    )
    dice = np.random.default_rng(7)
    sources = dice.integers(0, NODES, EDGES)
    targets = np.minimum((dice.pareto(1.2, EDGES) * 20).astype(np.int64), NODES - 1)
    alone = [_timed(lambda: pagerank(NODES, sources, targets)) for _ in range(ROUNDS)]
    report.figure("PageRank alone", "Pharos", "ms", alone)
    report.mark("PageRank alone", statistics.median(alone), "at most", BOUND, "ms")
    with servers() as place:
        os.environ |= place.environment()
        settings.cache_clear()
        asyncio.run(_steps(report, sources.tolist(), targets.tolist()))
    return report


def _timed(function: Callable[[], object]) -> float:
    began = time.perf_counter()
    function()
    return 1000 * (time.perf_counter() - began)


async def _steps(report: Report, sources: list[int], targets: list[int]) -> None:
    await migrate(settings().database_url or "")
    async with database.connected("bench", 4, 2):
        async with transaction() as session:
            user = await create_user(session, "bench", "admin")
            await session.execute(_RESOURCES, {"owner": user.id, "nodes": NODES})
            await session.execute(_CITATIONS, {"sources": sources, "targets": targets})
        account = Account(user.id, user.username, "admin", ROLES["admin"])
        async with database.engine().connect() as connection:
            await connection.execute(text("VACUUM ANALYZE"))
        took: list[float] = []
        for number in range(ROUNDS):
            async with transaction() as session:
                await session.execute(_CITATIONS, {"sources": [number], "targets": [NODES - 1 - number]})
            took.append(await _awaited(_rank))
        async with reading() as session:
            found = (
                await session.execute(text("SELECT count(*), round(sum(importance)::numeric, 6) FROM graph_ranks"))
            ).one()
        report.check("ranks, and their sum", (found[0], float(found[1])), (NODES, 1.0))
        report.figure("the whole step", "Pharos", "ms", took)
        report.mark("the whole step", statistics.median(took), "at most", BOUND, "ms")
        report.figure("the same graph again", "Pharos", "ms", [await _awaited(_rank) for _ in range(ROUNDS)])

        async def walk() -> None:
            async with reading() as session:
                center = await session.scalar(
                    text("SELECT resource_id FROM graph_ranks ORDER BY importance DESC LIMIT 1")
                )
                assert len((await around(session, account, center, 3)).nodes) == 200

        report.figure(
            "around the most important item, 3 deep", "Pharos", "ms", [await _awaited(walk) for _ in range(ROUNDS)]
        )


async def _awaited(function: Callable[[], Awaitable[object]]) -> float:
    began = time.perf_counter()
    await function()
    return 1000 * (time.perf_counter() - began)


async def _rank() -> None:
    async with reading() as session:
        graph = await importance.drawn(session)
    if graph is None:
        return
    ranks = ranked(len(graph.ids), graph.sources, graph.targets)
    async with transaction() as session:
        assert await importance.keep_ranks(session, graph, ranks)
