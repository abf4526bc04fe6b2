"""What an engine has in hand: the claim on a message, the message while it is processed, and how it ended."""

from asyncio import Task
from dataclasses import dataclass, field
from math import inf
from time import monotonic
from typing import Any, NamedTuple

from dramatiq import Message
from dramatiq.broker import MessageProxy

from service.queue.retries import GiveUp, TryAgain


class Claim(NamedTuple):
    """A message as Redis hands it out: `deliveries` counts this one; `keys` are what a batch has gathered.

    Where it is `bounded`, others may wait for its end.
    """

    id: bytes
    lane: bytes
    body: bytes
    deliveries: int
    bounded: int
    keys: list[bytes] | None


class Delivery(MessageProxy):
    """A message on its way through the middleware, which decides what becomes of it when it fails."""

    def __init__(self, message: Message[Any]) -> None:
        super().__init__(message)
        self.verdict: TryAgain | GiveUp | None = None

    @property
    def message(self) -> Message[Any]:
        return self._message


@dataclass(slots=True)
class Run:
    """A claim that is being worked on."""

    claim: Claim
    work: str  # its class, as in `Queue.lanes`
    suspect: bool
    name: str = ""
    begun: float = field(default_factory=monotonic)
    soft: float = inf  # seconds, after which it is cancelled
    limit: float = inf  # seconds, after which it is given up, whatever it does
    overdue: bool = False
    given_up: bool = False
    handed_back: bool = False
    cancelled: float | None = None  # since when somebody wants it cancelled
    stuck: bool = False
    over: bool = False  # the actor has returned: there is nothing to cancel
    delivery: Delivery | None = None
    task: "Task[Outcome] | None" = None


class Done(NamedTuple):
    """It has ended: `succeeded`, `failed` or `cancelled`."""

    name: str
    status: str
    result: bytes = b""
    error: str = ""


class Again(NamedTuple):
    """It is tried again in `delay` seconds; `attempts` have failed so far, `deliveries` count from now on."""

    delay: float
    attempts: int
    error: str
    body: bytes
    deliveries: int = 0


Outcome = Done | Again
