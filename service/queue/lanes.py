"""In which order an engine looks at the lanes of its queues, and how much of its room each class of work may fill."""

from collections.abc import Iterable
from itertools import groupby

from service.queue.task import NORMAL, Queue

SUSPECT = "s"


class Lanes:
    """The lanes by rank, highest first; among those of equal rank, the one that was served last goes last."""

    def __init__(self, queues: Iterable[Queue]) -> None:
        queues = sorted(queues, key=lambda queue: (-queue.priority, queue.name))
        ranked = sorted((lane for queue in queues for lane in queue.lanes), key=lambda lane: -lane[1])
        self._groups = [[name for name, *_ in group] for _, group in groupby(ranked, key=lambda lane: lane[1])]
        self._group = {name: group for group in self._groups for name in group}
        self._work = {name: work for name, _, work in ranked}
        self._suspects = [word for queue in queues for word in (f"{queue.name}:suspect", SUSPECT)]
        self._order: list[str] | None = None
        self.names = [name for name, *_ in ranked] + self._suspects[::2]

    def order(self, *, suspects: bool) -> list[str]:
        """Return lane, class, lane, class, ... for one turn; those of suspects first, if any may be taken."""
        if self._order is None:
            self._order = [word for group in self._groups for name in group for word in (name, self._work[name])]
        return self._suspects + self._order if suspects else self._order

    def served(self, lane: str) -> None:
        """Let the lanes of equal rank go before this one."""
        group = self._group.get(lane, [lane])
        if group[-1] != lane:
            group.remove(lane)
            group.append(lane)
            self._order = None

    def work(self, lane: str) -> str:
        """Return the class of what comes from a lane."""
        return self._work.get(lane, NORMAL)


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
