"""Several processes of the timetable, of which the leader is killed, and no Redis over two slots."""

import asyncio
import signal
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid5

import redis.asyncio
from redis.exceptions import RedisError

from schedules.clock import SLOTS
from tests.faults.ledger import repeated
from tests.faults.program import TICK, numbered
from tests.faults.row import Check, Found, row
from tests.faults.site import Site
from tests.faults.timetable import SECONDS
from tests.queue.conftest import until

LEADER = "dramatiq:__leader__"


def slots(since: float, to: float) -> Iterator[int]:
    """Yield the numbers of the slots between two times."""
    first = int(since // SECONDS + 1) * SECONDS
    for at in range(first, int(to) + 1, SECONDS):
        yield numbered(uuid5(SLOTS, f"{TICK.name} {datetime.fromtimestamp(at, UTC).isoformat()}"))


async def boundary() -> None:
    """Wait until a slot is about to begin."""
    await asyncio.sleep(SECONDS - 0.05 - time.time() % SECONDS)


@row(
    "schedulers", "3 schedulers, the leader killed at a slot; then Redis away over 2 slots", recovery=15,
    peer="periodiq knows no leader, and ends when Redis is away",
)  # fmt: skip
async def schedulers(site: Site) -> Found:
    command = [str(Path(sys.executable).with_name("periodiq")), "tests.faults.timetable"]
    site.start()
    await site.ready(1)
    async with redis.asyncio.Redis.from_url(site.valkey.url(), decode_responses=True) as client:

        async def leader() -> str | None:
            try:
                return await client.get(LEADER)
            except RedisError:
                return None

        first = site.run(command)
        before = await until(leader, 20)
        others = [site.run(command), site.run(command)]
        await until(lambda: site.ledger.starts, 20)
        began = site.ledger.starts[0].at
        await boundary()
        first.kill()
        killed_at = time.time()

        async def another() -> bool:
            return await leader() not in (None, before)

        await until(another, 40)
        takeover = time.time() - killed_at
        await boundary()
        site.redis.end()
        await asyncio.sleep(2 * SECONDS)
        site.redis.start()
    last = time.time()
    await asyncio.sleep(SECONDS)
    site.ledger.accept(slots(began, last))
    await site.ended(20)
    alive = sum(other.poll() is None for other in others)
    for other in others:
        other.send_signal(signal.SIGTERM)
    checks = [Check("schedulers that live", alive, 2, at_least=True)]
    return Found(len(site.ledger.missing), repeated(site.ledger.starts), takeover, checks=checks)
