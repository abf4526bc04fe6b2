"""Actors of backups."""

from service.backups import actions
from service.database import transaction
from service.queue import actor
from service.tasks import BACKUP


@actor(BACKUP)
async def back_up_library() -> bool:
    """Ask for a backup, which a web process takes: a worker may not read all that belongs to it."""
    async with transaction() as session:
        return await actions.request(session)
