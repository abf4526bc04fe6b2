"""What it costs to keep derived data true: the reconciler's look at 100,000 resources, and the work of one text.

The library of the scan is synthetic, and everything in it is derived as it should be: that is what a scan finds nearly
always. The texts that are embedded and judged are different from each other, of 1,000 words each.
"""

import asyncio
import os
import random
import statistics
import sys
import time
from collections.abc import Awaitable, Callable
from functools import partial
from uuid import UUID

import psutil
from sqlalchemy import text

from bench.classification import PACKAGE, articles
from bench.cranfield import model_server
from bench.debian import unpacked
from bench.graph import _rank
from bench.report import Report, WorkNotDone
from bench.servers import process, servers
from service import database, inference
from service.authors.normalization import AUTHORS_INPUT
from service.database import reading, transaction
from service.graph.resolution import NODE_INPUT
from service.inference import MODEL, embed_passages
from service.ingestion.given import CITATIONS_VERSION
from service.migrations import migrate
from service.quality import actions as quality
from service.quality.assessment import assess
from service.quality.inputs import SOURCE_INPUT
from service.resources import actions as resources
from service.search import actions as search
from service.search.inputs import EMBEDDING_INPUT, INDEX_INPUT, LABELS_INPUT
from service.security.accounts import Account, create_user
from service.security.permissions import ROLES
from service.settings import settings
from service.taxonomy import meanings, predictions
from service.taxonomy.state import CURRENT
from workers.maintenance import SWEEPS

SIZE = int(os.environ.get("SIZE", "100000"))
TEXTS = int(os.environ.get("TEXTS", "60"))
LENGTH = 1000  # words
HARMED = 50
ROUNDS = 3
SCAN, JUDGED, EMBEDDED, CHUNKS = 5, 60, 0.5, 28  # s, ms, CPU s, a CPU s

_FILL = [
    """INSERT INTO resources (id, owner_id, private, title, url, canonical_url, type, language, authors, subjects, tags,
        content, content_hash, word_count, status, version, updated_at)
    SELECT uuid_in(md5(n::text)::cstring), :owner, n % 20 = 0, 'Resource ' || n, 'https://example.org/' || n,
        'https://example.org/' || n, 'webpage', 'en', ARRAY['Author ' || n % 997], ARRAY['Subject ' || n % 97], '{}',
        'A sentence about thing ' || n, md5(n::text), 240, 'completed', 1, now() - interval '1 day'
    FROM generate_series(1, :size) n""",
    f"""INSERT INTO embeddings (resource_id, input_hash, model, mean, chunk_count, truncated)
    SELECT r.id, {EMBEDDING_INPUT}, '{MODEL}', array_fill(0.05, ARRAY[384])::vector, 2, false FROM resources r""",
    """INSERT INTO chunks (resource_id, ordinal, start, "end", text, embedding)
    SELECT r.id, n, 0, 20, r.content, array_fill(0.05, ARRAY[384])::halfvec
    FROM resources r, generate_series(0, 1) n""",
    f"""INSERT INTO quality (resource_id, overall, accuracy, completeness, consistency, timeliness, relevance, computed,
        reasons, input_hash, source_hash)
    SELECT r.id, .5, .5, .5, .5, .5, .5, '{{}}', '{{}}', '', {SOURCE_INPUT}
    FROM resources r JOIN embeddings e ON e.resource_id = r.id""",
    f"""INSERT INTO classifications
        (resource_id, is_predicted, rank, category_id, confidence, assigned, input_hash, model)
    SELECT r.id, true, n, (SELECT id FROM categories ORDER BY id OFFSET n LIMIT 1), .5, n = 0, e.input_hash, {CURRENT}
    FROM resources r JOIN embeddings e ON e.resource_id = r.id, generate_series(0, 4) n""",
    f"""INSERT INTO search_documents
        (resource_id, configuration, input_hash, labels_hash, tsv, length, labels, truncated)
    SELECT r.id, 'simple', {INDEX_INPUT}, {LABELS_INPUT}, to_tsvector('simple', r.content), 5, '{{}}', false
    FROM resources r""",
    f"""INSERT INTO graph_nodes (resource_id, input_hash, keys)
    SELECT r.id, {NODE_INPUT}, ARRAY['url:' || r.url] FROM resources r""",
    f"""INSERT INTO citation_readings (resource_id, input_hash)
    SELECT r.id, md5('{CITATIONS_VERSION} ' || r.content_hash) FROM resources r""",
    """INSERT INTO citations (id, resource_id, position, kind, value, text, keys, target_id)
    SELECT gen_random_uuid(), r.id, 0, 'url', '', '', '{}',
        uuid_in(md5((1 + floor(random() * :size))::int::text)::cstring)
    FROM resources r""",
    f"INSERT INTO author_readings (resource_id, input_hash) SELECT r.id, {AUTHORS_INPUT} FROM resources r",
]


