"""Actors of search: a resource becomes findable by its words, and by its meaning."""

from uuid import UUID

from service.database import reading, transaction
from service.inference import embed_passages
from service.queue import actor
from service.search import actions, labels
from service.tasks import EMBED, INDEX, LABEL


@actor(INDEX)
async def update_search_index(resource_id: UUID) -> None:
    """Index a resource's words."""
    async with transaction() as session:
        await actions.index(session, resource_id)


@actor(LABEL)
async def update_search_labels(resource_id: UUID) -> None:
    """Bring up to date what facets count of a resource."""
    async with transaction() as session:
        await labels.label(session, resource_id)


@actor(EMBED)
async def regenerate_embedding(resource_id: UUID) -> None:
    """Embed a resource's text; no session is open while the model works."""
    async with reading() as session:
        draft = await actions.drafted(session, resource_id)
    if draft is None:
        return
    embedded = await embed_passages(draft.title, draft.content)
    async with transaction() as session:
        await actions.keep_embedding(session, draft, embedded)
