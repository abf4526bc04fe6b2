"""Actors of collections: their mean embedding follows their members."""

from uuid import UUID

from service.collections.centre import recenter
from service.database import transaction
from service.queue import actor
from service.tasks import RECENTER


@actor(RECENTER)
async def update_collection_embeddings(collection_id: UUID) -> None:
    """Make the mean of a collection that of its present members."""
    async with transaction() as session:
        await recenter(session, collection_id)
