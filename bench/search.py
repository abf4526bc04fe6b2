"""How search grows: times, size of the index and query plans at 1,000, 10,000 and 50,000 resources.

The texts are made of sentences of the Cranfield abstracts and of names that few others have, so that frequent and rare
words are spread as in prose; their vectors are what the model says of the abstracts, with noise. How well it finds is
measured by `cranfield`, the time of embedding by `ingest`.
"""

import asyncio
import os
import random
import sys
import time
from array import array
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

from sqlalchemy import text

from bench import cranfield
from bench.report import Report, WorkNotDone, percentile
from service import database, inference
from service.database import reading, transaction
from service.inference import MODEL, Vector
from service.migrations import migrate
from service.resources import actions as resources
from service.search import actions, keyword
from service.search.filters import Filters
from service.search.query import parse
from service.search.retrieval import Mode, search
from service.search.suggestions import suggest
from service.search.vectors import to_text
from service.security.accounts import Account, create_user
from service.security.permissions import ROLES
from service.settings import settings

SIZES = tuple(int(size) for size in os.environ.get("SIZES", "1000,10000,50000").split(","))
PASSAGES = 3  # of each resource
NOISE = 0.035  # standard deviation of each of 384 dimensions: a cosine of 0.8 to the vector it was made from
QUERIES = 200
MARKS = {("hybrid", 10_000): 60, ("hybrid", 50_000): 100, ("keyword", 10_000): 30, ("keyword", 50_000): 30}
SUGGESTED = 20  # ms
INDEX_MB = 1500  # of 50,000

_SIZES = text(
    """SELECT relname, pg_total_relation_size(oid) / 1e6 AS mb FROM pg_class
    WHERE relname IN ('search_documents', 'search_terms', 'search_words', 'search_corpora', 'chunks', 'embeddings')"""
)
_CHUNKS = text(
    """INSERT INTO chunks (resource_id, ordinal, start, "end", text, embedding)
    SELECT CAST(id AS uuid), ordinal, 0, 100, passage, CAST(vector AS halfvec)
    FROM unnest(CAST(:ids AS text[]), CAST(:ordinals AS int[]), CAST(:passages AS text[]), CAST(:vectors AS text[]))
        AS made(id, ordinal, passage, vector)"""
)
_EMBEDDINGS = text(
    """INSERT INTO embeddings (resource_id, input_hash, model, mean, chunk_count, truncated)
    SELECT CAST(id AS uuid), '', :model, CAST(vector AS vector), :chunks, false
    FROM unnest(CAST(:ids AS text[]), CAST(:vectors AS text[])) AS made(id, vector)"""
)


def run() -> Report:
    """Fill a library step by step, and ask at each size."""
    return cranfield.with_model(_measure)


async def _measure(collection: cranfield.Collection) -> Report:
    report = Report(
        "search",
        "Search at three sizes",
        f"{QUERIES} queries, one after the other and none twice: a third of one or two words, a third of three or "
        "four, the others questions, phrases and operators. Texts of about 250 words, three passages each. The actions "
        "that the API runs, on a PostgreSQL and a model server of their own.",
    )
    dice = random.Random(7)
    async with made_up(collection, dice) as library:
        queries = list(made_up_queries(collection, library, dice))
        for size in SIZES:
            began = time.perf_counter()
            indexed = await library.grow(size)
            report.figure(f"indexing one text, up to {size:,}", "Pharos", "ms", [1000 * indexed])
            print(f"{size:,} resources after {time.perf_counter() - began:.0f} s", file=sys.stderr)
            await _ask(report, library.account, queries, size)
            await _sizes(report, size)
            report.details[f"plan of a keyword search at {size}"] = await _plan(library.account)
    return report


@asynccontextmanager
async def made_up(collection: cranfield.Collection, dice: random.Random) -> AsyncGenerator["Library"]:
    """Connect to servers that are empty, and yield a library of the account `bench` that can grow there."""
    await migrate(settings().database_url or "")
    async with database.connected("bench", 16, 4), inference.connected():
        await cranfield.model_server()
        async with transaction() as session:
            user = await create_user(session, "bench", "admin")
        library = Library(collection, dice, Account(user.id, user.username, "admin", ROLES["admin"]))
        await library.read()
        yield library


