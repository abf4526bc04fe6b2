"""In which order an engine looks at the lanes of its queues, and how much of its room each class of work may fill."""

from collections.abc import Iterable
from itertools import groupby

from service.queue.layout import Layout, present_layout
from service.queue.task import NORMAL, Queue, queue_of

SUSPECT = "s"


class Lanes:
    """The lanes by rank, highest first; among those of equal rank, the one that was served last goes last."""

    def __init__(self, queues: Iterable[Queue]) -> None:
        self._queues = sorted(queues, key=lambda queue: (-queue.priority, queue.name))
        self.arrange(Layout())

    async def read_layout(self) -> None:
        """Arrange the lanes as Redis says; raises BrokerAway."""
        self.arrange(await present_layout())

    def arrange(self, layout: Layout) -> None:
        """Serve the lanes that are in use, and none of a queue that is paused."""
        self.layout = layout.version
        ranked = [lane for queue in self._queues for lane in queue.lanes(layout.ranks.get(queue.name, ()))]
        self.names = [name for name, *_ in ranked] + [f"{queue.name}:suspect" for queue in self._queues]
        served = [lane for lane in ranked if queue_of(lane[0]) not in layout.paused]
        served.sort(key=lambda lane: -lane[1])
        self._groups = [[name for name, *_ in group] for _, group in groupby(served, key=lambda lane: lane[1])]
        self._group = {name: group for group in self._groups for name in group}
        self._work = {name: work for name, _, work in ranked}
        open_queues = [queue.name for queue in self._queues if queue.name not in layout.paused]
        self._suspects = [word for name in open_queues for word in (f"{name}:suspect", SUSPECT)]
        self._order: list[str] | None = None

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
        self.claimed = dict.fromkeys("unb", 0)
        self.waiting = dict.fromkeys("unb", 0)  # of those claimed, for a place
        self.total = self.suspects = 0  # of those claimed

    @property
    def most(self) -> int:
        """The most that can run at a time."""
        return self.concurrency + 2 * self.reserve

    def admits(self, work: str) -> bool:
        """Tell whether one more of a class may run, by the same rule as `take`."""
        if self.total < self.concurrency:  # nearly always
            return True
        running = {other: self.claimed[other] - self.waiting[other] for other in self.claimed}
        own = running.pop(work)
        room = self.concurrency, self.concurrency + self.reserve - max(running.values())
        return own < min(*room, self.most - sum(running.values()))

    def add(self, work: str, by: int, *, suspect: bool) -> None:
        """Count `by` more (or less) of a class."""
        self.claimed[work] += by
        self.total += by
        self.suspects += by if suspect else 0
