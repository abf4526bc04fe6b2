"""Redis and PostgreSQL that go away, freeze, forget, or answer into the void."""

import asyncio
import signal
import time
from collections import Counter

import redis.asyncio

from tests.faults.ledger import repeated
from tests.faults.program import QUERY
from tests.faults.proxy import Proxy
from tests.faults.row import Check, Found, row
from tests.faults.site import RUNNING, Job, Site, child_of, naps


@row(
    "redis-restart", "Redis restarts (append-only file), delayed jobs pending", recovery=5,
    short=[{"seconds": 4}], long=[{"seconds": 4}, {"seconds": 60}],
)  # fmt: skip
async def redis_restart(site: Site, seconds: float) -> Found:
    delayed = range(1000, 1020)
    site.start(), site.start()
    await site.ready(2)
    await site.send(naps(range(200), 0.1))
    await site.send(naps(delayed, 0, delay=3))
    due_at = time.time() + 3
    await site.some_ended(20)
    await asyncio.sleep(1.1)  # appendfsync everysec
    site.redis.end()
    await asyncio.sleep(seconds)
    site.redis.start()
    back_at = time.time()
    await site.send(naps([2000], 0))
    await site.ended()
    back = site.ledger.back_at(back_at)
    due = [effect.at - max(back_at, due_at) for effect in site.ledger.starts if effect.n in delayed]
    late = max(due) if len(due) >= len(delayed) else float("inf")
    checks = [Check("due jobs late by", late, 5, " s")]
    return Found(len(site.ledger.missing), site.ledger.repeated, back, 2 * RUNNING, checks)


@row("redis-flushed", "Redis killed with -9, then emptied; what is accepted afterwards flows", recovery=5)
async def redis_flushed(site: Site) -> Found:
    """What was derived from changes before comes back through the reconciler, which tests/journey shows."""
    site.start(), site.start()
    await site.ready(2)
    await site.send(naps(range(100), 0.2))
    await site.some_ended(5)
    site.redis.end(signal.SIGKILL)
    await asyncio.sleep(1)
    site.redis.start()
    async with redis.asyncio.Redis.from_url(site.valkey.url()) as client:
        await client.flushall()
    back_at = time.time()
    site.ledger.accepted.clear()  # emptied
    await site.send(naps(range(1000, 1050), 0))
    await site.ended()
    late = max((effect.at for effect in site.ledger.ends if effect.n >= 1000), default=float("inf")) - back_at
    return Found(len(site.ledger.missing), site.ledger.repeated, late, 2 * RUNNING)


@row(
    "redis-frozen", "Redis stands still (SIGSTOP)", recovery=5,
    short=[{"seconds": 3}, {"seconds": 13}], long=[{"seconds": 3}, {"seconds": 30}],
)  # fmt: skip
async def redis_frozen(site: Site, seconds: float) -> Found:
    site.start(), site.start()
    await site.ready(2)
    await site.send(naps(range(300), 0.1))
    await site.some_ended(20)
    with site.redis.frozen():
        await asyncio.sleep(seconds)
    back_at = time.time()
    await site.send(naps(range(1000, 1200), 0.1))
    await site.ended()
    back = site.ledger.back_at(back_at)
    alive = {effect.pid for effect in site.ledger.starts if effect.at > back_at}
    consumers = len(alive & {child_of(worker).pid for worker in site.workers})
    checks = [Check("workers that take jobs", consumers, 2, at_least=True)]
    return Found(len(site.ledger.missing), site.ledger.repeated, back, 2 * RUNNING, checks)


@row(
    "lost-replies", "one reply in ten is dropped, with its connection", recovery=15,
    short=[{"jobs": 300}], long=[{"jobs": 2000}],
)  # fmt: skip
async def lost_replies(site: Site, jobs: int) -> Found:
    """Workers and producer speak to Redis through a proxy; recovery counts from the last acceptance."""
    async with Proxy(site.valkey.url(), 0).running() as proxy:
        site.use(proxy.url)
        site.start(), site.start()
        await site.ready(2)
        proxy.chance = 0.1
        for first in range(0, jobs, 10):
            await site.send(naps(range(first, first + 10), 0.02))
        accepted_at = time.time()
        await site.ended()
        proxy.chance = 0
        last = max((effect.at for effect in site.ledger.ends), default=float("inf"))
        checks = [Check("replies dropped", proxy.dropped, 15, at_least=True)]
        return Found(len(site.ledger.missing), site.ledger.repeated, max(0.0, last - accepted_at), checks=checks)


@row(
    "postgres-away", "PostgreSQL is away, then its pool exhausted", short=[{"seconds": 6}], long=[{"seconds": 30}]
)  # fmt: skip
async def postgres_away(site: Site, seconds: float) -> Found:
    """Tasks that query it are only tried again, whatever their count of attempts."""
    site.start(), site.start()
    await site.ready(2)
    await site.send([Job(QUERY, {"n": n, "seconds": 0.02}) for n in range(50)])
    await site.ended(30)
    site.postgres.end()
    try:
        await site.send([Job(QUERY, {"n": n, "seconds": 0.02}) for n in range(100, 150)])
        await asyncio.sleep(seconds)
    finally:
        site.postgres.start()
    back_at = time.time()
    await site.ended()
    back = max((effect.at for effect in site.ledger.ends), default=float("inf")) - back_at
    # Each waits for one of 2 connections, longer than the pool lets it.
    await site.send([Job(QUERY, {"n": n, "seconds": 1.5}) for n in range(200, 224)])
    await site.ended()
    tries = Counter(effect.n for effect in site.ledger.starts)
    checks = [
        Check("all done after", back, 35, " s"),
        Check("most tries of one", max(tries.values()), 2, at_least=True),
        Check("dead letters", len(await site.dead_letters()), 0),
    ]
    return Found(len(site.ledger.missing), repeated(site.ledger.ends), checks=checks)
