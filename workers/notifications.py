"""Actors of notifications."""

from service.database import transaction
from service.notifications import actions
from service.queue import actor
from service.tasks import CUT


@actor(CUT)
async def cut_notifications() -> dict[str, int]:
    """Delete what was read long ago; return how many."""
    async with transaction() as session:
        return {"cut": await actions.cut(session)}
