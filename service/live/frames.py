"""An event as it goes over the wire, written once for all streams.

A server's WebSocket frames are not masked (RFC 6455, 5.1), so that the bytes are the same for everybody too.
"""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

import orjson

from service.broadcast.statuses import update_of
from service.event_log import EventRow, shown

# By the names of events; a family ends in a dot. Everything else is an `event`.
TYPES = {
    "task.status.update": "task_status_update",
    "user.notification": "notification",
    "document.": "document_status",
    "indexing.": "document_status",
    "quiz.": "quiz_session",
}
# Of these only the last one of a subject counts; the field names the subject.
PROGRESS = {
    "document.processing": "document_id",
    "indexing.progress": "document_id",
    "ingestion.progressed": "resource_id",
    "quiz.generation.progress": "quiz_id",
    "task.status.update": "task_id",
}
_TEXT = 0x81  # the first byte of a frame that is a whole text message


@dataclass(frozen=True, slots=True)
class Frame:
    """One event; `progress` is what it tells the progress of, None where every one counts."""

    position: int | None  # None: it passes, and stands in no log
    audience: UUID | None
    sse: bytes
    wire: bytes  # as a WebSocket frame
    progress: tuple[str, str] | None

    @classmethod
    def of(cls, row: EventRow) -> "Frame":
        """Write a row of the log in both formats; over a WebSocket the task of a person is told of as its status."""
        event = shown(row)
        data = _json(event)
        sse = b"id: %d\nevent: %s\ndata: %s\n\n" % (row.position, row.name.encode(), data)
        if told := update_of(row.id, row.name, row.data, row.audience):
            id, update = told
            event |= {"id": id, "name": update.name, "data": update.model_dump(mode="json")}
        wire = framed(_json(message(row.position, event)))
        field = PROGRESS.get(row.name)
        subject = row.data.get(field) if field else None
        return cls(row.position, row.audience, sse, wire, (row.name, str(subject)) if subject else None)

    @classmethod
    def passing(cls, event: dict[str, Any]) -> "Frame":
        """Write the progress of a person's task, as it is broadcast."""
        name, audience = event["name"], UUID(event["audience"])
        shown = {field: value for field, value in event.items() if field != "audience"}
        sse = b"event: %s\ndata: %s\n\n" % (name.encode(), _json(shown))
        return cls(None, audience, sse, framed(_json(message(None, shown))), (name, str(event["data"]["task_id"])))

    @property
    def text(self) -> str:
        """The WebSocket message."""
        return self.wire[{126: 4, 127: 10}.get(self.wire[1], 2) :].decode()


def message(position: int | None, event: dict[str, Any]) -> dict[str, Any]:
    """Return the WebSocket message of an event: its data stand beside `type` and `id` where it is of a special type."""
    name: str = event["name"]
    kind = TYPES.get(name) or TYPES.get(f"{name.partition('.')[0]}.", "event")
    about = {"type": kind, "event": name, "event_id": event["id"]} | ({} if position is None else {"id": position})
    rest = {field: event[field] for field in ("timestamp", "correlation_id", "cause")}
    return {**event["data"], **about, **rest} if kind != "event" else {**about, **rest, "data": event["data"]}


def framed(text: bytes) -> bytes:
    """Return a text message as one WebSocket frame."""
    size = len(text)
    if size < 126:
        return bytes((_TEXT, size)) + text
    if size < 2**16:
        return bytes((_TEXT, 126)) + size.to_bytes(2, "big") + text
    return bytes((_TEXT, 127)) + size.to_bytes(8, "big") + text


def _json(value: dict[str, Any]) -> bytes:
    return orjson.dumps(value, default=str, option=orjson.OPT_UTC_Z)
