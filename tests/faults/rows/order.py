"""Order per key, and chains, while workers are killed."""

import asyncio
from collections import defaultdict
from collections.abc import Iterable

import dramatiq

from service.queue.broker import broker_of_process
from tests.faults import peer
from tests.faults.ledger import Effect, repeated
from tests.faults.program import APPEND, STEP
from tests.faults.row import Check, Found, row
from tests.faults.site import RUNNING, Job, Site, child_of

PER_KEY = 1000  # numbers of one key's jobs: 0 to 999 of key 0, 1000 to 1999 of key 1, ...


@row("order", "jobs of one key run in the order of their sending while workers are killed", long=[{"jobs": 100}])
async def order(site: Site, keys: int = 20, jobs: int = 20, kills: int = 2) -> Found:
    site.start(), site.start()
    await site.ready(2)
    for number in range(jobs):
        await site.send([Job(APPEND, {"n": key * PER_KEY + number, "key": key}) for key in range(keys)])
    async with site.kept():
        for kill in range(kills):
            await site.some_ended((kill + 1) * keys * jobs // (kills + 3))
            child_of(site.workers[0]).kill()
            await asyncio.sleep(3)
        await site.ended(120)
    checks = [Check("reordered", reordered(site.ledger.effects), 0)]
    return Found(len(site.ledger.missing), site.ledger.repeated, running=kills * RUNNING, checks=checks)


def reordered(effects: Iterable[Effect]) -> int:
    """Return how many jobs started before one sent earlier had ended, or again after one sent later had started.

    The last one of its key may run again: it had ended, and its worker died before it could say so.
    """
    started: defaultdict[int, int] = defaultdict(lambda: -1)  # key -> the last number that started
    ended: defaultdict[int, int] = defaultdict(lambda: -1)
    wrong = 0
    for effect in effects:
        key, number = divmod(effect.n, PER_KEY)
        if effect.what == "start":
            wrong += number < started[key] or number > ended[key] + 1
            started[key] = max(started[key], number)
        elif effect.what == "end":
            ended[key] = max(ended[key], number)
    return wrong


@row("chains", "pipelines of three steps while workers are killed", long=[{"count": 1000}])
async def chains(site: Site, count: int = 200, kills: int = 2) -> Found:
    """Duplicates are steps that ran again."""
    steps = 3
    site.start(), site.start()
    await site.ready(2)
    broker = peer.broker(site.valkey.url()) if site.stock else broker_of_process()

    def run() -> None:
        for n in range(count):
            messages = [
                peer.message(STEP.name, STEP.queue.name, {"n": n, "part": part, "of": steps}, pipe_ignore=True)
                for part in range(1, steps + 1)
            ]
            dramatiq.pipeline(messages, broker=broker).run()

    await asyncio.to_thread(run)
    site.ledger.accept(range(count))
    async with site.kept():
        for kill in range(kills):
            await site.some_ended((kill + 1) * count // (kills + 3))
            child_of(site.workers[0]).kill()
            await asyncio.sleep(3)
        await site.ended()
    broker.close()
    starts, ends = site.ledger.all("step"), site.ledger.all("stepped")
    first_start = {(effect.n, effect.detail): effect.at for effect in reversed(starts)}
    first_end = {(effect.n, effect.detail): effect.at for effect in reversed(ends)}
    wrong = sum(
        first_start[n, part + 1] < first_end.get((n, part), float("inf"))
        for n, part in first_end
        if (n, part + 1) in first_start
    )
    again = sum(repeated(effect for effect in starts if effect.detail == part) for part in range(1, steps + 1))
    return Found(
        len(site.ledger.missing), again, running=kills * RUNNING, checks=[Check("steps out of order", wrong, 0)]
    )
