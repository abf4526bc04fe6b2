"""What Pharos needs for more load, computed from what the benchmarks measured, and the waiting that this predicts,
held against a simulation; it also writes the tables of docs/scaling.md.

    rates       requests, texts and tasks a second: those of `LOAD`, times a factor
    stations    what serves them: its servers, how long one thing takes (docs/benchmarks/*.json), how busy it may be
    waiting     Pollaczek and Khinchine for one server; Allen and Cunneen with Erlang's C for several
                (Gross and others, Fundamentals of Queueing Theory, chapters 3 and 7)
    simulation  every arrival of a Poisson process, first come first served, with dice of a fixed seed
"""

import heapq
import json
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from math import ceil, exp, log, sqrt
from pathlib import Path

from bench.charts import number as short
from bench.report import Report

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "scaling.md"
RESULTS = ROOT / "docs" / "benchmarks"

FACTORS = (1, 10, 100, 10_000)
BUSY = 0.6  # of the time, at most
CORES = 8  # of a machine
SERVER_CORES, SERVER_GB = 32, 128  # of the machine of PostgreSQL
BROKER_GB = 3  # maxmemory of compose.yaml
ARRIVALS, SEED = 50_000, 7

# From docs/performance.md, which measured them apart.
QUERY_VECTOR = 0.003  # s of the model server for the vector of a query


@dataclass(frozen=True, slots=True)
class Load:
    """An hour of a busy library: assumed, not measured. Everything grows by the same factor."""

    reads: float = 40  # requests a second
    searches: float = 8
    changes: float = 2  # each changes a text
    additions: float = 1  # texts a second
    resources: int = 50_000

    def times(self, factor: float) -> "Load":
        return Load(
            self.reads * factor, self.searches * factor, self.changes * factor, self.additions * factor,
            int(self.resources * factor),
        )  # fmt: skip

    @property
    def requests(self) -> float:
        return self.reads + self.searches + self.changes + self.additions

    @property
    def texts(self) -> float:
        """Texts a second from which everything is derived: a changed one is worth a new one."""
        return self.changes + self.additions

    @property
    def tasks(self) -> float:
        """Tasks a second that are measured: embed, index, quality, classify for each text."""
        return 4 * self.texts


@dataclass(frozen=True, slots=True)
class Cost:
    """A measured cost: the figure of a benchmark, and by what it is multiplied to be seconds, or bytes."""

    benchmark: str
    what: str
    who: str
    scale: float

    @property
    def value(self) -> float:
        return _figure(self.benchmark, self.what, self.who)[0] * self.scale

    @property
    def shown(self) -> str:
        value, unit = _figure(self.benchmark, self.what, self.who)
        return f"{short(value)} {unit}"


@cache
def _figure(benchmark: str, what: str, who: str) -> tuple[float, str]:
    report = json.loads((RESULTS / f"{benchmark}.json").read_text())
    [found] = [entry for entry in report["figures"] if (entry["what"], entry["who"]) == (what, who)]
    return found["median"], found["unit"]


COSTS = {
    "read": Cost("checks", "GET of a resource, processor time", "with", 0.001),
    "search": Cost("checks", "search, processor time", "with", 0.001),
    "change": Cost("checks", "PUT of a resource, processor time", "with", 0.001),
    "embed": Cost("derived", "embed", "Pharos", 1),
    "index": Cost("derived", "index", "Pharos", 0.001),
    "index, worker": Cost("derived", "index, without PostgreSQL", "Pharos", 0.001),
    "quality": Cost("derived", "quality", "Pharos", 0.001),
    "quality, worker": Cost("derived", "quality, without PostgreSQL", "Pharos", 0.001),
    "classify": Cost("derived", "classify", "Pharos", 0.001),
    "classify, worker": Cost("derived", "classify, without PostgreSQL", "Pharos", 0.001),
    "tasks": Cost("queue", "no-op tasks", "Pharos", 1),
    "waiting task": Cost("queue", "Redis, a waiting task", "Pharos", 1),
    "changes": Cost("put", "PUTs a second", "Pharos", 1),
    "found, 10,000": Cost("search", "10,000 resources, p50", "hybrid", 0.001),
    "found, 50,000": Cost("search", "50,000 resources, p50", "hybrid", 0.001),
    "found, 50,000, p95": Cost("search", "50,000 resources, p95", "hybrid", 0.001),
    "index of 50,000": Cost("search", "index of 50,000", "Pharos", 1e6),
}
MEANING = {
    "read": "the web process, a GET of a resource",
    "search": "the web process, a search",
    "change": "the web process, a PUT of a resource",
    "embed": "the model server and the task, a text of 1,000 words",
    "index": "a task that indexes that text, with PostgreSQL",
    "index, worker": "its processor time in the worker",
    "quality": "a task that judges it, with PostgreSQL",
    "quality, worker": "its processor time in the worker",
    "classify": "a task that classifies it, with PostgreSQL",
    "classify, worker": "its processor time in the worker",
    "tasks": "what one broker and one worker carried: the broker can do at least that",
    "waiting task": "memory of Redis",
    "changes": "what PostgreSQL wrote beside one web process: it can do at least that",
    "found, 10,000": "a hybrid search, with PostgreSQL",
    "found, 50,000": "the same",
    "found, 50,000, p95": "the same",
    "index of 50,000": "tables and indexes of the search, 250 words a text",
}


