"""What can be run (`Task`), where it waits (`Queue`), and one request to run it (`Dispatch`)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, ClassVar
from uuid import UUID, uuid5

from service.errors import PharosError

URGENT, NORMAL, BACKGROUND = "unb"  # classes of work; none can take all the room of a worker


class KeyMissing(PharosError):
    """{task} is one per {key}, but its arguments name none: {arguments}."""


@dataclass(frozen=True, slots=True)
class Queue:
    """A line of tasks; `priority` is 0 to 9, and 9 is the most urgent."""

    name: str
    priority: int

    registry: ClassVar[dict[str, "Queue"]] = {}

    def __post_init__(self) -> None:
        Queue.registry[self.name] = self

    @classmethod
    def named(cls, name: str) -> "Queue":
        """Return the declared queue, or one of middling priority where a stock producer made up a name."""
        return cls.registry.get(name) or Queue(name, 5)

    @property
    def lanes(self) -> tuple[tuple[str, float, str], ...]:
        """Name, rank (higher goes first) and class of each of its lists; bulk work is background in every queue."""
        work = URGENT if self.priority >= 8 else NORMAL if self.priority >= 4 else BACKGROUND
        return (self.name, self.priority, work), (f"{self.name}:bulk", self.priority / 10, BACKGROUND)


def queue_of(lane: str) -> str:
    """Return the name of the queue that a lane belongs to."""
    return lane.partition(":")[0]


@dataclass(frozen=True, slots=True)
class Task:
    """A kind of work: where it waits, how often and how soon it is tried again, and for how long it may run.

    `limit` and `backoff` are in seconds; `backoff` is the first pause, each further one doubles, up to 600 s.
    `key` names the argument by which requests coalesce: one task waits per value.
    """

    name: str
    queue: Queue
    retries: int = 3
    limit: float = 1800
    key: str | None = None
    backoff: float = 5


@dataclass(frozen=True)
class Dispatch:
    """A request, made by an event, to run a task.

    It runs `after` seconds from now; further requests with the same key postpone that, up to `at_most` seconds after
    the first. `batch` gathers up to that many keys into one run, which takes them as a list. `bulk` work yields to all
    other.
    """

    task: Task
    arguments: Mapping[str, Any]
    event_id: UUID
    after: float = 0
    at_most: float = 0
    bulk: bool = False
    correlation_id: str | None = None
    batch: int = 0
    positional: Sequence[Any] = ()  # these two as a dead letter of a stock producer brings them back
    options: Mapping[str, Any] = field(default_factory=dict[str, Any])

    @cached_property
    def key(self) -> str:
        """The value by which it coalesces; empty where the task has no key."""
        if self.task.key is None:
            return ""
        try:
            return str(self.arguments[self.task.key])
        except KeyError:
            raise KeyMissing(task=self.task.name, key=self.task.key, arguments=dict(self.arguments)) from None

    @cached_property
    def message_id(self) -> UUID:
        """The same for every repetition of the event, so that a repeated one is recognised."""
        return uuid5(self.event_id, f"{self.task.name} {self.key}")

    @property
    def slot(self) -> str:
        """What it shares with the requests that it coalesces with; empty where each one runs."""
        if self.task.key is None:
            return ""
        return f"{self.task.name}/*" if self.batch else f"{self.task.name}/{self.key}"

    @property
    def lane(self) -> str:
        return f"{self.task.queue.name}:bulk" if self.bulk else self.task.queue.name