def run() -> Report:
    """Look through a library that is as it should be, then do the work of texts one by one, then embed many at once."""
    report = Report(
        "derived",
        "Keeping derived data true",
        f"The reconciler's sweeps over {SIZE:,} resources with nothing to do, {ROUNDS} times, and then with {HARMED} "
        f"of them harmed; {TEXTS} texts of 1,000 words, each embedded, classified, judged and indexed on its own, with "
        "the processor time of the task's process and of the model server; then the same embedded eight at a time.",
    )
    texts = _texts()
    with servers() as place, (place.home / "inference.log").open("wb") as log:
        environment = place.environment(PHAROS_INFERENCE_SOCKET=str(place.home / "inference"))
        os.environ |= environment
        settings.cache_clear()
        with process([sys.executable, "-m", "workers.inference"], environment, log.fileno()) as server:
            asyncio.run(_scan(report))
            asyncio.run(_work(report, texts, psutil.Process(server.pid)))
    return report


def _texts() -> list[tuple[str, str]]:
    """Return texts of a little over 1,000 words, each of several articles of FOLDOC."""
    made: list[tuple[str, str]] = []
    words: list[str] = []
    for article in articles(unpacked(PACKAGE) / "usr" / "share" / "dictd"):
        words += f"{article.title}. {article.text}".split(" ")
        if len(words) >= LENGTH:
            made.append((article.title, " ".join(words)))
            words = []
        if len(made) == TEXTS:
            return made
    raise WorkNotDone(f"FOLDOC has only {len(made)} texts of {LENGTH} words.")


async def _owner() -> Account:
    async with transaction() as session:
        user = await create_user(session, f"bench-{random.random()}", "admin")
    return Account(user.id, user.username, "admin", ROLES["admin"])


async def _scan(report: Report) -> None:
    await migrate(settings().database_url or "")
    async with database.connected("bench", 4, 2), inference.connected():
        owner = await _owner()
        await model_server()
        await _categories()
        async with transaction() as session:
            await session.execute(text("DROP INDEX ix_chunks_embedding"))  # no sweep looks at it
            for statement in _FILL:
                values = {"owner": owner.id, "size": SIZE, "weights": quality._weights()}
                await session.execute(text(statement), {k: v for k, v in values.items() if f":{k}" in statement})
        await _rank()
        async with database.engine().connect() as connection:
            await connection.execute(text("VACUUM ANALYZE"))
        by_sweep: dict[str, list[float]] = {name: [] for name in SWEEPS}
        totals: list[float] = []
        for _ in range(ROUNDS):
            began = time.perf_counter()
            for name in SWEEPS:
                took, found = await _timed(partial(_sweep, name))
                by_sweep[name].append(took)
                report.check(f"found by {name} where all is as it should be", found, 0)
            totals.append(time.perf_counter() - began)
        report.figure("all sweeps", "Pharos", "s", totals)
        for name, took in by_sweep.items():
            report.figure(f"sweep: {name}", "Pharos", "s", took)
        report.mark(f"reconcile scan of {SIZE:,} resources", statistics.median(totals), "at most", SCAN, "s")
        async with transaction() as session:
            await session.execute(
                text("DELETE FROM quality WHERE resource_id IN (SELECT id FROM resources ORDER BY id LIMIT :most)"),
                {"most": HARMED},
            )
        took, found = await _timed(partial(_sweep, "quality"))
        report.check("found where some was lost", found, HARMED)


