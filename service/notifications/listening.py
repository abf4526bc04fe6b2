"""What the bus calls for each event of `kinds.CAUSES` that this version knows."""

from service.events import Envelope


async def notify(envelope: Envelope) -> None:
    """Tell everybody whom an event concerns; what fails here is found again in the log (`actions.tell_missed`)."""
    from service.database import transaction  # the timetable reads the table, and lives without a database
    from service.notifications.actions import tell
    from service.notifications.concerned import Facts

    async with transaction() as session:
        await tell(session, Facts.of(envelope))
