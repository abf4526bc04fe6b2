"""Actors of documents: passages, and what is left of files that never came whole."""

import asyncio
from uuid import UUID

from service.database import transaction
from service.documents import cleaning, indexing
from service.documents.cutting import cut
from service.queue import actor
from service.tasks import CLEAN_FILES, INDEX_DOCUMENT


async def make_passages(resource_id: UUID) -> None:
    """Cut a document into passages, with no session open, and index its words; its meaning is EMBED's part."""
    async with transaction() as session:
        draft = await indexing.begin(session, resource_id)
    if draft is None:
        return
    if not draft.is_cut:
        cuts = await asyncio.to_thread(cut, draft.content, draft.html)
        async with transaction() as session:
            if not await indexing.keep_passages(session, draft, cuts):
                return  # the text is another one already: its change has asked for another run
    async with transaction() as session:
        await indexing.settle(session, resource_id)


@actor(INDEX_DOCUMENT)
async def index_document(resource_id: UUID) -> None:
    """Make a document's passages."""
    await make_passages(resource_id)


@actor(CLEAN_FILES)
async def clean_files() -> dict[str, int]:
    """Delete what expired of files that came in pieces, and stored bytes that nothing refers to any more."""
    return {"uploads": await cleaning.drop_expired(), "originals": await cleaning.drop_unused()}