async def _sweep(name: str) -> int:
    async with transaction() as session:
        found = await SWEEPS[name](session)
    return sum(found.values()) if isinstance(found, dict) else int(found)


async def _timed(function: Callable[[], Awaitable[int]]) -> tuple[float, int]:
    began = time.perf_counter()
    found = await function()
    return time.perf_counter() - began, found


async def _categories() -> None:
    while True:
        async with reading() as session:
            drafts = await meanings.drafted(session)
        if not drafts:
            return
        made = [(draft, (await embed_passages(draft.title, draft.text)).mean) for draft in drafts]
        async with transaction() as session:
            await meanings.keep(session, made)


async def _work(report: Report, texts: list[tuple[str, str]], server: psutil.Process) -> None:
    async with database.connected("bench", 8, 2), inference.connected():
        async with transaction() as session:
            await session.execute(text("TRUNCATE resources CASCADE"))
        owner = await _owner()
        ids: list[UUID] = []
        for title, content in texts:
            async with transaction() as session:
                fields = {"title": title, "content": content, "language": "en"}
                ids.append((await resources.create(session, owner, fields, source="content")).id)
        steps: dict[str, Callable[[UUID], Awaitable[object]]] = {
            "embed": _embed, "index": _index, "quality": _judge, "classify": _classify,
        }  # fmt: skip
        cost: dict[str, list[float]] = {name: [] for name in steps}
        took: dict[str, list[float]] = {name: [] for name in steps}
        for id in ids:
            for name, step in steps.items():
                before, began = _processor_time(server), time.perf_counter()
                assert await step(id), (name, id)
                took[name].append(1000 * (time.perf_counter() - began))
                cost[name].append(_processor_time(server) - before)
        report.figure("embed", "Pharos", "CPU s", cost["embed"])
        report.mark(
            "embed a text of 1,000 words", statistics.median(report.figures[-1].values), "at most", EMBEDDED, "CPU s"
        )
        del took["embed"], cost["embed"]
        for name in took:
            report.figure(name, "Pharos", "ms", took[name])
            report.figure(f"{name}, without PostgreSQL", "Pharos", "ms CPU", [1000 * one for one in cost[name]])
        together = list(map(sum, zip(*took.values(), strict=True)))
        report.figure("classify, quality and index", "Pharos", "ms", together)
        report.mark("classify, quality and index", statistics.median(together), "at most", JUDGED, "ms")
        async with transaction() as session:
            await session.execute(text("TRUNCATE embeddings, chunks"))
        before = _processor_time(server)
        room = asyncio.Semaphore(8)

        async def again(id: UUID) -> None:
            async with room:
                assert await _embed(id)

        await asyncio.gather(*map(again, ids))
        spent = _processor_time(server) - before
        async with reading() as session:
            made = await session.scalar(text("SELECT count(*) FROM chunks")) or 0
            embedded = await session.scalar(text("SELECT count(*) FROM embeddings"))
        report.check("texts embedded", embedded, TEXTS)
        report.details["chunks"] = made
        report.figure("embed many", "Pharos", "chunks/CPU s", [made / spent])
        report.mark("chunks of 128 word pieces a CPU second", made / spent, "at least", CHUNKS, "chunks")


def _processor_time(server: psutil.Process) -> float:
    """Return the processor seconds of this process and of the model server."""
    return time.process_time() + sum(server.cpu_times()[:2])


async def _embed(id: UUID) -> bool:
    async with reading() as session:
        draft = await search.drafted(session, id)
    assert draft is not None
    embedded = await embed_passages(draft.title, draft.content)
    async with transaction() as session:
        return await search.keep_embedding(session, draft, embedded)


async def _index(id: UUID) -> bool:
    async with transaction() as session:
        return await search.index(session, id)


async def _judge(id: UUID) -> bool:
    async with reading() as session:
        draft = await quality.drafted(session, id)
    assert draft is not None
    assessment = assess(draft.evidence)
    async with transaction() as session:
        return await quality.keep(session, draft, assessment)


async def _classify(id: UUID) -> bool:
    async with reading() as session:
        draft = await predictions.drafted(session, id)
    assert draft is not None
    made = draft.predictions()
    async with transaction() as session:
        return await predictions.keep(session, draft, made)
