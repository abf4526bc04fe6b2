"""What can be run (`Task`), where it waits (`Queue`), and one request to run it (`Dispatch`)."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha1
from typing import Any, ClassVar
from uuid import UUID

import orjson

from service.errors import PharosError

_UUID_5 = 5 << 76 | 0b10 << 62  # version and variant
_UUID_MASK = ~(0xF << 76 | 0b11 << 62)

URGENT, NORMAL, BACKGROUND = "unb"  # classes of work; none can take all the room of a worker


class BadPriority(PharosError):
    """A priority is a whole number from 0 to 9, and 9 is the most urgent: {priority!r} is none."""

    status = 422


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

    def lane(self, priority: int | None = None, *, bulk: bool = False) -> str:
        """Return the list that work of a priority (None: the queue's own) waits in; BadPriority outside 0 to 9."""
        if bulk:
            return f"{self.name}:bulk"
        return self.name if priority is None or checked(priority) == self.priority else f"{self.name}:{priority}"

    def lanes(self, ranks: Iterable[int] = ()) -> tuple[tuple[str, float, str], ...]:
        """Name, rank (higher goes first) and class of each of its lists; bulk work is background in every queue.

        There is one for the queue's own priority, one for bulk work, and one for each other of `ranks` that is in use.
        """
        ranked = [(self.lane(rank), float(rank), work_of(rank)) for rank in (self.priority, *ranks)]
        return *ranked, (self.lane(bulk=True), self.priority / 10, BACKGROUND)


def checked(priority: object) -> int:
    """Return a priority; BadPriority for what is none."""
    if type(priority) is not int or not 0 <= priority <= 9:
        raise BadPriority(priority=priority)
    return priority


def work_of(priority: int) -> str:
    """Return the class of work of a priority."""
    return URGENT if priority >= 8 else NORMAL if priority >= 4 else BACKGROUND


def queue_of(lane: str) -> str:
    """Return the name of the queue that a lane belongs to."""
    return lane.partition(":")[0]


def priority_of(lane: str) -> int:
    """Return the priority, 0 to 9, of what waits in a lane."""
    rank = lane.partition(":")[2]
    return int(rank) if rank.isdigit() else Queue.named(queue_of(lane)).priority


@dataclass(frozen=True, slots=True)
class Bound:
    """At most `most` runs at a time over all workers; with `seconds`, at most `most` starts in any such span.

    With `per_key` it holds for each key by itself. What has to wait keeps its place and costs no worker anything.
    """

    most: int
    seconds: float = 0
    per_key: bool = False


@dataclass(frozen=True, slots=True)
class Task:
    """A kind of work: where it waits, how often and how soon it is tried again, and for how long it may run.

    `limit`, `soft` and `backoff` are in seconds. A task is cancelled after `soft`, five sixths of its limit unless
    given, so that it can clean up, and given up at `limit`. `backoff` is the first pause between two tries, each
    further one doubles, up to 600 s. `key` names the argument by which requests coalesce: one task waits per value.
    Where the task is `ordered`, they do not coalesce: those of one key run one after the other, in the order of their
    sending, each when the one before has ended for good. `priority`, 0 to 9, is the queue's unless given. `bounds` hold
    back what would be too much.
    """

    name: str
    queue: Queue
    retries: int = 3
    limit: float = 1800
    key: str | None = None
    backoff: float = 5
    soft: float | None = None
    priority: int | None = None
    bounds: tuple[Bound, ...] = ()
    ordered: bool = False


@dataclass(frozen=True, slots=True)
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
    owner_id: UUID | None = None  # the person who asked for it

    @property
    def key(self) -> str:
        """The value by which it coalesces; empty where the task has no key."""
        if self.task.key is None:
            return ""
        try:
            return str(self.arguments[self.task.key])
        except KeyError:
            raise KeyMissing(task=self.task.name, key=self.task.key, arguments=dict(self.arguments)) from None

    @property
    def message_id(self) -> UUID:
        """The same for every repetition of the event, so that a repeated one is recognised."""
        return UUID(self.id)

    @property
    def id(self) -> str:
        """The message's id as a text: uuid5(event, task and key) of RFC 9562, at a fifth of the library's time."""
        digest = sha1(self.event_id.bytes + f"{self.task.name} {self.key}".encode(), usedforsecurity=False).digest()
        number = int.from_bytes(digest[:16]) & _UUID_MASK | _UUID_5
        text = f"{number:032x}"
        return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"

    @property
    def slot(self) -> str:
        """What it shares with the requests that it coalesces with; empty where each one runs."""
        if self.task.key is None or self.task.ordered:
            return ""
        return f"{self.task.name}/*" if self.batch else f"{self.task.name}/{self.key}"

    @property
    def lane(self) -> str:
        return self.task.queue.lane(self.task.priority, bulk=self.bulk)

    @property
    def bounds(self) -> str:
        """What holds it back, for the scripts: JSON of `b`, [scope, most, ms] of each bound, and of `l`, its line."""
        if not (self.task.bounds or self.task.ordered):
            return ""
        own = f"{self.task.name}/{self.key}"
        bounds = [
            [f"{own if bound.per_key else self.task.name}:{number}", bound.most, round(bound.seconds * 1000)]
            for number, bound in enumerate(self.task.bounds)
        ]
        return orjson.dumps({"b": bounds, "l": own} if self.task.ordered else {"b": bounds}).decode()
