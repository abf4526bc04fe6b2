"""Actors of digests."""

from uuid import UUID

from service.database import transaction
from service.digests import actions, sending
from service.queue import actor
from service.tasks import DIGEST, FIND_DIGESTS


@actor(FIND_DIGESTS)
async def find_due_digests() -> dict[str, int]:
    """Find the letters that are to be sent now; return how many."""
    async with transaction() as session:
        return {"letters": await actions.announce_due(session)}


@actor(DIGEST)
async def send_digest(letter_id: UUID) -> dict[str, str]:
    """Send one letter; no session is open meanwhile. What is to be tried again, the timetable finds."""
    async with transaction() as session:
        taken = await sending.take(session, letter_id)
    if taken is None:
        return {"state": "nothing to send"}
    fault = await sending.send(taken)
    async with transaction() as session:
        return {"state": await sending.settle(session, taken, fault)}
