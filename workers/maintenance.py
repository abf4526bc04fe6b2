"""Actors of the timetable: what keeps the library true by itself."""

from service.database import transaction
from service.events import current_origin, origin
from service.hooks import PROFILE, RECONCILE
from service.ingestion.actions import announce_stalled
from service.queue import actor
from service.recommendations.profiles import announce_stale as announce_stale_profiles
from service.search.actions import announce_stale

SETTLED = 10  # seconds without a change, after which what is derived should be there


@actor(RECONCILE)
async def reconcile_derived_data() -> dict[str, int]:
    """Ask again, in the bulk lane, for what is missing or made from something else; return how much of each."""
    here = current_origin()
    with origin(here.correlation_id, here.cause, bulk=True):
        async with transaction() as session:
            stalled = await announce_stalled(session)
        async with transaction() as session:
            stale = await announce_stale(session, age=SETTLED)
        async with transaction() as session:
            profiles = await announce_stale_profiles(session, PROFILE.name)
    return {"ingestions": stalled, **stale, "profiles": profiles}
