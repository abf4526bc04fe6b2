"""What the bus calls for each event of `kinds.CAUSES` that this version knows."""

from service.database import transaction
from service.events import Envelope
from service.notifications.actions import tell
from service.notifications.concerned import Facts


async def notify(envelope: Envelope) -> None:
    """Tell everybody whom an event concerns; what fails here is found again in the log (`actions.tell_missed`)."""
    async with transaction() as session:
        await tell(session, Facts.of(envelope))
