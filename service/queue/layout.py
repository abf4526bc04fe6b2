"""Which lanes are in use beside each queue's own, and which queues are paused: what all workers go by."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from service.errors import NotFound
from service.queue.link import NAMESPACE, client
from service.queue.task import Queue, queue_of

VERSION, RANKS, PAUSED = f"{NAMESPACE}:__layout__", f"{NAMESPACE}:__ranks__", f"{NAMESPACE}:__paused__"


@dataclass(frozen=True, slots=True)
class Layout:
    """The layout of one `version`: other priorities in use by queue, and queues from which nothing is taken."""

    version: str = "0"
    ranks: Mapping[str, list[int]] = field(default_factory=dict[str, list[int]])
    paused: frozenset[str] = frozenset()


async def present_layout() -> Layout:
    """Read the layout; raises BrokerAway."""
    version, lanes, paused = await client().read(("GET", VERSION), ("SMEMBERS", RANKS), ("SMEMBERS", PAUSED))
    ranks: dict[str, list[int]] = {}
    for lane in sorted(name.decode() for name in lanes):
        ranks.setdefault(queue_of(lane), []).append(int(lane.partition(":")[2]))
    return Layout((version or b"0").decode(), ranks, frozenset(name.decode() for name in paused))


async def pause(queue: str) -> None:
    """Take nothing more from a queue until `resume`; what runs goes on, and what is sent waits. Raises NotFound."""
    _known(queue)
    await client().read(("SADD", PAUSED, queue), ("INCR", VERSION))


async def resume(queue: str) -> None:
    """Take from a queue again; harmless where it was not paused. Raises NotFound."""
    _known(queue)
    await client().read(("SREM", PAUSED, queue), ("INCR", VERSION))


def _known(queue: str) -> None:
    if queue not in Queue.registry:
        raise NotFound(what="queue", id=queue)