class Library:
    """Texts with vectors, made on demand; the same ones every time."""

    def __init__(self, collection: cranfield.Collection, dice: random.Random, account: Account) -> None:
        self._texts = [one for one in collection.texts.values() if one["body"]]
        self._dice, self.account = dice, account
        self._sentences = [[s.strip() for s in one["body"].split(" .") if s.strip()] for one in self._texts]
        syllables = [a + b for a in "bdfgklmnprstvz" for b in ("a", "e", "i", "o", "u", "an", "or", "el")]
        self.names = ["".join(dice.choices(syllables, k=dice.randint(2, 4))) for _ in range(60_000)]
        self._vectors: list[list[float]] = []
        self._size = 0

    async def read(self) -> None:
        """Have the model read the abstracts."""
        free = asyncio.Semaphore(8)

        async def one(document: Any) -> list[float]:
            async with free:
                embedded = await inference.embed_passages(document["title"], document["body"])
            return list(memoryview(embedded.passages[0].vector).cast("f"))

        self._vectors = list(await asyncio.gather(*(one(document) for document in self._texts)))

    def name(self) -> str:
        """Return a name; few are frequent, most are rare."""
        return self.names[min(int(self._dice.paretovariate(0.35)) - 1, len(self.names) - 1)]

    def new_text(self) -> dict[str, Any]:
        """Return the fields of a resource."""
        return self._text(self._dice.randrange(len(self._texts)))

    def _text(self, about: int) -> dict[str, Any]:
        own = self._sentences[about]
        sentences = self._dice.choices(own, k=6) + [
            self._dice.choice(self._dice.choice(self._sentences)) for _ in range(5)
        ]
        named = [f"{sentence} {self.name()}" for sentence in sentences]
        title = f"{self._texts[about]['title']} {self.name()}"
        return {"title": title, "content": ". ".join(named), "language": "en", "authors": [self.name().title()]}

    def _near(self, about: int) -> Vector:
        vector = [value + self._dice.gauss(0, NOISE) for value in self._vectors[about]]
        length = sum(value * value for value in vector) ** 0.5
        return array("f", [value / length for value in vector]).tobytes()

    async def grow(self, size: int) -> float:
        """Add resources until there are `size`; return how long indexing one took, seconds."""
        free, took = asyncio.Semaphore(4), 0.0

        async def index(resource_id: UUID) -> None:
            nonlocal took
            async with free:
                began = time.perf_counter()
                async with transaction() as session:
                    await actions.index(session, resource_id)
                took += time.perf_counter() - began

        added = size - self._size
        while self._size < size:
            about = [self._dice.randrange(len(self._texts)) for _ in range(min(250, size - self._size))]
            self._size += len(about)
            async with transaction() as session:
                made = [
                    (await resources.create(session, self.account, self._text(one), source="content")).id
                    for one in about
                ]
            await asyncio.gather(*(index(id) for id in made))
            await self._give_meaning(about, made)
        async with database.engine().connect() as connection:
            await (await connection.execution_options(isolation_level="AUTOCOMMIT")).execute(text("VACUUM ANALYZE"))
        return took / added

    async def _give_meaning(self, about: Sequence[int], made: Sequence[UUID]) -> None:
        rows = [
            (str(id), number, self._near(one))
            for id, one in zip(made, about, strict=True)
            for number in range(PASSAGES)
        ]
        passages = [" ".join(self._dice.choice(self._sentences[one])[:400] for _ in range(2)) for one in about]
        async with transaction() as session:
            await session.execute(
                _CHUNKS,
                {
                    "ids": [id for id, *_ in rows],
                    "ordinals": [number for _, number, _ in rows],
                    "passages": [passages[place // PASSAGES] for place in range(len(rows))],
                    "vectors": [to_text(vector) for *_, vector in rows],
                },
            )
            means = [to_text(vector) for *_, vector in rows[::PASSAGES]]
            ids = [str(id) for id in made]
            await session.execute(_EMBEDDINGS, {"ids": ids, "vectors": means, "model": MODEL, "chunks": PASSAGES})


def made_up_queries(collection: cranfield.Collection, library: Library, dice: random.Random) -> Iterator[str]:
    """Yield queries of all kinds."""
    questions = list(collection.queries.values())
    words = sorted({word for question in questions for word in question.split() if len(word) > 3 and word.isalpha()})
    for number in range(QUERIES):
        match number % 9:
            case 0:
                yield library.name()
            case 1:
                yield dice.choice(words)
            case 2:
                yield f"{dice.choice(words)} {library.name()}"
            case 3 | 4 | 5:
                yield " ".join(dice.sample(words, dice.randint(3, 4)))
            case 6:
                yield questions[number % len(questions)]
            case 7:
                first = dice.choice(questions).split()
                start = dice.randrange(len(first) - 1)
                yield f'"{first[start]} {first[start + 1]}" {dice.choice(words)}'
            case _:
                yield f"({dice.choice(words)} OR {dice.choice(words)}) AND {dice.choice(words)}"


async def timed(account: Account, queries: Sequence[str], mode: Mode) -> list[float]:
    """Return how long each query took, milliseconds; WorkNotDone where most found nothing."""
    filters = Filters(account.id)
    for query in queries[:20]:
        await search(query + " warm", filters, mode)
    times: list[float] = []
    found = 0
    for query in queries:
        answer = await search(query, filters, mode)
        if answer.degraded:
            raise WorkNotDone(f"{query} was answered without {answer.degraded}")
        times.append(answer.took_ms)
        found += bool(answer.items)
    if found < len(queries) / 2:
        raise WorkNotDone(f"only {found} of {len(queries)} queries found anything by {mode}")
    return times


async def _ask(report: Report, account: Account, queries: Sequence[str], size: int) -> None:
    filters = Filters(account.id)
    modes: tuple[Mode, ...] = ("keyword", "semantic", "hybrid")
    for mode in modes:
        times = await timed(account, queries, mode)
        for percent in (50, 95):
            report.figure(f"{size:,} resources, p{percent}", mode, "ms", [percentile(times, percent)])
        if (mode, size) in MARKS:
            mark = MARKS[mode, size]
            report.mark(f"{mode} search of {size:,}, p95", percentile(times, 95), "at most", mark, "ms")
    times: list[float] = []
    found = 0
    for query in queries:
        beginning = query.strip('()" ').split()[0][:3]
        began = time.perf_counter()
        async with reading() as session:
            found += len(await suggest(session, beginning, filters, 8))
        times.append(1000 * (time.perf_counter() - began))
    report.figure(f"{size:,} resources, p95", "suggestions", "ms", [percentile(times, 95)])
    report.checks[f"suggestions at {size:,}"] = [found]
    if size >= 10_000:
        report.mark(f"suggestions of {size:,}, p95", percentile(times, 95), "at most", SUGGESTED, "ms")


async def index_tables(report: Report, size: int) -> dict[str, float]:
    """Make sure that all is indexed, and return the size of each table of the index, MB."""
    async with reading() as session:
        tables = {row.relname: float(row.mb) for row in await session.execute(_SIZES)}
        counted = await session.scalar(text("SELECT count(*) FROM search_documents WHERE weights IS NOT NULL"))
        chunks = await session.scalar(text("SELECT count(*) FROM chunks"))
    report.check(f"resources indexed, of {size:,}", (counted, chunks), (size, size * PASSAGES))
    return tables


async def _sizes(report: Report, size: int) -> None:
    tables = await index_tables(report, size)
    for table, mb in sorted(tables.items()):
        report.figure(f"{table} at {size:,}", "Pharos", "MB", [mb])
    report.figure(f"index of {size:,}", "Pharos", "MB", [sum(tables.values())])
    if size == 50_000:
        report.mark("index of 50,000", sum(tables.values()), "at most", INDEX_MB, "MB")


async def _plan(account: Account) -> list[str]:
    query = parse("boundary layer heat transfer")
    async with reading() as session:
        rows = await session.execute(
            text("EXPLAIN (ANALYZE, BUFFERS, COSTS off) " + keyword._MATCHES.text),  # pyright: ignore[reportPrivateUsage]
            Filters(account.id).parameters | keyword.parameters(query, 200, []),
        )
        return [row[0] for row in rows]
