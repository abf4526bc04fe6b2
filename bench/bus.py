"""The event bus beside others: events a second with one and with ten handlers, synchronous and asynchronous.

Sizes, for a run on a small machine: BUS_ROUNDS, BUS_SECONDS.
"""

import asyncio
import json
import os
import statistics
import subprocess
import sys
from collections import defaultdict
from collections.abc import Mapping, Sequence
from itertools import product
from typing import Any
from uuid import uuid4

from structlog.testing import capture_logs

from bench.machine import versions
from bench.report import Report, WorkNotDone
from bench.servers import ROOT, inherited, peers_python
from service.bus import EventBus
from service.events import Envelope
from service.resources.events import ResourceUpdated

ROUNDS = int(os.environ.get("BUS_ROUNDS", "7"))
SECONDS = float(os.environ.get("BUS_SECONDS", "0.5"))
QUICK = 0.3  # seconds
PEERS = ["pyee", "pyee-plain", "blinker", "bubus"]
PLAIN = "pyee-plain"  # a list of callbacks: it cannot call asynchronous handlers, so it is shown and not raced
NAMES = {"pharos": "Pharos", "loop": "a bare loop", PLAIN: "pyee, synchronous only"}
CELLS = [("sync", 1), ("async", 1), ("sync", 10), ("async", 10)]
REMARKS = (
    "Pharos isolates, times and counts each handler, and one handler more, which hears every event, keeps the last "
    "1,000 as history. A running Pharos has its history in PostgreSQL: the relay writes it, before it emits.",
    "Asynchronous handlers here end without waiting, so that nothing but the buses is timed.",
    "blinker calls handlers one after the other, and one that fails keeps those after it from being called; pyee has a "
    "task for each asynchronous one; bubus keeps a history of 50.",
    "Beside the mark: pyee's synchronous EventEmitter, which can call no asynchronous handler, and where one that "
    "fails keeps those after it from being called; and a loop over a list of handlers, the limit of the language.",
)


def run() -> Report:
    """Measure every bus in turn, each time in a process of its own."""
    report, rates = _measure(["pharos", "loop", *PEERS], ROUNDS, SECONDS)
    report.remarks += REMARKS
    for kind, number in CELLS:
        middle = {bus: statistics.median(rates[kind, number, bus]) for bus in PEERS if bus != PLAIN}
        best = max(middle, key=lambda bus: middle[bus])
        ratio = statistics.median(rates[kind, number, "pharos"]) / middle[best]
        report.mark(f"{_said(kind, number)}, times the best peer ({best})", ratio, "at least", 2, "x")
    return report


def quick() -> Report:
    """Measure ours and a bare loop, which need no other packages."""
    report, rates = _measure(["pharos", "loop"], 1, QUICK)
    for kind, number in CELLS:
        ours, limit = (statistics.median(rates[kind, number, bus]) for bus in ("pharos", "loop"))
        report.figure(f"{_said(kind, number)}, of a bare loop's", "Pharos", "%", [100 * ours / limit])
    return report


def _measure(
    buses: Sequence[str], rounds: int, seconds: float
) -> tuple[Report, Mapping[tuple[str, int, str], list[float]]]:
    report = Report(
        "bus",
        "The event bus",
        f"One process and one event loop (uvloop); handlers that count. Medians of {rounds} x {seconds:g} s in "
        "turn. An emit ends when its handlers have; pyee's asynchronous ones are awaited after every 100.",
    )
    asyncio.run(_isolation(report))
    rates: defaultdict[tuple[str, int, str], list[float]] = defaultdict(list)
    found = versions(("uvloop",))
    for _ in range(rounds):
        for (kind, number), bus in product(CELLS, buses):
            if bus == PLAIN and kind == "async":
                continue
            outcome = _race(bus, kind, number, seconds)
            if outcome["ran"] != outcome["wanted"]:
                raise WorkNotDone(f"{bus}, {_said(kind, number)}: ran {outcome['ran']} of {outcome['wanted']}")
            rates[kind, number, bus].append(outcome["rate"])
            if outcome["version"]:
                found[bus.removesuffix("-plain")] = outcome["version"]
    report.checks["runs in which every handler ran for every event"] = [sum(map(len, rates.values()))]
    for (kind, number), bus in product(CELLS, buses):
        if (kind, number, bus) in rates:
            report.figure(_said(kind, number), NAMES.get(bus, bus), "1/s", rates[kind, number, bus])
    report.details["versions"] = found
    return report, rates


def _said(kind: str, number: int) -> str:
    return f"{number} {kind} handler{'s' if number > 1 else ''}"


def _race(bus: str, kind: str, number: int, seconds: float) -> dict[str, Any]:
    python = sys.executable if bus in ("pharos", "loop") else str(peers_python())
    done = subprocess.run(
        [python, "-m", "bench.peers.buses", bus, kind, str(number), str(seconds)],
        cwd=ROOT,
        env=inherited() | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    if done.returncode:
        raise RuntimeError(f"{bus}, {number} {kind}: {done.stderr[-2000:]}")
    return json.loads(done.stdout.splitlines()[-1])


async def _isolation(report: Report) -> None:
    """Make sure that handlers that fail or hang cost the others nothing."""
    bus, heard = EventBus(limit=0.05), []

    def fails(envelope: Envelope) -> None:
        raise ValueError("as it should")

    async def fails_later(envelope: Envelope) -> None:
        await asyncio.sleep(0)
        raise ValueError("as it should")

    async def hangs(envelope: Envelope) -> None:
        await asyncio.Event().wait()

    bad = (fails, fails_later, hangs)
    for handler in bad:
        bus.on(ResourceUpdated, handler)
        bus.on(ResourceUpdated, lambda envelope, after=handler: heard.append(after))
    with capture_logs():
        await bus.emit(Envelope(ResourceUpdated(resource_id=uuid4(), changed_fields=["title"], user_id=None), "bench"))
    report.check("handlers called after one that failed, failed late, or hung", len(heard), len(bad))
    report.check("failures counted", [bus.statistics[handler].failures for handler in bad], [1, 1, 1])
