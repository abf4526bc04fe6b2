"""Which tasks there are, by what they do: a bounded look at the places where they stand, never at all of Redis."""

from typing import Any

import orjson

from service.queue.layout import present_layout
from service.queue.link import NAMESPACE, Command, client
from service.queue.state import CANCELLED, FAILED, SUCCEEDED
from service.queue.task import Queue, queue_of

PER_PLACE = 100  # tasks of a lane, of what is due in a queue, of what a worker has in hand
MOST = 1000
ENDED = (SUCCEEDED, FAILED, CANCELLED)


async def seen(status: str | None = None) -> list[str]:
    """Return the ids of `MOST` tasks at most, of one status or of any; a task may move on while it is looked for."""
    looks = await _looks(status)
    ids: dict[str, None] = {}
    for reply in await client().read(*looks):
        ids |= dict.fromkeys(id.decode("utf-8", "replace") for id in reply)
    return list(ids)[:MOST]


async def message_of(task_id: str) -> dict[str, Any] | None:
    """Return the message of a task that has not ended, in Dramatiq's wire format; None where it has, or is unknown."""
    [lane] = await client().read(("HGET", f"{NAMESPACE}:task:{task_id}", "q"))
    if lane is None:
        return None
    [body] = await client().read(("HGET", f"{NAMESPACE}:{queue_of(lane.decode())}.msgs", task_id))
    return None if body is None else orjson.loads(body)


async def _looks(status: str | None) -> list[Command]:
    looks: list[Command] = []
    queues = Queue.registry.values()
    if status in (None, "running"):
        [workers] = await client().read(("ZRANGE", f"{NAMESPACE}:__workers__", 0, -1))
        looks += [("HKEYS", f"{NAMESPACE}:claims:{worker.decode()}") for worker in workers]
    if status in (None, "queued"):
        ranks = (await present_layout()).ranks
        lanes = [name for queue in queues for name, *_ in queue.lanes(ranks.get(queue.name, ()))]
        lanes += [f"{queue.name}:suspect" for queue in queues]
        looks += [("LRANGE", f"{NAMESPACE}:{lane}", 0, PER_PLACE - 1) for lane in lanes]
    if status in (None, "scheduled", "retrying"):
        looks += [("ZRANGE", f"{NAMESPACE}:{queue.name}:due", 0, PER_PLACE - 1) for queue in queues]
    ended = [one for one in ENDED if status in (None, one)]
    looks += [("LRANGE", f"{NAMESPACE}:recent:{one}", 0, MOST // len(ended) - 1) for one in ended]
    return looks
