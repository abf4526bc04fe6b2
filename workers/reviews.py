"""Actors of reviews."""

from datetime import UTC, datetime

from service.database import transaction
from service.queue import actor
from service.reviews import actions
from service.tasks import REMIND


@actor(REMIND)
async def remind_of_reviews() -> dict[str, int]:
    """Tell everybody whose questions come back today; return how many people."""
    async with transaction() as session:
        return {"people": await actions.announce_due(session, datetime.now(UTC))}
