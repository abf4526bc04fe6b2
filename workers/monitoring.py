"""Actors of monitoring: what nobody asked for, and somebody should look at."""

from service.database import transaction
from service.monitoring import patterns
from service.queue import actor
from service.tasks import WATCH


@actor(WATCH)
async def watch_task_patterns() -> int:
    """Raise and end alerts; return how many last."""
    async with transaction() as session:
        return await patterns.watch(session)
