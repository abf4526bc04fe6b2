"""How one task stands: read from Redis, where the scripts keep it for an hour after its end."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import orjson

from service.queue.link import NAMESPACE, client
from service.queue.task import priority_of, queue_of

SUCCEEDED, FAILED = "succeeded", "failed"


@dataclass(frozen=True, slots=True)
class TaskState:
    """What `GET /tasks/{id}` shows; `status` is scheduled, queued, running, retrying, succeeded or failed."""

    task_id: UUID
    name: str | None
    queue: str
    priority: int
    status: str
    attempts: int
    queued_at: datetime | None
    started_at: datetime | None
    date_done: datetime | None
    result: Any = None
    error: str | None = None


async def task_state(task_id: UUID) -> TaskState | None:
    """Return the state of a task, of the one that it merged into where it coalesced, None where it is not known."""
    fields = await _fields(str(task_id))
    if into := fields.get("into"):
        fields = await _fields(into)
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
        result=orjson.loads(fields["r"]) if "r" in fields else None,
        error=fields.get("e"),
    )


async def _fields(task_id: str) -> dict[str, str]:
    [reply] = await client().read(("HGETALL", f"{NAMESPACE}:task:{task_id}"))
    flat = [word.decode() for word in reply]
    return dict(zip(flat[::2], flat[1::2], strict=True))


def _time(milliseconds: str | None) -> datetime | None:
    return None if milliseconds is None else datetime.fromtimestamp(int(milliseconds) / 1000, UTC)
