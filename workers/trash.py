"""The actor of the trash."""

from service.queue import actor
from service.tasks import PURGE
from service.trash import emptying


@actor(PURGE)
async def purge_trash() -> dict[str, int]:
    """Delete for good what has been in the trash long enough; return how much."""
    return {"purged": await emptying.purged()}
