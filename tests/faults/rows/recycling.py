"""Worker processes that are replaced after so many tasks, under a steady load."""

import asyncio
import sys
import time
from statistics import median

import psutil
import redis.asyncio

from tests.faults.row import Check, Found, row
from tests.faults.site import Site, naps

RATE = 100  # jobs a second


@row(
    "recycling", "workers are replaced after every so many jobs, under load",
    short=[{"seconds": 36, "tasks": 200}], long=[{"seconds": 300, "tasks": 1000}],
    peer="its processes live until they are stopped",
)  # fmt: skip
async def recycling(site: Site, seconds: int, tasks: int) -> Found:
    """A worker lives for half a minute at least. The memory is that of the supervisor and its workers: the medians of the first and the last third."""
    variables = {"PHAROS_WORKERS": "2", "PHAROS_WORKER_TASKS": str(tasks)}
    site.run([sys.executable, "-m", "tests.faults.supervised"], variables)
    await site.ready(2)
    memory: list[float] = []
    began = time.monotonic()
    for number in range(seconds):
        await site.send(naps(range(number * RATE, (number + 1) * RATE), 0.01))
        memory.append(_memory(site))
        await asyncio.sleep(max(0.0, began + number + 1 - time.monotonic()))
    await site.ended()
    third = len(memory) // 3
    growth = median(memory[-third:]) / median(memory[:third])
    async with redis.asyncio.Redis.from_url(site.valkey.url(), decode_responses=True) as client:
        keys = [key async for key in client.scan_iter("dramatiq:*", count=1000) if not key.startswith("dramatiq:task:")]
    checks = [
        Check("worker processes", len({effect.pid for effect in site.ledger.starts}), 4, at_least=True),
        Check("memory of the last third over the first", growth, 1.3),
        Check("keys in Redis beside those of ended tasks", len(keys), 30),
    ]
    return Found(len(site.ledger.missing), site.ledger.repeated, checks=checks)


def _memory(site: Site) -> float:
    total = 0.0
    for process in site.processes():
        try:
            total += process.memory_info().rss
        except psutil.Error:
            continue
    return total