def cost(name: str) -> float:
    """Return a measured cost in seconds or bytes, or a rate a second."""
    return COSTS[name].value


def search_median(resources: float) -> float:
    """Return the median time of a hybrid search, s: on the line through the two largest measured libraries."""
    small, large = cost("found, 10,000"), cost("found, 50,000")
    return max(small, small + (large - small) / 40_000 * (resources - 10_000))


def search_spread() -> float:
    """Return the sigma of the lognormal distribution with the measured median and 95th percentile."""
    return log(cost("found, 50,000, p95") / cost("found, 50,000")) / 1.645


@dataclass(frozen=True, slots=True)
class Service:
    """How long one thing takes: its mean, s, its squared coefficient of variation, and a throw of the dice."""

    mean: float
    variation: float
    draw: Callable[[random.Random], float]


def mixture(*kinds: tuple[float, float]) -> Service:
    """Return a service that takes one of these times, s, each as often as its rate says."""
    rates, times = [rate for rate, _ in kinds], [time for _, time in kinds]
    mean = sum(rate * time for rate, time in kinds) / sum(rates)
    square = sum(rate * time**2 for rate, time in kinds) / sum(rates)
    return Service(mean, square / mean**2 - 1, lambda dice: dice.choices(times, rates)[0])


def lognormal(median: float, sigma: float) -> Service:
    return Service(median * exp(sigma**2 / 2), exp(sigma**2) - 1, lambda dice: dice.lognormvariate(log(median), sigma))


def _found(resources: float) -> Service:
    return lognormal(search_median(resources), search_spread())


@dataclass(frozen=True, slots=True)
class Station:
    """Servers of one kind: in `lines` groups, each with a queue of its own that arrivals are dealt to at random."""

    name: str
    rate: float  # arrivals a second, in all lines
    service: Service
    servers: int  # of one line
    lines: int = 1

    @property
    def utilisation(self) -> float:
        return self.rate * self.service.mean / (self.servers * self.lines)

    @property
    def waiting(self) -> float:
        """Mean time before the service begins, s."""
        busy = self.utilisation
        delayed = _erlang_c(self.servers, busy * self.servers)
        return (1 + self.service.variation) / 2 * delayed * self.service.mean / (self.servers * (1 - busy))


def _erlang_c(servers: int, offered: float) -> float:
    """Return the share of arrivals that wait at so many servers, with so much work offered (in servers)."""
    blocked = 1.0  # Erlang's B, by its recursion
    for number in range(1, servers + 1):
        blocked = offered * blocked / (number + offered * blocked)
    busy = offered / servers
    return blocked / (1 - busy + busy * blocked)


def servers_for(rate: float, mean: float) -> int:
    """Return how many servers are busy for `BUSY` of the time at most."""
    return max(1, ceil(rate * mean / BUSY))


