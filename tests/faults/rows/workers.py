"""Workers that die, and tasks that kill or block them."""

import asyncio
import signal
import subprocess
import sys
import time
from contextlib import suppress

import psutil

from service.embedded import has_ended
from tests.faults.ledger import percentile
from tests.faults.program import BLOCK, KILL
from tests.faults.row import Check, Found, row
from tests.faults.site import RUNNING, Job, Site, child_of, naps
from tests.queue.conftest import until


@row("kill-worker", "kill -9 one worker process under load", recovery=15, long=[{"jobs": 2000}])
async def killed_worker(site: Site, jobs: int = 400) -> Found:
    victim, _ = site.start(), site.start()
    await site.ready(2)
    await site.send(naps(range(jobs)))
    await site.some_ended(60)
    child = child_of(victim)
    child.kill()
    killed_at = time.time()
    await site.ended()
    rescued = site.ledger.rescued_after(killed_at, [child.pid])
    return Found(len(site.ledger.missing), site.ledger.repeated, rescued, RUNNING)


@row("kill-supervisor", "kill -9 the supervisor", recovery=15)
async def killed_supervisor(site: Site, jobs: int = 400) -> Found:
    workers = 2
    command = [sys.executable, "-m", "tests.faults.supervised"]
    if site.stock:  # Dramatiq's main process is what comes nearest
        command = [sys.executable, "-m", "dramatiq", "tests.faults.peer", "--processes", "2", "--threads", "8"]

    def start() -> subprocess.Popen[bytes]:
        return site.run(command, {"PHAROS_WORKERS": str(workers)})

    first = start()
    await site.ready(workers)
    await site.send(naps(range(jobs)))
    await site.some_ended(60)
    orphans = [process for process in site.processes() if process.pid != first.pid]
    first.kill()
    first.wait()
    killed_at = time.monotonic()
    while any(not has_ended(orphan, 0) for orphan in orphans) and time.monotonic() - killed_at < 30:
        await asyncio.sleep(0.05)
    gone = time.monotonic() - killed_at
    again_at = time.time()
    over = not site.ledger.missing  # by children that are orphans
    start()
    await site.ended()
    rescued = site.ledger.rescued_after(again_at, [orphan.pid for orphan in orphans])
    back = 0.0 if over else max(site.ledger.back_at(again_at), rescued)
    checks = [Check("its children gone", gone, 15, " s")]
    return Found(len(site.ledger.missing), site.ledger.repeated, back, 2 * RUNNING, checks)


@row("rolling-restart", "SIGTERM to one worker after the other under load", long=[{"jobs": 3000, "rounds": 3}])
async def rolling_restart(site: Site, jobs: int = 500, rounds: int = 1) -> Found:
    seconds = 0.4
    old = [site.start(), site.start()]
    await site.ready(2)
    await site.send(naps(range(jobs), seconds))
    slowest, codes, started = 0.0, 0, 2
    for _ in range(rounds):
        new = []
        for worker in old:
            new.append(site.start())
            started += 1
            await site.ready(started)
            began = time.monotonic()
            worker.send_signal(signal.SIGTERM)
            codes += abs(await asyncio.to_thread(worker.wait, 30))
            slowest = max(slowest, time.monotonic() - began)
        old = new
    await site.ended(120)
    checks = [Check("slowest stop", slowest, seconds + 2, " s"), Check("exit codes other than 0", codes, 0)]
    return Found(len(site.ledger.missing), site.ledger.repeated, checks=checks)


@row(
    "long-jobs", "jobs beyond the heartbeat's time-out with full prefetch, also bound to the processor",
    short=[{"seconds": 13}], long=[{"seconds": 32}],
)  # fmt: skip
async def long_jobs(site: Site, seconds: float) -> Found:
    site.start(), site.start()
    await site.ready(2)
    await site.send([Job(BLOCK, {"n": n, "seconds": seconds}) for n in range(2)])
    with suppress(AssertionError):  # a stock worker may hold both
        await until(lambda: len(site.ledger.starts) == 2)
    await site.send(naps(range(10, 26), seconds))
    await site.ended(8 * seconds)
    return Found(len(site.ledger.missing), site.ledger.repeated)


@row(
    "poison", "a task that ends its process: a bad pointer, and memory without end",
    short=[{"how": "pointer", "seconds": 6}, {"how": "memory", "seconds": 6}],
    long=[{"how": "pointer", "seconds": 20}, {"how": "memory", "seconds": 20}],
)  # fmt: skip
async def poison(site: Site, how: str, seconds: float) -> Found:
    """Measure the others before, and while it kills three workers. The kernel's part at the end of memory is ours."""
    site.start(), site.start()
    await site.ready(2)
    numbers = iter(range(1, 1_000_000))

    async def stream(over: asyncio.Event, most: float) -> list[int]:
        sent: list[int] = []
        end = time.monotonic() + most
        while not over.is_set() and time.monotonic() < end:
            sent.append(next(numbers))
            await site.send(naps(sent[-1:], 0.02))
            await asyncio.sleep(0.02)
        return sent

    async def guard() -> None:
        while True:
            for worker in site.workers:
                try:
                    child = child_of(worker)
                    if child.memory_info().rss > 500 * 2**20:
                        child.kill()
                except (psutil.Error, ValueError):
                    continue
            await asyncio.sleep(0.05)

    before = await stream(asyncio.Event(), seconds)
    await site.ended(10)
    usual = percentile(site.ledger.latencies(before), 99)
    over = asyncio.Event()
    guarding = asyncio.create_task(guard())
    async with site.kept():
        await site.send([Job(KILL, {"n": 0, "how": how})])
        del site.ledger.accepted[0]
        others = asyncio.create_task(stream(over, 100))

        async def finished() -> bool:
            started = [effect for effect in site.ledger.starts if effect.n == 0]
            return len(started) > 3 or bool(await site.dead_letters())

        with suppress(AssertionError):  # what it did by then is what is reported
            await until(finished, 90)
        over.set()
        during = await others
        await site.ended(40)
    guarding.cancel()
    starts = sum(effect.n == 0 for effect in site.ledger.starts)
    slow = percentile(site.ledger.latencies(during), 99)
    letters = await site.dead_letters()
    checks = [
        Check("starts", starts, 3),
        Check("dead letters, as poison", letters.count("poison"), 1, at_least=True),
        Check("other dead letters", len(letters) - letters.count("poison"), 0),
        Check(f"p99 of {len(during)} others (before: {usual * 1000:.0f} ms)", slow, max(2 * usual, 0.1), " s"),
    ]
    repeated = site.ledger.repeated - (starts - 1)
    return Found(len(site.ledger.missing), repeated, running=3 * RUNNING, checks=checks)
