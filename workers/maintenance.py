"""Actors of the timetable: what keeps the library true by itself."""

from service.queue import actor
from service.sweeps import sweep
from service.tasks import RECONCILE


@actor(RECONCILE)
async def reconcile_derived_data() -> dict[str, int]:
    """Ask again, in the bulk lane, for what is missing or made from something else; return how much of each."""
    return await sweep()
