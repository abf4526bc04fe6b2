"""How costs grow with the library: a search, an update, the index and the memory, at 1,000, 10,000 and 100,000.

The library is that of `search`. A slope is the exponent of a power law between two sizes: 0 where ten times as many
resources cost the same, 1 where they cost ten times as much.
"""

import os
import random
import sys
import time
from itertools import pairwise
from math import log
from statistics import median
from uuid import UUID

import psutil
from sqlalchemy import text

from bench import cranfield
from bench.report import Report, percentile
from bench.search import QUERIES, Library, index_tables, made_up, made_up_queries, timed
from bench.stack import Memory
from service.database import reading, transaction
from service.resources import actions as resources
from service.search import actions
from service.search.retrieval import Mode

SIZES = tuple(int(size) for size in os.environ.get("SIZES", "1000,10000,100000").split(","))
ROUNDS = 3
UPDATES = 200
MODES: tuple[Mode, ...] = ("keyword", "hybrid")
RATIO = 2  # of the p95 of a search at the last size to that at the one before

Curves = dict[tuple[str, str, str], dict[int, list[float]]]  # by quantity, whose it is, and unit: values by size


def run() -> Report:
    """Fill a library step by step, and look at each size."""
    return cranfield.with_model(_measure)


async def _measure(collection: cranfield.Collection) -> Report:
    report = Report(
        "growth",
        "How costs grow with the library",
        f"{', '.join(f'{size:,}' for size in SIZES)} resources of about 250 words, three passages each. At each size "
        f"{ROUNDS} rounds of {QUERIES} queries, one after the other, and of {UPDATES} updates of title and text with "
        "their indexing: the actions that API and tasks run, on a PostgreSQL and a model server of their own. A slope "
        "is the exponent between two sizes: 0 for the same cost at any size, 1 for a cost in proportion to it.",
    )
    dice = random.Random(11)
    curves: Curves = {}
    async with made_up(collection, dice) as library:
        queries = list(made_up_queries(collection, library, dice))
        for size in SIZES:
            began = time.perf_counter()
            await library.grow(size)
            print(f"{size:,} resources after {time.perf_counter() - began:.0f} s", file=sys.stderr)
            await _look(report, curves, library, queries, size)
    _tell(report, curves)
    return report


async def _look(report: Report, curves: Curves, library: Library, queries: list[str], size: int) -> None:
    def note(what: str, who: str, unit: str, value: float) -> None:
        curves.setdefault((what, who, unit), {}).setdefault(size, []).append(value)

    tables = await index_tables(report, size)
    note("index", "Pharos", "MB", sum(tables.values()))
    for _ in range(ROUNDS):
        for mode in MODES:
            note("search p95", mode, "ms", percentile(await timed(library.account, queries, mode), 95))
        changed, indexed = await _update(report, library)
        note("update p95", "the row and its events", "ms", percentile(changed, 95))
        note("update p95", "its indexing", "ms", percentile(indexed, 95))
    memory = Memory()
    memory.look({child.name(): child.pid for child in psutil.Process().children()})
    for name, who in (("postgres", "PostgreSQL"), ("python", "model server")):
        note("memory", who, "MB", next(peak for process, peak in memory.peaks.items() if process.startswith(name)))


async def _update(report: Report, library: Library) -> tuple[list[float], list[float]]:
    """Change some resources; return how long each change and the indexing after it took, milliseconds."""
    async with reading() as session:
        found = await session.scalars(text("SELECT id FROM resources ORDER BY random() LIMIT :most"), {"most": UPDATES})
        ids: list[UUID] = list(found)
    changed: list[float] = []
    indexed: list[float] = []
    versions = 0
    for id in ids:
        began = time.perf_counter()
        async with transaction() as session:
            row = await resources.change(session, library.account, id, library.new_text())
        kept = time.perf_counter()
        async with transaction() as session:
            await actions.index(session, id)
        indexed.append(1000 * (time.perf_counter() - kept))
        changed.append(1000 * (kept - began))
        versions += row["version"] > 1
    report.check("updates that made a new version", versions, len(ids))
    return changed, indexed


def _tell(report: Report, curves: Curves) -> None:
    for (what, who, unit), by_size in curves.items():
        for size, values in by_size.items():
            report.figure(f"{what} at {size:,}", who, unit, values)
    for (what, who, unit), by_size in curves.items():
        for before, size in pairwise(by_size):
            first, then = median(by_size[before]), median(by_size[size])
            if unit == "MB":
                added = 1024 * (then - first) / (size - before)
                report.figure(f"{what}, each resource from {before:,} to {size:,}", who, "KB", [added])
            report.figure(f"slope of {what}, {before:,} to {size:,}", who, "", [slope(before, first, size, then)])
    before, size = SIZES[-2:]
    for mode in MODES:
        by_size = curves["search p95", mode, "ms"]
        ratio = median(by_size[size]) / median(by_size[before])
        report.mark(f"{mode} search, p95 at {size:,} to that at {before:,}", ratio, "at most", RATIO, "x")


def slope(size: int, cost: float, larger: int, its_cost: float) -> float:
    """Return the exponent of the power law through two points."""
    return log(its_cost / cost) / log(larger / size)
