"""What led to what: the events of a request as a tree, and the tasks that THE TABLE made of each."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from uuid import UUID

import structlog
from pydantic import ValidationError
from sqlalchemy import ColumnElement, select

from service.database import ReadSession
from service.event_log import EventRow
from service.events import Envelope, Event
from service.hooks import TABLE
from service.queue.task import Dispatch

log = structlog.get_logger(__name__)

MOST = 1000  # events that are looked at


@dataclass(slots=True)
class Cause:
    """An event, the tasks that it asked for, and the events that these told."""

    event: EventRow
    tasks: list[Dispatch]
    led_to: list["Cause"] = field(default_factory=list["Cause"])


def dispatches(rows: Iterable[EventRow]) -> list[tuple[EventRow, Dispatch]]:
    """Return the tasks that events asked for: their ids follow from the events', so that nobody has to note them."""
    asked: list[tuple[EventRow, Dispatch]] = []
    for row in rows:
        try:
            event = Event.registry[row.name].model_validate(row.data)
        except (KeyError, ValidationError):
            log.info("event of another version", id=str(row.id), event_name=row.name)
            continue
        envelope = Envelope(event, row.correlation_id, row.cause, row.audience, row.bulk, row.id, row.timestamp)
        asked += [(row, dispatch) for dispatch in TABLE.route(envelope)]
    return asked


def tree(rows: Sequence[EventRow]) -> list[Cause]:
    """Put events under what caused them, in the order of the log; the roots are those whose cause is not among them."""
    nodes = {row.id: Cause(row, []) for row in rows}
    for row, dispatch in dispatches(rows):
        nodes[row.id].tasks.append(dispatch)
    roots: list[Cause] = []
    for node in nodes.values():
        above = nodes.get(node.event.cause) if node.event.cause else None
        (roots if above is None else above.led_to).append(node)
    return roots


async def events_of(session: ReadSession, correlation_id: str) -> Sequence[EventRow]:
    """Return the first events of a request, whoever may see them: for ids of tasks, not to be shown."""
    return await _oldest(session, EventRow.correlation_id == correlation_id)


async def events_about(session: ReadSession, resource_id: UUID) -> Sequence[EventRow]:
    """Return the last events about a resource, oldest first, whoever may see them: for ids of tasks."""
    last = select(EventRow).where(EventRow.subject == resource_id).order_by(EventRow.position.desc()).limit(MOST)
    return (await session.scalars(last)).all()[::-1]


async def _oldest(session: ReadSession, condition: ColumnElement[bool]) -> Sequence[EventRow]:
    return (await session.scalars(select(EventRow).where(condition).order_by(EventRow.position).limit(MOST))).all()
