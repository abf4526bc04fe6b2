"""How one task stands: read from Redis, where the scripts keep it for an hour after its end."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import orjson

from service.queue.link import NAMESPACE, client
from service.queue.task import priority_of, queue_of

SUCCEEDED, FAILED, CANCELLED = "succeeded", "failed", "cancelled"


@dataclass(frozen=True, slots=True)
class TaskState:
    """What `GET /tasks/{id}` shows.

    `status` is scheduled, queued, running, retrying, succeeded, failed or cancelled.
    """

    task_id: UUID | str  # a stock producer may use any text
    name: str | None
    queue: str
    priority: int
    status: str
    attempts: int
    queued_at: datetime | None
    started_at: datetime | None
    date_done: datetime | None
    progress: dict[str, Any] | None = None
    result: Any = None
    error: str | None = None


async def task_state(task_id: UUID) -> TaskState | None:
    """Return the state of a task, of the one that it merged into where it coalesced, None where it is not known."""
    [state] = await task_states([task_id])
    return state


async def task_states(task_ids: Sequence[UUID | str]) -> list[TaskState | None]:
    """Return the state of each task as `task_state` does, in two hops at most."""
    known = await _fields([str(task_id) for task_id in task_ids])
    merged = [fields["into"] for fields in known if "into" in fields]
    others = dict(zip(merged, await _fields(merged), strict=True))
    return [
        _state(task_id, others[fields["into"]] if "into" in fields else fields)
        for task_id, fields in zip(task_ids, known, strict=True)
    ]


def _state(task_id: UUID | str, fields: dict[str, str]) -> TaskState | None:
    if "s" not in fields:
        return None
    lane = fields["q"]
    retried, started = int(fields.get("a", 0)), "b" in fields
    return TaskState(
        task_id=task_id,
        name=fields.get("n"),
        queue=queue_of(lane),
        priority=priority_of(lane),
        status=fields["s"],
        attempts=retried if fields["s"] == "retrying" or not started else retried + 1,
        queued_at=_time(fields.get("t")),
        started_at=_time(fields.get("b")),
        date_done=_time(fields.get("z")),
        progress=orjson.loads(fields["p"]) if "p" in fields else None,
        result=orjson.loads(fields["r"]) if "r" in fields else None,
        error=fields.get("e"),
    )


async def _fields(task_ids: Sequence[str]) -> list[dict[str, str]]:
    replies = await client().read(*[("HGETALL", f"{NAMESPACE}:task:{task_id}") for task_id in task_ids])
    flat = [[word.decode() for word in reply] for reply in replies]
    return [dict(zip(words[::2], words[1::2], strict=True)) for words in flat]


def _time(milliseconds: str | None) -> datetime | None:
    return None if milliseconds is None else datetime.fromtimestamp(int(milliseconds) / 1000, UTC)
