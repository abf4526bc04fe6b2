"""Bursts, floods and repetition."""

import asyncio
import time
from collections import Counter

from tests.faults.ledger import percentile
from tests.faults.program import GRIND, HASTEN, SAVE
from tests.faults.row import Check, Found, row
from tests.faults.site import Job, Site, child_of, naps


@row(
    "coalescing", "a burst of calls on each of many keys, a promoter killed midway",
    short=[{"calls": 200, "keys": 50, "seconds": 3}], long=[{"calls": 1000, "keys": 100, "seconds": 5}],
    peer="it does not coalesce: every call would run",
)  # fmt: skip
async def coalescing(site: Site, calls: int, keys: int, seconds: float) -> Found:
    after, at_most = 2.0, 30.0
    victim, _ = site.start(), site.start()
    await site.ready(2)
    began = time.monotonic()
    for version in range(calls):
        if version == calls // 2:
            child_of(victim).kill()
        await site.send([Job(SAVE, {"n": n, "version": version}, after, at_most) for n in range(keys)])
        await asyncio.sleep(max(0.0, began + seconds * version / calls - time.monotonic()))
    last_at = time.time()
    sending = time.monotonic() - began
    await site.ended(40)
    await asyncio.sleep(2)  # a second run would come now
    runs = Counter(effect.n for effect in site.ledger.ends)
    stale = sum(effect.detail != calls - 1 for effect in site.ledger.ends)
    late = max((effect.at for effect in site.ledger.ends), default=float("inf")) - last_at
    checks = [
        Check(f"last run after the last of {calls * keys:,} calls in {sending:.1f} s", late, after + 1, " s"),
        Check("runs with an older state", stale, 0),
    ]
    return Found(len(site.ledger.missing), sum(runs.values()) - len(runs), checks=checks)


@row(
    "flood", "batch jobs queued, then 100 urgent ones; then urgent ones without end",
    short=[{"batch": 5000, "urgent": 2000}], long=[{"batch": 50_000, "urgent": 8000}],
)  # fmt: skip
async def flood(site: Site, batch: int, urgent: int) -> Found:
    site.start(), site.start()
    await site.ready(2)
    first = 1_000_000
    await site.send([Job(GRIND, {"n": n, "seconds": 0.02}) for n in range(batch)])
    await site.some_ended(50)
    hundred = range(first, first + 100)
    for n in hundred:
        await site.send([Job(HASTEN, {"n": n, "seconds": 0.02})])
        await asyncio.sleep(0.01)
    await _until_ended(site, hundred, 60)
    started = {effect.n: effect.at for effect in reversed(site.ledger.starts)}
    waits = [started.get(n, float("inf")) - site.ledger.accepted[n] for n in hundred]
    endless = range(first + 1000, first + 1000 + urgent)
    await site.send([Job(HASTEN, {"n": n, "seconds": 0.02}) for n in endless])
    began = len(site.ledger.ends)
    await _until_ended(site, endless[: urgent // 2], 60)
    ends = site.ledger.ends[began:]
    share = sum(effect.n < batch for effect in ends) / max(1, len(ends))
    left = sum(n < batch for n in site.ledger.missing)
    await site.ended(300)
    checks = [
        Check("urgent start p99", percentile(waits, 99), 1, " s"),
        Check("batch's share beside endless urgent work", share, 0.1, at_least=True),
        Check("batch jobs that still waited", left, 1, at_least=True),
    ]
    return Found(len(site.ledger.missing), site.ledger.repeated, checks=checks)


async def _until_ended(site: Site, numbers: range, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and site.ledger.missing & set(numbers):
        await asyncio.sleep(0.05)


@row("relayed-twice", "an event is relayed again after its task was done")
async def relayed_twice(site: Site, jobs: int = 100) -> Found:
    """Its messages arrive with the ids that they had; a worker was restarted in between."""
    worker = site.start()
    await site.ready(1)
    messages = site.messages(naps(range(jobs), 0))
    await site.post(messages)
    site.ledger.accept(range(jobs))
    await site.ended()
    worker.terminate()
    await asyncio.to_thread(worker.wait, 20)
    site.start()
    await site.ready(2)
    await site.post(messages)
    await site.send(naps([jobs], 0))
    await site.ended()
    await asyncio.sleep(0.5)
    return Found(len(site.ledger.missing), site.ledger.repeated)