def stations(load: Load) -> list[Station]:
    """Return what serves a load, each with as many servers as it takes."""
    web = mixture(
        (load.reads, cost("read")), (load.searches, cost("search")), (load.changes + load.additions, cost("change"))
    )
    parts = [cost(f"{name}, worker") for name in ("index", "quality", "classify")]
    worker = mixture(*((load.texts, part) for part in parts))
    model = mixture((load.texts, cost("embed")))  # queries go first, and are over before a text would notice
    searching = _found(load.resources)
    broker = mixture((1, 1 / cost("tasks")))
    vectors = load.texts * cost("embed") + load.searches * QUERY_VECTOR
    return [
        Station("web processes", load.requests, web, 1, servers_for(load.requests, web.mean)),
        Station("workers", 3 * load.texts, worker, servers_for(3 * load.texts, worker.mean)),
        Station("model server, cores", load.texts, model, servers_for(1, vectors)),
        Station("brokers", load.tasks, broker, 1, servers_for(load.tasks, broker.mean)),
        Station("search in PostgreSQL, cores", load.searches, searching, servers_for(load.searches, searching.mean)),
    ]


def simulate(station: Station, arrivals: int = ARRIVALS, seed: int = SEED) -> tuple[float, float]:
    """Return utilisation and mean waiting time, s, of a station that begins empty; its first tenth is left out."""
    dice = random.Random(f"{seed} {station.name} {station.rate}")
    free = [[0.0] * station.servers for _ in range(station.lines)]  # when each server is free again
    skipped = arrivals // 10
    now = began = waited = worked = 0.0
    for number in range(-skipped, arrivals - skipped):
        now += dice.expovariate(station.rate)
        line = free[dice.randrange(station.lines)]
        start = max(now, line[0])
        taken = station.service.draw(dice)
        heapq.heapreplace(line, start + taken)
        if number < 0:
            began = now
        else:
            waited += start - now
            worked += taken
    return worked / ((now - began) * station.servers * station.lines), waited / (arrivals - skipped)


def derived_in_postgres(load: Load) -> float:
    """Return the cores of PostgreSQL that index, judge and classify: what is no worker's time counts as its."""
    each = sum(cost(name) - cost(f"{name}, worker") for name in ("index", "quality", "classify"))
    return load.texts * each


def index_bytes(load: Load) -> float:
    return load.resources * cost("index of 50,000") / 50_000


def machines(load: Load) -> int:
    """Return the machines for web, workers and model servers, by their cores."""
    return ceil(sum(station.servers * station.lines for station in stations(load)[:3]) / CORES)


def limits() -> list[tuple[str, str, float]]:
    """Return what gives way, of what, and the factor from which on one server does not do any more."""
    base = Load()

    def searching(factor: float) -> float:
        load = base.times(factor)
        return load.searches * _found(load.resources).mean + derived_in_postgres(load)

    asked, carried = cost("changes"), cost("tasks")
    cores = _until(lambda factor: searching(factor) <= BUSY * SERVER_CORES)
    hour = base.tasks * 3600 * cost("waiting task")
    found = [
        ("searches", f"{SERVER_CORES} cores of one PostgreSQL, {BUSY:.0%} busy", cores),
        ("words and vectors", f"{SERVER_GB} GB of its memory", SERVER_GB * 1e9 / index_bytes(base)),
        ("writes of PostgreSQL", f"the {asked:,.0f} changes a second that were measured", asked / base.texts),
        ("commands of Redis", f"{BUSY:.0%} of the {carried:,.0f} tasks a second measured", BUSY * carried / base.tasks),
        ("memory of Redis", f"tasks of an hour without workers in {BROKER_GB} GB", BROKER_GB * 1e9 / hour),
    ]
    return sorted(found, key=lambda one: one[2])


def _until(holds: Callable[[float], bool]) -> float:
    """Return the greatest factor for which something holds that stops holding at some factor."""
    low, high = 1e-3, 1e6
    for _ in range(60):
        middle = sqrt(low * high)
        low, high = (middle, high) if holds(middle) else (low, middle)
    return low


def tables() -> dict[str, str]:
    """Return the tables of docs/scaling.md by their names."""
    return {"costs": _costs(), "machines": _machines(), "limits": _limits(), "simulation": _simulation()}


