"""Actors of feeds."""

from service.database import transaction
from service.feeds import actions, polling
from service.queue import actor
from service.tasks import CUT_ENTRIES, LOOK, POLL


@actor(LOOK)
async def find_due_feeds() -> dict[str, int]:
    """Find the hosts of which a feed is to be looked at; return how many."""
    async with transaction() as session:
        return {"hosts": await polling.announce_due(session)}


@actor(POLL)
async def poll_feeds(host: str) -> dict[str, int]:
    """Look at the feeds of a host that are due, one after the other; return how many, and how much was new."""
    looked = new = 0
    while True:
        async with transaction() as session:
            taken = await polling.take(session, host)
        if taken is None:
            return {"feeds": looked, "new": new}
        seen = await polling.look(taken)
        async with transaction() as session:
            new += await polling.keep(session, taken, seen)
        looked += 1


@actor(CUT_ENTRIES)
async def cut_feed_entries() -> dict[str, int]:
    """Forget entries that their feeds list no more since long; return how many."""
    async with transaction() as session:
        return {"cut": await actions.cut(session)}
