"""What happens to tasks, as far as a quiz hangs on it: one row of THE TABLE.

On(BackgroundTaskFailed,    record_end),
"""

from uuid import UUID

from service.database import transaction
from service.events import Envelope
from service.queue.events import BackgroundTaskFailed
from service.quizzes.progress import give_up
from service.tasks import GENERATE


async def record_end(envelope: Envelope) -> None:
    """Write that there will be no quiz, where its task is given up or somebody cancelled it."""
    event = envelope.event
    if not isinstance(event, BackgroundTaskFailed) or event.task_name != GENERATE.name:
        return
    said = "Somebody cancelled it." if event.error == "cancelled" else f"It could not be made: {event.error[:300]}"
    async with transaction() as session:
        await give_up(session, UUID(event.task_id), said)
