"""No read that begins after a write was answered shows anything older, whatever becomes of the cache.

Two web processes, one of them over a connection that now and then loses a reply, eight writers, 32 readers. What a
finished read has shown counts as answered, too: reads never go back. The cache's Redis is killed and comes back with
what it had on disk, and is frozen.
"""

import asyncio
import os
import random
import signal
import socket
import subprocess
import sys
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from uuid import UUID

import httpx
import pytest

from service.settings import Settings
from tests.cache.conftest import until
from tests.cache.test_server import Redis
from tests.faults.proxy import Proxy
from tests.search.conftest import index

pytestmark = [pytest.mark.faults, pytest.mark.timeout(240)]

ROOT = Path(__file__).parents[2]
TOKEN = "a token of forty-three characters, for tests"
WRITERS, READERS, OPERATIONS = 8, 32, 4000
KINDS = ("resource", "search")


class Library:
    """What was written and what was seen, by resource."""

    def __init__(self) -> None:
        self.floor: Counter[str] = Counter()  # the version below which no read that begins now may be
        self.versions: dict[str, int] = {}  # by title; a title whose write was not answered yet is in none
        self.done: Counter[str] = Counter()
        self.wrong: list[str] = []

    def saw(self, kind: str, id: str, title: str, version: int | None, floor: int) -> None:
        """Judge what a read showed that began at this floor."""
        version = self.versions.get(title) if version is None else version
        self.done[kind] += 1
        if version is None:
            return
        if version < floor:
            self.wrong.append(f"{kind} {id}: version {version} ({title}) after {floor}")
        if self.versions.get(title, version) != version:
            self.wrong.append(f"{kind} {id}: {title} is not of version {version}")
        self.floor[id] = max(self.floor[id], version)


@pytest.fixture
async def redis_away(tmp_path: Path) -> AsyncIterator[Redis]:
    made = Redis(tmp_path / "own", durable=True)
    await made.start()
    yield made
    await made.end()


@pytest.fixture
async def webs(pharos: Settings, redis_away: Redis, tmp_path: Path) -> AsyncIterator[list[httpx.AsyncClient]]:
    """Clients of two web processes over the same library."""
    async with AsyncExitStack() as stack:
        proxy = await stack.enter_async_context(Proxy(redis_away.url, chance=0.003).running())
        clients: list[httpx.AsyncClient] = []
        for number, url in enumerate((redis_away.url, proxy.url)):
            with socket.socket() as taken:
                taken.bind(("127.0.0.1", 0))
                port = taken.getsockname()[1]
            environment = os.environ | {
                "PHAROS_CACHE_URL": url, "PHAROS_ADMIN_TOKEN": TOKEN, "PHAROS_RATE_LIMITS": "false",
                "PHAROS_HOME": str(tmp_path / f"web{number}"),
            }  # fmt: skip
            log = stack.enter_context((tmp_path / f"web{number}.log").open("wb"))
            command = [sys.executable, "-m", "uvicorn", "--factory", "service.app:create_app", "--port", str(port)]
            process = subprocess.Popen([*command, "--no-access-log"], cwd=ROOT, env=environment, stdout=log, stderr=log)
            stack.callback(process.wait)
            stack.callback(process.terminate)
            client = await stack.enter_async_context(
                httpx.AsyncClient(
                    base_url=f"http://127.0.0.1:{port}", headers={"Authorization": f"Bearer {TOKEN}"}, timeout=20
                )
            )

            async def answers(client: httpx.AsyncClient = client) -> bool:
                try:
                    return (await client.get("/health")).is_success
                except httpx.TransportError:
                    return False

            await until(answers, 60)
            clients.append(client)
        yield clients


async def test_no_read_is_older_than_a_write_that_was_answered(
    webs: list[httpx.AsyncClient], redis_away: Redis
) -> None:
    library, over, chance = Library(), asyncio.Event(), random.Random(11)
    ids: list[str] = []
    for number in range(4):
        made = await webs[0].post("/resources", json={"title": f"Lamp {number}", "content": "A lamp by the sea."})
        assert made.status_code == 201, made.text
        ids.append(made.json()["id"])
        assert await index(UUID(ids[-1]))
        library.floor[ids[-1]], library.versions[f"Lamp {number}"] = 1, 1

    async def write(number: int) -> None:
        count = 0
        while not over.is_set():
            count += 1
            id, title = chance.choice(ids), f"Lamp of writer {number}, the {count}th"
            answer = await chance.choice(webs).put(f"/resources/{id}", json={"title": title})
            assert answer.status_code == 200, answer.text
            version = answer.json()["version"]
            library.versions[title] = version
            library.floor[id] = max(library.floor[id], version)
            library.done["write"] += 1
            await asyncio.sleep(chance.random() / 5)

    async def read() -> None:
        while not over.is_set():
            web, floor = chance.choice(webs), Counter(library.floor)
            if chance.random() < 0.75:
                id = chance.choice(ids)
                answer = await web.get(f"/resources/{id}")
                assert answer.status_code == 200, answer.text
                shown = answer.json()
                assert answer.headers["etag"] == f'"{shown["version"]}"'
                library.saw("resource", id, shown["title"], shown["version"], floor[id])
            else:
                answer = await web.get("/search", params={"query": "lamp", "mode": "keyword"})
                assert answer.status_code == 200, answer.text
                for item in answer.json()["items"]:
                    library.saw("search", item["id"], item["title"], None, floor[item["id"]])

    async def harm() -> None:
        for _ in range(2):
            await asyncio.sleep(1)
            redis_away.signal(signal.SIGSTOP)
            await asyncio.sleep(2)
            redis_away.signal(signal.SIGCONT)
            await asyncio.sleep(1)
            await redis_away.end()
            await asyncio.sleep(0.5)
            await redis_away.start()
        await until(lambda: sum(library.done.values()) >= OPERATIONS, 120)
        over.set()

    try:
        async with asyncio.TaskGroup() as group:
            for number in range(WRITERS):
                group.create_task(write(number))
            for _ in range(READERS):
                group.create_task(read())
            group.create_task(harm())
    finally:
        over.set()
    assert library.wrong == []
    assert min(library.done[kind] for kind in ("resource", "search", "write")) > 100, library.done
    told = (await webs[0].get("/cache/stats")).json()
    assert told["by_prefix"]["resource"]["hits"] > 0  # the cache took part
    print(dict(library.done), {name: one["hits"] for name, one in told["by_prefix"].items()}, told["outages"])
