"""How tasks fare: a try that ends is counted once, in its process; every `TELL` seconds Redis adds up all processes.

Kept are sums since Redis was emptied last (`GET /metrics`), and those of each minute for three hours: whoever writes
the history reads a minute when it is over. A field is `<queue>|<task>|<status>|<bucket of durations.py>` with a number
of tries, or `<queue>|<task>|took|us` with their time in microseconds. A hop without an answer may be counted twice.
"""

import asyncio
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from service.queue.delivery import Done, Outcome
from service.queue.durations import bucket
from service.queue.link import NAMESPACE, BrokerAway, client
from service.queue.scripting import Call, execute, script

RETRIED = "retried"  # besides the statuses that a task ends with
UNKNOWN = "unknown"  # all that nobody has an actor for: a name may be any text, and each would be a series of its own
TELL = 2.0  # seconds
_TOOK = ("took", "us")


@dataclass(slots=True)
class Ended:
    """Tries of one task that ended: their number by outcome and by bucket of duration, and their seconds together."""

    outcomes: Counter[str] = field(default_factory=Counter[str])
    durations: Counter[int] = field(default_factory=Counter[int])
    seconds: float = 0.0


Figures = dict[tuple[str, str], Ended]  # by queue and task

_counted: Counter[tuple[str, str, str, str | int]] = Counter()  # since Redis was last told


def status_of(outcome: Outcome) -> str:
    """Return how a try ended, in a word."""
    return outcome.status if isinstance(outcome, Done) else RETRIED


def count(queue: str, task: str, outcome: Outcome, seconds: float) -> None:
    """Count a try that has ended."""
    _counted[queue, task, status_of(outcome), bucket(seconds)] += 1
    _counted[queue, task, *_TOOK] += round(seconds * 1_000_000)


async def tell() -> None:
    """Add what was counted to the sums of all processes; raises BrokerAway, and then it is counted on."""
    global _counted
    counted, _counted = _counted, Counter()
    if not counted:
        return
    flat = [part for field, number in counted.items() for part in ("|".join(map(str, field)), number)]
    try:
        await execute(Call(script("count"), flat))
    except BaseException:
        _counted.update(counted)
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


async def totals() -> Figures:
    """Return the sums of all processes; raises BrokerAway."""
    [flat] = await client().read(("HGETALL", f"{NAMESPACE}:__ended__"))
    return _figures(flat)


async def ended_in(minutes: Sequence[int]) -> list[Figures]:
    """Return what ended in each of these minutes (since 1970); raises BrokerAway."""
    return list(map(_figures, await client().read(*[("HGETALL", f"{NAMESPACE}:ended:{one}") for one in minutes])))


def _figures(flat: list[bytes]) -> Figures:
    found: Figures = {}
    for name, value in zip(flat[::2], flat[1::2], strict=True):
        queue, _, rest = name.decode("utf-8", "replace").partition("|")
        task, status, number = rest.rsplit("|", 2)
        ended = found.setdefault((queue, task), Ended())
        if (status, number) == _TOOK:
            ended.seconds = int(value) / 1_000_000
        else:
            ended.outcomes[status] += int(value)
            ended.durations[int(number)] += int(value)
    return found
