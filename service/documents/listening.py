"""What documents learn from others: rows of THE TABLE that call a function.

On(ResourceContentChanged, reindex_changed_text),
On(EmbeddingGenerated,     settle_embedded),
On(BackgroundTaskFailed,   note_failure),
On(ResourcesPurged,        drop_originals),
"""

from typing import Any
from uuid import UUID

from service.database import transaction
from service.documents.actions import forget_bytes
from service.documents.indexing import give_up, settle, text_changed
from service.events import Envelope
from service.tasks import EMBED, INDEX_DOCUMENT


async def reindex_changed_text(envelope: Envelope) -> None:
    """Have the passages of a document made again whose text is another one now."""
    async with transaction() as session:
        await text_changed(session, _subject(envelope))


async def settle_embedded(envelope: Envelope) -> None:
    """Call a document ready whose meaning was computed by the task that does it for every resource."""
    async with transaction() as session:
        await settle(session, _subject(envelope))


async def note_failure(envelope: Envelope) -> None:
    """Write that the indexing or the embedding of a document was given up."""
    event: Any = envelope.event
    if event.task_name not in (INDEX_DOCUMENT.name, EMBED.name):
        return
    async with transaction() as session:
        await give_up(session, event.task_id)


async def drop_originals(envelope: Envelope) -> None:
    """Delete the bytes of what was deleted for good, unless something else has the same."""
    event: Any = envelope.event
    for key in event.originals:
        async with transaction() as session:
            await forget_bytes(session, key)


def _subject(envelope: Envelope) -> UUID:
    event: Any = envelope.event
    return event.resource_id