def _table(head: Sequence[str], rows: Iterator[Sequence[str]]) -> str:
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _costs() -> str:
    rows = ((f"[{one.benchmark}](BENCHMARKS.md#{one.benchmark})", f"{one.what}, {one.who}", one.shown, MEANING[name])
            for name, one in COSTS.items())  # fmt: skip
    lines = [["benchmark", "figure", "found", "what for"], ["---", "---", "---:", "---"], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _machines() -> str:
    loads = [Load().times(factor) for factor in FACTORS]

    def row(what: str, of: Callable[[Load], float | str]) -> list[str]:
        return [what, *(one if isinstance(one := of(load), str) else _round(one) for load in loads)]

    names = [station.name for station in stations(loads[0])]
    rows = [
        row("resources", lambda load: load.resources),
        row("requests a second", lambda load: load.requests),
        row("texts a second, new and changed", lambda load: load.texts),
        row("tasks a second", lambda load: load.tasks),
        *(row(f"**{name}**", lambda load, at=at: stations(load)[at].servers * stations(load)[at].lines)
          for at, name in enumerate(names)),
        row("the same at the cost of 50,000 resources", lambda load: servers_for(load.searches, _found(50_000).mean)),
        row("PostgreSQL, cores for what is derived", derived_in_postgres),
        row("writes, of what was measured", lambda load: _share(load.texts / cost("changes"))),
        row("index of the search, GB", lambda load: index_bytes(load) / 1e9),
        row("Redis, an hour without workers, GB", lambda load: load.tasks * 3600 * cost("waiting task") / 1e9),
        row(f"**machines of {CORES} cores** for web, workers, models", machines),
    ]  # fmt: skip
    return _table(["", *(f"{factor:,}x" for factor in FACTORS)], iter(rows))


def _limits() -> str:
    rows = ([what, of, f"{_round(factor)}x"] for what, of, factor in limits())
    return _table(["what gives way", "of", "from"], rows)


def _simulation() -> str:
    rows = (
        [station.name, f"{factor:,}x", f"{station.utilisation:.1%}", f"{busy:.1%}", _ms(station.waiting), _ms(waited)]
        for factor, station, (busy, waited) in compared()
    )
    return _table(["", "load", "busy, model", "busy, simulated", "waiting, model", "waiting, simulated"], rows)


@cache
def compared() -> list[tuple[int, Station, tuple[float, float]]]:
    """Return every station at every load, with what its simulation found; not those that so few arrivals never fill."""
    return [
        (factor, station, simulate(station))
        for factor in FACTORS
        for station in stations(Load().times(factor))
        if 20 * station.servers <= ARRIVALS
    ]


def _round(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:,.3g}"


def _share(value: float) -> str:
    return f"{value:.1%}" if value < 1 else f"{_round(value)} times"


def _ms(seconds: float) -> str:
    return f"{1000 * seconds:,.2f} ms" if seconds >= 5e-6 else "0 ms"


def filled(page: str) -> str:
    """Return the page with its tables computed anew."""
    for name, table in tables().items():
        before, begin, rest = page.partition(f"<!-- {name} -->\n")
        _, end, after = rest.partition(f"<!-- /{name} -->")
        if not begin or not end:
            raise ValueError(f"docs/scaling.md has no place for the table {name}")
        page = f"{before}{begin}{table}\n{end}{after}"
    return page


def run() -> Report:
    """Hold the model against the simulation, and write the tables of docs/scaling.md."""
    report = Report(
        "capacity",
        "The capacity model",
        f"Predicted utilisation and waiting, and those of {ARRIVALS:,} simulated arrivals at every station and load of"
        " [scaling.md](scaling.md). It measures nothing: its costs are those of the other benchmarks.",
    )
    busy = [abs(busy - station.utilisation) * 100 for _, station, (busy, _) in compared()]
    waiting = [abs(waited - station.waiting) / station.service.mean for _, station, (_, waited) in compared()]
    report.figure("utilisation, off the simulation's", "model", "points", busy)
    report.figure("waiting, off the simulation's", "model", "times the service", waiting)
    report.mark("utilisation, furthest from the simulation's", max(busy), "at most", 2, "points")
    report.mark("waiting, furthest from the simulation's, in times of the service", max(waiting), "at most", 0.1)
    PAGE.write_text(filled(PAGE.read_text()))
    return report
