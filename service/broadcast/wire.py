"""An event as it travels: the JSON that `GET /events/history` shows, and whom it concerns."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from pydantic import BaseModel, Field, ValidationError

from service.broadcast.names import LARGEST, PHAROS, EventType, type_of
from service.broadcast.payloads import Payload, model_of, read
from service.errors import PharosError
from service.events import Event, EventPriority, SystemEvent


class Unreadable(PharosError):
    """An event that cannot be read ({reason}): {detail}"""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(reason=reason, detail=detail[:1000])
        self.reason = reason  # malformed, too_large, unknown_type, unknown_version, invalid


@dataclass(frozen=True, slots=True)
class BroadcastEvent:
    """One event as a handler gets it; the fields of `data` are attributes as well: `event.document_id`.

    It may come more than once, with the same `event_id`.
    """

    event_type: EventType | SystemEvent
    event_id: str
    version: int
    timestamp: datetime
    data: Payload | Event
    priority: int
    correlation_id: str | None
    cause: str | None  # the id of the event that led to it
    audience: str | None  # the only account that may see it; None: everybody
    source: str  # `pharos`, or what another program calls itself
    position: str | None  # where a group read it; later ones are greater
    attempt: int

    def __getattr__(self, name: str) -> Any:
        if name == "data" or name.startswith("__"):
            raise AttributeError(name)
        return getattr(self.data, name)


class _Envelope(BaseModel):
    id: str = Field(min_length=1, max_length=100)
    name: str = Field(min_length=1, max_length=100)
    version: int
    data: dict[str, Any]
    timestamp: datetime
    priority: int = EventPriority.NORMAL
    correlation_id: str | None = None
    cause: str | None = None
    audience: str | None = None
    source: str = PHAROS


def encode(facts: Mapping[str, Any]) -> bytes:
    """Write an event: `id, name, version, data, timestamp, priority, correlation_id, cause, audience`."""
    return orjson.dumps(facts, default=str, option=orjson.OPT_UTC_Z)


def decode(
    wire: bytes, *, outside: bool | None = None, position: str | None = None, attempt: int = 1
) -> BroadcastEvent:
    """Read and validate an event; raises Unreadable.

    `outside` says where it certainly comes from; None where only the event itself says so.
    """
    if len(wire) > LARGEST:
        raise Unreadable("too_large", f"{len(wire)} bytes, {LARGEST} at most")
    try:
        envelope = _Envelope.model_validate_json(wire)
    except ValidationError as error:
        raise Unreadable("malformed", told(error)) from error
    model = model_of(envelope.name)
    if model is None:
        raise Unreadable("unknown_type", envelope.name)
    if envelope.version != model.version:
        known = f"{envelope.name} has version {envelope.version}, this program knows {model.version}"
        raise Unreadable("unknown_version", known)
    try:
        data = read(model, envelope.data)
    except ValidationError as error:
        raise Unreadable("invalid", f"{envelope.name}: {told(error)}") from error
    source = envelope.source if outside is None else PHAROS if not outside else envelope.source
    if outside and source == PHAROS:
        source = "outside"
    return BroadcastEvent(
        type_of(envelope.name),
        envelope.id,
        envelope.version,
        envelope.timestamp,
        data,
        envelope.priority,
        envelope.correlation_id,
        envelope.cause,
        envelope.audience,
        source,
        position,
        attempt,
    )


def told(error: ValidationError) -> str:
    """Return what is wrong in one line, without the values, which may be anything."""
    problems = error.errors(include_url=False, include_context=False, include_input=False)
    return "; ".join(f"{'.'.join(map(str, one['loc'])) or 'it'}: {one['msg']}" for one in problems[:5])
