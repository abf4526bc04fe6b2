"""What ended in which minute: workers count it, their heartbeats bring it to Redis, which keeps it for three hours.

Whoever keeps a history reads a minute when it is over. The fields of a minute are `<queue>|<task>|<status>`, a number
of tasks, and `<queue>|<bucket>`, a number of runs (`durations.py`).
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from threading import Lock

from service.queue.durations import bucket
from service.queue.link import NAMESPACE, client

RETRIED = "retried"  # besides the statuses that a task ends with


class Tally:
    """What ended in this process since it last told Redis; counted on one thread, told on another."""

    def __init__(self) -> None:
        self._counts: defaultdict[str, int] = defaultdict(int)
        self._lock = Lock()

    def count(self, queue: str, task: str, status: str, seconds: float) -> None:
        """Count one run that ended, or that is tried again."""
        with self._lock:
            self._counts[f"{queue}|{task}|{status}"] += 1
            self._counts[f"{queue}|{bucket(seconds)}"] += 1

    def take(self) -> dict[str, int]:
        """Return what was counted and begin anew; `give_back` what could not be told."""
        with self._lock:
            counts, self._counts = dict(self._counts), defaultdict(int)
        return counts

    def give_back(self, counts: Mapping[str, int]) -> None:
        """Count again what was taken."""
        with self._lock:
            for name, number in counts.items():
                self._counts[name] += number


@dataclass(slots=True)
class Ended:
    """What ended in a queue within a minute: by task and status, and how many runs by bucket of their duration."""

    tasks: dict[str, dict[str, int]] = field(default_factory=dict[str, dict[str, int]])
    durations: dict[int, int] = field(default_factory=dict[int, int])

    def total(self, status: str) -> int:
        """Return how many tasks have a status."""
        return sum(statuses.get(status, 0) for statuses in self.tasks.values())


async def ended_in(minutes: Sequence[int]) -> list[dict[str, Ended]]:
    """Return what ended in each of these minutes (since 1970), by queue; raises BrokerAway."""
    replies = await client().read(*[("HGETALL", f"{NAMESPACE}:minute:{minute}") for minute in minutes])
    return [_by_queue([word.decode("utf-8", "replace") for word in reply]) for reply in replies]


def _by_queue(flat: list[str]) -> dict[str, Ended]:
    queues: dict[str, Ended] = {}
    for name, value in zip(flat[::2], flat[1::2], strict=True):
        queue, _, rest = name.partition("|")
        ended = queues.setdefault(queue, Ended())
        task, _, status = rest.rpartition("|")
        if task:
            ended.tasks.setdefault(task, {})[status] = int(value)
        else:
            ended.durations[int(rest)] = int(value)
    return queues
