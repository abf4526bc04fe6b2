"""Verbs of operators, each written to the audit log in the same transaction."""

from uuid import UUID

from service import queue
from service.database import Session
from service.errors import NotFound
from service.monitoring.events import ScheduleRunRequested
from service.outbox import emit
from service.queue.ledger import accept
from service.queue.task import Dispatch
from service.security import audit
from service.security.accounts import Account
from service.tasks import PERIODIC


async def pause(session: Session, who: Account, address: str | None, name: str) -> None:
    """Take nothing more from a queue; raises NotFound and BrokerAway."""
    await queue.pause(name)
    await audit.record(session, "queue_paused", who.id, None, address, queue=name)


async def resume(session: Session, who: Account, address: str | None, name: str) -> None:
    """Let a queue go on; raises NotFound and BrokerAway."""
    await queue.resume(name)
    await audit.record(session, "queue_resumed", who.id, None, address, queue=name)


async def run_now(session: Session, who: Account, address: str | None, name: str) -> UUID:
    """Run a task of the timetable now, and return the id of that run; raises NotFound."""
    task = next((task for task in PERIODIC if task.name == name), None)
    if task is None:
        raise NotFound(what="schedule", id=name)
    event_id = emit(session, ScheduleRunRequested(schedule=name), audience=who.id)
    task_id = Dispatch(task, {}, event_id).message_id
    await accept(session, who.id, task, task_id)
    await audit.record(session, "schedule_run", who.id, task_id, address, schedule=name)
    return task_id
