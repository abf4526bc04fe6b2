"""Dead letters: tasks that failed for good, in PostgreSQL."""

import traceback
from dataclasses import asdict, dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert

from service.database import reading, transaction
from service.events import Event
from service.outbox import emit
from service.queue.reasons import Reason
from service.queue.tables import DeadLetter

LONGEST = 20_000  # characters of an exception or a traceback that are kept, its end


@dataclass(frozen=True, slots=True)
class Failed:
    """The task that failed, after `attempts` of which none succeeded."""

    task_id: str
    name: str
    queue: str
    arguments: dict[str, Any]
    attempts: int


async def bury(
    failed: Failed, error: BaseException, reason: Reason, told: tuple[Event, UUID | None] | None = None
) -> None:
    """Write a dead letter, before its message is acknowledged; one that is there already stays as it is.

    With a new one goes what is `told` of it: an event, and who may see it.
    """
    letter = {
        **asdict(failed),
        "exception": describe(error),
        "traceback": "".join(traceback.format_exception(error))[-LONGEST:] if error.__traceback__ else None,
        "reason": reason,
    }
    async with transaction() as session:
        row = insert(DeadLetter).values(_storable(letter)).on_conflict_do_nothing().returning(DeadLetter.id)
        if (await session.execute(row)).first() is not None and told is not None:
            emit(session, told[0], audience=told[1])


async def dead_by_queue() -> dict[str, int]:
    """Return how many dead letters there are, by queue; queues without any are left out."""
    async with reading() as session:
        rows = await session.execute(select(DeadLetter.queue, func.count()).group_by(DeadLetter.queue))
        return {queue: count for queue, count in rows.all()}


def describe(error: BaseException) -> str:
    """Return an error in one line: its class and what it says."""
    said = str(error)
    line = f"{type(error).__name__}: {said}" if said else type(error).__name__
    return line[:LONGEST].encode("utf-8", "replace").decode()


def _storable(value: Any) -> Any:
    """Replace what PostgreSQL cannot hold in a text: null characters and lone surrogates."""
    match value:
        case str():
            return value.replace("\0", "\ufffd").encode("utf-8", "replace").decode()
        case dict():
            return {_storable(key): _storable(item) for key, item in value.items()}
        case list() | tuple():
            return [_storable(item) for item in value]
        case _:
            return value
