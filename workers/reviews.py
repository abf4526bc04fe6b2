"""Actors of reviews."""

from datetime import UTC, datetime

from service.database import transaction
from service.hooks import REMIND
from service.queue import actor
from service.reviews import actions


@actor(REMIND)
async def remind_of_reviews() -> dict[str, int]:
    """Tell everybody whose questions come back today; return how many people."""
    async with transaction() as session:
        return {"people": await actions.announce_due(session, datetime.now(UTC))}
