"""Actors of webhooks."""

from uuid import UUID

from service.database import transaction
from service.queue import actor
from service.tasks import DELIVER
from service.webhooks import delivering


@actor(DELIVER)
async def deliver_webhook(delivery_id: UUID) -> None:
    """Send one delivery; no session is open meanwhile."""
    async with transaction() as session:
        taken = await delivering.take(session, delivery_id)
    if taken is None:
        return
    outcome = await delivering.send(taken)
    async with transaction() as session:
        await delivering.settle(session, taken, outcome)
    delivering.judge(taken, outcome)
