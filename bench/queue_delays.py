"""What tasks cost that wait, and how late those are that are due while a million others are not."""

import statistics
import time
from typing import Any

import psutil

from bench.contestants import Course, pharos
from bench.report import Report, percentile

DUE = 300  # tasks that become due while the others wait
WAITING = 100_000
NOTHING = 0.1  # megabytes; what a worker's memory grows by beyond that is more than nothing


def measure(report: Report, course: Any) -> None:
    """Let 100,000 tasks wait; delay 50,000, then a million, and look at the worker and at Redis."""
    with course(pharos()) as here:
        before = _used(here)
        here.send("noop", WAITING)
        each = (_used(here) - before) / WAITING
        report.check("tasks that wait", here.redis.hlen("dramatiq:default.msgs"), WAITING)
        report.figure("Redis, a waiting task", "Pharos", "bytes", [each])
        report.mark("Redis, a waiting task", each, "at most", 1024, "bytes")
    with course(pharos()) as here, here.workers() as workers:
        here.send("noop", 1000)
        here.until(1000)
        settled = _resident(workers)
        for number in (50_000, 1_000_000):
            before = _used(here)
            already = here.redis.zcard("dramatiq:default:due")
            here.send("later", number - already)
            report.check("tasks that are delayed", here.redis.zcard("dramatiq:default:due"), number)
            each = (_used(here) - before) / (number - already)
            report.figure(f"Redis, one of {number:,} delayed tasks", "Pharos", "bytes", [each])
            time.sleep(3)
            grown = _resident(workers) - settled
            report.figure(f"a worker's memory for {number:,} delayed tasks", "Pharos", "MB", [grown])
            report.mark(f"a worker's memory for {number:,} delayed tasks", grown, "at most", NOTHING, "MB")
            seen = len(here.lateness())
            here.send("due", DUE)
            deadline = time.monotonic() + 30
            while len(here.lateness()) < seen + DUE and time.monotonic() < deadline:
                time.sleep(0.05)
            late = here.lateness()[seen:]
            report.check("delayed tasks that became due and ran", len(late), DUE)
            what = f"lateness of a delayed task beside {number:,}"
            report.figure(f"{what}, p50", "Pharos", "ms", [statistics.median(late)])
            report.figure(f"{what}, p99", "Pharos", "ms", [percentile(late, 99)])
            report.mark(f"{what}, p99", percentile(late, 99), "at most", 100, "ms")


def _used(here: Course) -> int:
    return here.redis.info("memory")["used_memory"]  # pyright: ignore


def _resident(workers: list[psutil.Process]) -> float:
    return max(child.memory_info().rss for one in workers for child in one.children(recursive=True)) / 2**20
