"""A web process that accepts changes while Redis is away."""

import asyncio
import sys
import time
from collections import Counter
from statistics import median

import httpx
import redis.asyncio
from sqlalchemy import text

from service import database
from service.embedded import free_port
from tests.faults.ledger import percentile
from tests.faults.row import Check, Found, row
from tests.faults.site import Site
from tests.queue.conftest import until

RATE = 100  # changes a second
SPANS = 5
TOKEN = "pharos-faults-token-of-forty-three-characters"


@row(
    "web-without-redis", "a web process accepts 100 changes a second with Redis away",
    short=[{"seconds": 10}], long=[{"seconds": 60}],
    peer="it has no outbox: `send()` in a request fails, or the task is lost",
)  # fmt: skip
async def web_without_redis(site: Site, seconds: int) -> Found:
    """Each change is a new resource: its event must be in the log once, and its tasks in the queue."""
    port = free_port()
    command = [sys.executable, "-m", "uvicorn", "--factory", "service.app:create_app", "--port", str(port)]
    site.run([*command, "--no-access-log"], {"PHAROS_ADMIN_TOKEN": TOKEN})
    async with httpx.AsyncClient(
        base_url=f"http://127.0.0.1:{port}",
        headers={"Authorization": f"Bearer {TOKEN}"},
        limits=httpx.Limits(max_connections=50),
        timeout=10,
    ) as client:

        async def answers() -> bool:
            try:
                return (await client.get("/health")).is_success
            except httpx.TransportError:
                return False

        await until(answers, 40)
        ids: list[str] = []
        refused: Counter[int] = Counter()

        async def change(number: int, took: list[float]) -> None:
            began = time.monotonic()
            answer = await client.post("/resources", json={"title": f"Lamp {number}", "content": f"It shines {number}"})
            took.append(time.monotonic() - began)
            if answer.is_success:
                ids.append(answer.json()["id"])
            else:
                refused[answer.status_code] += 1

        async def changes(count: int) -> float:
            """Return the p99 in ms, the median of spans: a stall of the machine falls into one of them."""
            took: list[float] = []
            began = time.monotonic()
            async with asyncio.TaskGroup() as group:
                for number in range(count):
                    group.create_task(change(number, took))
                    await asyncio.sleep(max(0.0, began + number / RATE - time.monotonic()))
            span = max(1, len(took) // SPANS)
            return median(percentile(took[n : n + span], 99) for n in range(0, span * SPANS, span)) * 1000

        await changes(2 * RATE)  # warm
        before = await changes(min(seconds, 20) * RATE)
        site.redis.end()
        during = await changes(seconds * RATE)
        site.redis.start()
        back_at = time.monotonic()
        while time.monotonic() - back_at < 60 and await _waiting():
            await asyncio.sleep(0.05)
        flushed = time.monotonic() - back_at
    known = await _events()
    tasks = await _tasks(site)
    checks = [
        Check("changes refused", sum(refused.values()), 0),
        Check(f"p99 of {len(ids):,} changes beyond {before:.0f} ms", during - before, 50, " ms"),
        Check("flushed after", flushed, 30, " s"),
        Check("changes without their task", len(set(ids) - tasks), 0),
    ]
    return Found(len(set(ids) - known.keys()), sum(known.values()) - len(known), checks=checks)


async def _waiting() -> bool:
    async with database.reading() as session:
        return bool(await session.scalar(text("SELECT EXISTS (SELECT FROM outbox)")))


async def _events() -> Counter[str]:
    """Return how often the log tells of each new resource."""
    async with database.reading() as session:
        rows = await session.execute(
            text("SELECT subject::text, count(*) FROM events WHERE name = 'resource.created' GROUP BY subject")
        )
        return Counter(dict(rows.all()))


async def _tasks(site: Site) -> set[str]:
    """Return the resources for which a task waits."""
    async with redis.asyncio.Redis.from_url(site.valkey.url(), decode_responses=True) as client:
        slots = await client.hkeys("dramatiq:__slots__")
    return {slot.partition("/")[2] for slot in slots}
