"""Actors of authors: the names of a resource become links to authors."""

import asyncio
from uuid import UUID

from service.authors import normalization
from service.database import reading, transaction
from service.queue import actor
from service.tasks import AUTHORS


@actor(AUTHORS)
async def normalize_author_names(resource_id: UUID) -> None:
    """Find out who wrote a resource; no session is open while names are read."""
    async with reading() as session:
        draft = await normalization.drafted(session, resource_id)
    if draft is None:
        return
    links = await asyncio.to_thread(normalization.named, draft.written)
    async with transaction() as session:
        await normalization.normalize(session, draft, links)
