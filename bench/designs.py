"""Two whole systems with the same library: Pharos as `make up` starts it, and the design that it replaces."""

import asyncio
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass

import httpx
import redis

from bench import cranfield
from bench.servers import inherited, peers_python, process, row, servers, web_process
from bench.stack import Running, pharos
from service.search.inputs import INDEX_INPUT
from service.tasks import DOCUMENTS, HIGH_PRIORITY, INDEXING, ML_TASKS, QUEUES, URGENT

WORKERS = 2
CONCURRENCY = 4  # of each of the seeds' workers, as in their compose file
SOON = (URGENT, HIGH_PRIORITY, ML_TASKS, INDEXING, DOCUMENTS)  # the other queues gather for half a minute and more
BACKLOG = (URGENT, ML_TASKS)  # where the tasks that index, judge and forget wait
LIBRARY = 600.0  # seconds for a library to be derived

Text = tuple[str, str]  # title and content


@dataclass(frozen=True, slots=True)
class Design:
    """A running system, how to speak to it, and how to make sure of what it did."""

    name: str
    port: int
    headers: Mapping[str, str]
    ids: Sequence[str]
    options: Mapping[str, str]  # of a search
    workers: Running
    left: Callable[[], int]  # tasks that have not ended, those that wait for their time included
    backlog: Callable[[], int]  # those of them that index, judge and forget
    held: Callable[[], AbstractContextManager[None]]  # no worker takes a task until the block ends
    versions: Callable[[], int]  # of all resources together
    derived: Callable[[], int]  # resources that are indexed as they are, and were judged in the last minutes

    def settle(self, patience: float) -> float:
        """Wait until no task is left, or for `patience` seconds; return how long that was."""
        began = time.monotonic()
        while self.left() and time.monotonic() - began < patience:
            time.sleep(0.2)
        return time.monotonic() - began


def texts(count: int) -> list[Text]:
    """Return titles and abstracts of Cranfield, over again where there are not enough."""
    known = [(text["title"], text["body"]) for text in cranfield.load(cranfield.DATA).texts.values() if text["body"]]
    return [known[number % len(known)] for number in range(count)]


@contextmanager
def ours(library: Sequence[Text]) -> Generator[Design]:
    """Pharos: web, inference, workers and timetable."""
    with pharos(WORKERS=str(WORKERS)) as stack, redis.Redis.from_url(stack.broker_url) as broker:

        def waiting(queues: Sequence[str]) -> int:
            with broker.pipeline(transaction=False) as hop:
                for queue in queues:
                    hop.hlen(f"dramatiq:{queue}.msgs")
                return sum(hop.execute())

        def left(queues: Sequence[str] = tuple(queue.name for queue in SOON)) -> int:
            return waiting(queues) + row(stack.database_url, "SELECT count(*) FROM outbox")[0]

        @contextmanager
        def held() -> Generator[None]:
            with httpx.Client(base_url=stack.url, headers=stack.headers) as client:
                for queue in QUEUES:
                    client.post(f"/queues/{queue.name}/pause").raise_for_status()
                try:
                    yield
                finally:
                    for queue in QUEUES:
                        client.post(f"/queues/{queue.name}/resume").raise_for_status()

        class Workers:
            def processes(self) -> dict[str, int]:
                return {name: pid for name, pid in stack.processes().items() if name.startswith("worker")}

        design = Design(
            "Pharos",
            stack.port,
            stack.headers,
            asyncio.run(_created(stack.url, stack.headers, library)),
            {"mode": "keyword"},
            Workers(),
            left,
            lambda: waiting([queue.name for queue in BACKLOG]),
            held,
            lambda: row(stack.database_url, "SELECT sum(version)::int FROM resources")[0],
            lambda: row(stack.database_url, _OURS_DERIVED)[0],
        )
        _derived(design, len(library), lambda: left([queue.name for queue in QUEUES]))
        yield design


