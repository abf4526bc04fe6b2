"""How tasks fare: counted in each process, added up over all of them in Redis every `TELL` seconds.

A task costs two additions; Redis gets one hop for all that ended meanwhile.
"""

import asyncio
from bisect import bisect_left
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field

from service.queue.delivery import Done, Outcome
from service.queue.link import NAMESPACE, BrokerAway, Command, client

TOTALS = f"{NAMESPACE}:__figures__"  # hash: <task>|<what> -> sum over all processes
BOUNDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 1800.0)  # seconds
RETRIED = "retried"
TELL = 2.0  # seconds


@dataclass(slots=True)
class TaskFigures:
    """One task's: tries by how they ended, their time in seconds, and how many took up to each of `BOUNDS`, or more."""

    outcomes: dict[str, int] = field(default_factory=dict[str, int])
    seconds: float = 0.0
    buckets: list[int] = field(default_factory=lambda: [0] * (len(BOUNDS) + 1))

    @property
    def tries(self) -> int:
        """How many tries ended."""
        return sum(self.buckets)


_counted: dict[str, TaskFigures] = {}  # since Redis was last told


def count(task: str, outcome: Outcome, seconds: float) -> None:
    """Count a try that has ended."""
    figures = _counted.get(task)
    if figures is None:
        figures = _counted[task] = TaskFigures()
    status = outcome.status if isinstance(outcome, Done) else RETRIED
    figures.outcomes[status] = figures.outcomes.get(status, 0) + 1
    figures.seconds += seconds
    figures.buckets[bisect_left(BOUNDS, seconds)] += 1


async def tell() -> None:
    """Add what was counted to the sums of all processes; raises BrokerAway, and then it is counted on."""
    global _counted
    counted, _counted = _counted, {}
    if not counted:
        return
    try:
        await client().read(*(command for task, figures in counted.items() for command in _additions(task, figures)))
    except BaseException:
        for task, figures in counted.items():
            _add(_counted.setdefault(task, TaskFigures()), figures)
        raise


async def telling() -> None:
    """Tell again and again, until cancelled; what is left then is told last."""
    try:
        while True:
            await asyncio.sleep(TELL)
            with suppress(BrokerAway):
                await tell()
    finally:
        with suppress(BrokerAway):
            await tell()


async def totals() -> dict[str, TaskFigures]:
    """Return the sums of all processes, by task; raises BrokerAway."""
    [flat] = await client().read(("HGETALL", TOTALS))
    found: dict[str, TaskFigures] = {}
    for name, value in zip(flat[::2], flat[1::2], strict=True):
        task, _, what = name.decode().rpartition("|")
        figures = found.setdefault(task, TaskFigures())
        if what == "seconds":
            figures.seconds = float(value)
        elif what.isdecimal():
            figures.buckets[int(what)] = int(value)
        else:
            figures.outcomes[what] = int(value)
    return found


def _additions(task: str, figures: TaskFigures) -> list[Command]:
    counts: Mapping[str, int] = figures.outcomes | {str(at): by for at, by in enumerate(figures.buckets) if by}
    commands: list[Command] = [("HINCRBY", TOTALS, f"{task}|{what}", by) for what, by in counts.items()]
    return [*commands, ("HINCRBYFLOAT", TOTALS, f"{task}|seconds", repr(figures.seconds))]


def _add(to: TaskFigures, more: TaskFigures) -> None:
    for status, by in more.outcomes.items():
        to.outcomes[status] = to.outcomes.get(status, 0) + by
    to.seconds += more.seconds
    to.buckets = [one + other for one, other in zip(to.buckets, more.buckets, strict=True)]
