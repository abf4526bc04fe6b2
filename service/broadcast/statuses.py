"""`task.status.update`: how a task stands that a person asked for, in the words of listeners.

Its beginning and end are in the log already, as `background_task.*`, from which they are told here without a row of
their own. Progress is told from the worker, up to four times a second, on the channel only: a durable reader wants
to know how it ended.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4, uuid5

import orjson

from service.broadcast.names import CHANNELS
from service.broadcast.wire import encode
from service.queue.events import (
    BackgroundTaskCompleted,
    BackgroundTaskFailed,
    BackgroundTaskRetry,
    BackgroundTaskStarted,
    TaskStatusUpdate,
)

CHANNEL = f"{CHANNELS}{TaskStatusUpdate.name}"
STATUSES: dict[str, str] = {
    BackgroundTaskStarted.name: "started",
    BackgroundTaskRetry.name: "retrying",
    BackgroundTaskCompleted.name: "completed",
    BackgroundTaskFailed.name: "failed",
}


def update_of(
    event_id: UUID, name: str, facts: Mapping[str, Any], audience: UUID | None
) -> tuple[UUID, TaskStatusUpdate] | None:
    """Return what an event of the log says of a person's task, and its id, which is always the same one."""
    status = STATUSES.get(name)
    if status is None or audience is None:
        return None
    if facts.get("reason") == "cancelled":
        status = "cancelled"
    update = TaskStatusUpdate(
        task_id=facts["task_id"],
        user_id=UUID(int=audience.int),
        task_type=facts["task_name"],
        status=status,
        progress=100 if status == "completed" else 0 if status == "started" else None,
        message=facts.get("error", "")[:2000],
    )
    return uuid5(UUID(int=event_id.int), TaskStatusUpdate.name), update


def progress_told(task_id: str, task_type: str, owner_id: str, correlation_id: str | None, word: bytes) -> bytes:
    """Return what listeners are told when a running task says `{current, total, message}`."""
    said, owner = orjson.loads(word), UUID(owner_id)
    current, total = said["current"], said["total"]
    update = TaskStatusUpdate(
        task_id=task_id,
        user_id=owner,
        task_type=task_type,
        status="processing",
        progress=min(100, max(0, round(100 * current / total))) if total else None,
        message=said["message"][:2000],
    )
    return encode(facts_of(uuid4(), update, datetime.now(UTC), correlation_id, None, owner))


def facts_of(
    id: UUID, update: TaskStatusUpdate, timestamp: datetime, correlation_id: str | None, cause: Any, audience: Any
) -> dict[str, Any]:
    """Return the update in the shape of every event."""
    return {
        "id": id,
        "name": update.name,
        "version": update.version,
        "data": update.model_dump(mode="json"),
        "timestamp": timestamp,
        "priority": update.priority,
        "correlation_id": correlation_id,
        "cause": cause,
        "audience": audience,
    }