@contextmanager
def seeds(library: Sequence[Text]) -> Generator[Design]:
    """The design that we replace: FastAPI in one uvicorn process, Celery, on the same PostgreSQL and Valkey."""
    with servers() as place, redis.Redis.from_url(place.valkey.url(0)) as broker, ExitStack() as stack:
        environment = {
            **inherited(),
            "SEEDS_DATABASE_URL": place.postgres.url().replace("postgresql:", "postgresql+psycopg2:"),
            "SEEDS_BROKER_URL": place.valkey.url(0),
            "SEEDS_BACKEND_URL": place.valkey.url(1),
            "SEEDS_CACHE_URL": place.valkey.url(2),
        }
        python = peers_python()
        log = stack.enter_context((place.home / "celery.log").open("ab"))
        command = [str(python), "-m", "celery", "-A", "bench.peers.seeds:celery_app", "worker", "-l", "ERROR"]
        command += ["-c", str(CONCURRENCY), "-Q", "urgent,high_priority,ml_tasks,celery"]

        class Workers:
            running: ExitStack
            pids: dict[str, int]

            def start(self) -> None:
                self.running = ExitStack()
                self.pids = {
                    name: self.running.enter_context(
                        process([*command, "-n", f"{name}@%h"], environment, log.fileno())
                    ).pid
                    for name in (f"worker-{number + 1}" for number in range(WORKERS))
                }

            def stop(self) -> None:
                self.running.close()

            def processes(self) -> dict[str, int]:
                return self.pids

        def left() -> int:
            lists = [key for key in broker.scan_iter(count=1000) if broker.type(key) == b"list"]
            return sum(map(broker.llen, lists)) + broker.hlen("unacked")  # pyright: ignore

        @contextmanager
        def held() -> Generator[None]:
            workers.stop()
            try:
                yield
            finally:
                workers.start()

        url = place.postgres.url()
        web = stack.enter_context(
            web_process(python, "bench.peers.seeds:app", environment, "/openapi.json", factory=False)
        )
        ids = row(url, _SEEDS_ROWS, *map(list, zip(*library, strict=True)))["ids"]
        workers = Workers()
        workers.start()
        stack.callback(workers.stop)
        design = Design(
            "seeds' design",
            web.port,
            {},
            [str(id) for id in ids],
            {},
            workers,
            left,
            left,
            held,
            lambda: row(url, "SELECT sum(version)::int FROM seeds_resources")[0],
            lambda: row(url, _SEEDS_DERIVED)[0],
        )
        rename_all(design, "Title")
        _derived(design, len(library), left)
        yield design


def rename_all(design: Design, title: str) -> None:
    """Give every resource another title."""

    async def rename() -> None:
        async with httpx.AsyncClient(
            base_url=f"http://127.0.0.1:{design.port}", headers=dict(design.headers), timeout=60
        ) as client:
            free = asyncio.Semaphore(16)

            async def one(number: int, id: str) -> None:
                async with free:
                    (await client.put(f"/resources/{id}", json={"title": f"{title} {number}"})).raise_for_status()

            await asyncio.gather(*(one(number, id) for number, id in enumerate(design.ids)))

    asyncio.run(rename())


def _derived(design: Design, count: int, left: Callable[[], int]) -> None:
    """Wait until everything about a new library is derived."""
    deadline = time.monotonic() + LIBRARY
    while left() or design.derived() < count:
        if time.monotonic() > deadline:
            raise TimeoutError(
                f"{design.name}: {design.derived()} of {count} resources are derived, {left()} tasks left"
            )
        time.sleep(0.5)


async def _created(url: str, headers: Mapping[str, str], library: Sequence[Text]) -> list[str]:
    async with httpx.AsyncClient(base_url=url, headers=dict(headers), timeout=60) as client:
        free = asyncio.Semaphore(8)

        async def create(title: str, content: str) -> str:
            async with free:
                answer = await client.post(
                    "/resources", json={"title": title, "content": content, "language": "en", "type": "note"}
                )
            return answer.raise_for_status().json()["id"]

        return await asyncio.gather(*(create(*text) for text in library))


_OURS_DERIVED = f"""
SELECT count(*)::int FROM resources r
JOIN search_documents s ON s.resource_id = r.id AND s.input_hash = {INDEX_INPUT}
JOIN quality q ON q.resource_id = r.id AND q.computed_at >= r.updated_at
"""
_SEEDS_DERIVED = """
SELECT count(*)::int FROM seeds_resources r
JOIN seeds_search s ON s.resource_id = r.id
    AND s.words = setweight(to_tsvector('english', r.title), 'A') || to_tsvector('english', r.content)
JOIN seeds_quality q ON q.resource_id = r.id AND q.computed_at >= r.updated_at
"""
_SEEDS_ROWS = """
WITH added AS (
    INSERT INTO seeds_resources
        (id, title, content, language, private, type, authors, subjects, tags, word_count, status, version)
    SELECT gen_random_uuid(), title, content, 'en', false, 'note', '{}', '{}', '{}', 150, 'completed', 1
    FROM unnest($1::text[], $2::text[]) AS given(title, content) RETURNING id)
SELECT array_agg(id) AS ids FROM added
"""
