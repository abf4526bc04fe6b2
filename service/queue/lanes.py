"""In which order an engine looks at the lanes of its queues, and how much of its room each class of work may fill."""

from collections.abc import Iterable
from itertools import groupby
from math import lcm

from service.queue.task import NORMAL, Queue

SUSPECT = "s"


class Lanes:
    """The lanes by rank, highest first; lanes of equal rank take turns at going first."""

    def __init__(self, queues: Iterable[Queue]) -> None:
        queues = sorted(queues, key=lambda queue: (-queue.priority, queue.name))
        ranked = sorted((lane for queue in queues for lane in queue.lanes), key=lambda lane: -lane[1])
        groups = [[(name, work) for name, _, work in group] for _, group in groupby(ranked, key=lambda lane: lane[1])]
        self._orders = [
            [word for group in groups for lane in _rotated(group, turn) for word in lane]
            for turn in range(lcm(*map(len, groups)))
        ]
        self._suspects = [word for queue in queues for word in (f"{queue.name}:suspect", SUSPECT)]
        self.names = [name for name, *_ in ranked] + self._suspects[::2]
        self._work = {name.encode(): work for name, _, work in ranked}

    def order(self, taken: int, *, suspects: bool) -> list[str]:
        """Return lane, class, lane, class, ... after `taken` turns that took something; suspects first, if they may."""
        order = self._orders[taken % len(self._orders)]
        return self._suspects + order if suspects else order

    def work(self, lane: bytes) -> str:
        """Return the class of what comes from a lane."""
        return self._work.get(lane, NORMAL)


def _rotated(group: list[tuple[str, str]], turn: int) -> list[tuple[str, str]]:
    first = turn % len(group)
    return group[first:] + group[:first]


class Load:
    """What an engine runs, by class.

    Each class may fill `concurrency`, and an eighth more is kept free from any one class for the others, so that urgent
    work starts while bulk work fills the worker, and bulk work goes on (a tenth at least) under a flood of urgent work.
    """

    def __init__(self, concurrency: int) -> None:
        self.concurrency = concurrency
        self.reserve = max(1, concurrency // 8)
        self.running = dict.fromkeys("unb", 0)
        self.suspects = 0

    @property
    def most(self) -> int:
        """The most that can run at a time."""
        return self.concurrency + 2 * self.reserve

    @property
    def total(self) -> int:
        return sum(self.running.values())

    def add(self, work: str, by: int, *, suspect: bool) -> None:
        """Count `by` more (or less) of a class."""
        self.running[work] += by
        self.suspects += by if suspect else 0
