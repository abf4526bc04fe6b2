"""The actor of the trash."""

from service.database import transaction
from service.hooks import PURGE
from service.queue import actor
from service.settings import settings
from service.trash import actions


@actor(PURGE)
async def purge_trash() -> dict[str, int]:
    """Delete for good what has been in the trash long enough; return how much."""
    purged = 0
    while True:
        async with transaction() as session:
            some = await actions.purge_old(session, settings().trash_days)
        if not some:
            return {"purged": purged}
        purged += some
