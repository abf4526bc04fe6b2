"""What the checks before a route cost: Pharos beside itself without them.

Without: no limits of time, size and rate, no security headers, no check of origin, token and account; see
bench/peers/unchecked.py. Both run on one PostgreSQL and Valkey, and are asked in turn.
"""

import asyncio
import statistics
import sys
from dataclasses import dataclass, replace
from pathlib import Path

from bench.load import Plan, drive
from bench.machine import versions
from bench.put import BODY, JSON, TOKEN, created
from bench.report import Report
from bench.servers import Web, servers, web_process
from service.migrations import migrate

ROUNDS = 8
MOST = 0.05  # of the throughput


@dataclass(frozen=True, slots=True)
class Round:
    """One measurement of one of the two."""

    rate: float
    cpu_ms: float


def run() -> Report:
    """Measure reads, searches and changes with and without the checks."""
    report = Report(
        "checks",
        "What the checks cost",
        "32 clients on kept-alive connections with a user's token, one uvicorn process with the checks and one "
        f"without, {ROUNDS} rounds of 1 + 3 s in turn for each kind of request.",
    )
    kinds = {"GET of a resource": "GET", "search": "SEARCH", "PUT of a resource": "PUT"}
    measured: dict[tuple[str, str], list[Round]] = {}
    with servers() as place:
        asyncio.run(migrate(place.postgres.url()))
        environment = place.environment(PHAROS_ADMIN_TOKEN=TOKEN)
        python, headers = Path(sys.executable), {"Authorization": f"Bearer {TOKEN}"}
        with (
            web_process(python, "service.app:create_app", environment, "/health", factory=True) as ours,
            web_process(python, "bench.peers.unchecked:create_app", environment, "/health", factory=True) as bare,
        ):
            ids = [id for web in (ours, bare) for id in asyncio.run(created(web.port, headers))]
            for kind, method in kinds.items():
                paths = [f"/search?query=lighthouse&mode=keyword&offset={n % 50}" for n in range(50)]
                plan = Plan(
                    0,
                    "GET" if method == "SEARCH" else method,
                    paths if method == "SEARCH" else [f"/resources/{id}" for id in ids],
                    {**JSON, **headers},
                    BODY if method == "PUT" else "",
                    warmup=1,
                    seconds=3,
                )
                for number in range(ROUNDS):
                    both = [("with", ours), ("without", bare)]
                    for name, web in reversed(both) if number % 2 else both:  # what is left over burdens the next one
                        measured.setdefault((kind, name), []).append(_measure(web, plan, report))
    shares: list[float] = []
    for kind in kinds:
        for name in ("with", "without"):
            report.figure(f"{kind}, requests a second", name, "1/s", [one.rate for one in measured[kind, name]])
            report.figure(f"{kind}, processor time", name, "ms", [one.cpu_ms for one in measured[kind, name]])
        pairs = list(zip(measured[kind, "with"], measured[kind, "without"], strict=True))
        lost = [1 - checked.rate / bare.rate for checked, bare in pairs]
        report.figure(f"{kind}, throughput that the checks take", "with", "", lost)
        report.figure(f"{kind}, processor time more", "with", "ms", [a.cpu_ms - b.cpu_ms for a, b in pairs])
        shares.append(statistics.median(lost))
        report.mark(f"throughput that the checks take, {kind}", statistics.median(lost), "at most", MOST)
    report.figure("throughput that the checks take, mean of the kinds", "with", "", [statistics.mean(shares)])
    report.details["versions"] = versions(("starlette", "uvicorn", "uvloop", "asyncpg", "redis"))
    return report


def _measure(web: Web, plan: Plan, report: Report) -> Round:
    began = web.cpu_seconds()
    outcome = drive(replace(plan, port=web.port))
    report.check("answers other than 200", outcome.answered - outcome.statuses.get("200", 0), 0)
    return Round(outcome.rate, 1000 * (web.cpu_seconds() - began) / outcome.answered)
