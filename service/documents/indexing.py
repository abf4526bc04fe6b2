"""Indexing: a document's text becomes passages, and is found by its words and by its meaning.

    begin -> cut (no session) -> keep_passages: indexed -> EMBED, as for every resource -> settle: ready

Each step says from which text it was made (`INPUT`), so that a second run, or two at once, change nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from sqlalchemy import Text, cast, delete, func, insert, or_, select, text, update

from service.database import Session
from service.documents.cutting import Cut
from service.documents.events import (
    IndexingCompleted,
    IndexingFailed,
    IndexingProgress,
    IndexingStale,
    IndexingStarted,
)
from service.documents.progress import INDEXED, MESSAGES
from service.documents.tables import INPUT, PASSAGES_VERSION, Document, Passage
from service.documents.telling import told
from service.outbox import emit
from service.queue.tables import DeadLetter
from service.resources.tables import Resource
from service.search import actions as search
from service.search.inputs import EMBEDDING_INPUT
from service.search.tables import Embedding
from service.tasks import INDEX_DOCUMENT

_IS_EMBEDDED = text("embeddings.input_hash = " + EMBEDDING_INPUT.replace("r.", "resources."))
SETTLED = timedelta(seconds=60)  # after the last change, after which a document should be ready
ERROR = "Its text could not be indexed: {error}."

_TURN = text("SELECT pg_advisory_xact_lock(7262052, uuid_hash(CAST(:id AS uuid)))")
# A document is ready once its words and its meaning are those of the text that its passages were cut from.
_SETTLE = text(
    f"""UPDATE documents d SET ready_hash = d.passages_hash, failed_hash = NULL, index_error = NULL
    FROM resources r JOIN embeddings e ON e.resource_id = r.id
    WHERE d.resource_id = :id AND r.id = d.resource_id AND r.status = 'completed'
        AND d.passages_hash = concat(CAST(:version AS text), ' ', r.content_hash)
        AND d.ready_hash IS DISTINCT FROM d.passages_hash AND e.input_hash = {EMBEDDING_INPUT}
    RETURNING d.id"""  # noqa: S608
)


@dataclass(frozen=True, slots=True)
class Draft:
    """A text to be cut into passages, and the hash of it."""

    resource_id: UUID
    content: str
    content_hash: str
    html: str | None
    is_cut: bool


async def begin(session: Session, resource_id: UUID) -> Draft | None:
    """Return what is to be indexed, and tell that it begins; None where that is done, or there is no text."""
    row = (
        await session.execute(
            select(Resource.content, Resource.content_hash, Resource.content_html, Document.passages_hash == INPUT)
            .join(Document, Document.resource_id == Resource.id)
            .where(
                Resource.id == resource_id,
                Resource.status == "completed",
                Resource.content_hash.is_not(None),
                or_(Document.ready_hash.is_(None), Document.ready_hash != INPUT),
            )
        )
    ).one_or_none()
    document = await told(session, resource_id)
    if row is None or document is None:
        return None
    emit(session, IndexingStarted(**document.about), audience=document.audience)
    content, content_hash, html, is_cut = row
    return Draft(resource_id, content, content_hash or "", html, bool(is_cut))


async def keep_passages(session: Session, draft: Draft, cuts: Sequence[Cut]) -> bool:
    """Replace the passages of a document and index its words; False where the text is not the draft's any more."""
    id = draft.resource_id
    await session.execute(_TURN, {"id": id})
    same = select(Document.passages_hash == INPUT).join(Resource, Resource.id == Document.resource_id)
    same = same.where(Resource.id == id, Resource.content_hash == draft.content_hash)
    row = (await session.execute(same.with_for_update(key_share=True, of=Resource))).one_or_none()
    document = await told(session, id)
    if row is None or document is None:
        return False
    if row[0]:  # another run was faster
        return True
    await session.execute(delete(Passage).where(Passage.resource_id == id))
    if cuts:
        await session.execute(
            insert(Passage),
            [
                {
                    "resource_id": id,
                    "position": position,
                    "heading": list(one.heading),
                    "start": one.start,
                    "end": one.end,
                    "tokens": one.tokens,
                    "kind": one.kind,
                    "content_hash": draft.content_hash,
                }
                for position, one in enumerate(cuts)
            ],
        )
    await search.index(session, id)
    await session.execute(
        update(Document)
        .where(Document.resource_id == Resource.id, Resource.id == id)
        .values(passages_hash=INPUT)
        .execution_options(synchronize_session=False)
    )
    event = IndexingProgress(**document.about, progress=INDEXED, message=MESSAGES["indexed"])
    emit(session, event, audience=document.audience)
    return True


async def settle(session: Session, resource_id: UUID) -> bool:
    """Call a document ready where all of it is; True where it was not before."""
    row = (await session.execute(_SETTLE, {"id": resource_id, "version": PASSAGES_VERSION})).one_or_none()
    if row is None or (document := await told(session, resource_id)) is None:
        return False
    count = await session.scalar(select(func.count()).where(Passage.resource_id == resource_id))
    emit(session, IndexingCompleted(**document.about, passages=count or 0), audience=document.audience)
    return True


async def give_up(session: Session, task_id: str) -> bool:
    """Write that the indexing, or the embedding, of a document was given up, by the dead letter of its task.

    False where it is no document, or ready.
    """
    letter = await session.scalar(select(DeadLetter).where(DeadLetter.task_id == task_id))
    if letter is None:
        return False
    resource_id = UUID(letter.arguments["resource_id"])
    said = ERROR.format(error=letter.exception.partition("\n")[0][:500].rstrip("."))
    row = await session.execute(
        update(Document)
        .where(
            Document.resource_id == Resource.id,
            Resource.id == resource_id,
            or_(Document.ready_hash.is_(None), Document.ready_hash != INPUT),
            or_(Document.failed_hash.is_(None), Document.failed_hash != INPUT),
        )
        .values(failed_hash=INPUT, index_error=said)
        .returning(Document.id)
        .execution_options(synchronize_session=False)
    )
    if row.one_or_none() is None or (document := await told(session, resource_id)) is None:
        return False
    error_type = letter.exception.partition("(")[0].partition(":")[0][:100]
    emit(session, IndexingFailed(**document.about, error=said, error_type=error_type), audience=document.audience)
    return True


async def text_changed(session: Session, resource_id: UUID) -> bool:
    """Have the passages of a document made again where they were cut from another text than the present one."""
    stale = select(Document.id).join(Resource, Resource.id == Document.resource_id)
    stale = stale.where(
        Resource.id == resource_id, Document.passages_hash.is_not(None), Document.passages_hash != INPUT
    )
    if await session.scalar(stale) is None or (document := await told(session, resource_id)) is None:
        return False
    emit(session, IndexingStale(resource_id=resource_id), audience=document.audience)
    return True


async def announce_stale(session: Session, limit: int = 500) -> int:
    """Ask again for documents whose passages are not those of their text, or that nobody called ready though they are.

    Returns how many there were. What failed for good with the present text is not tried again until somebody changes
    or asks for it. Missing embeddings are for the reconciler of the search to find.
    """
    given_up = select(DeadLetter.id).where(
        DeadLetter.name == INDEX_DOCUMENT.name,
        DeadLetter.failed_at > Resource.updated_at,
        DeadLetter.arguments["resource_id"].astext == cast(Resource.id, Text),
    )
    rows = await session.execute(
        select(Resource.id, Resource.private, Resource.owner_id)
        .join(Document, Document.resource_id == Resource.id)
        .where(
            Resource.status == "completed",
            Resource.content_hash.is_not(None),
            Resource.updated_at < func.now() - SETTLED,
            or_(Document.ready_hash.is_(None), Document.ready_hash != INPUT),
            or_(
                Document.passages_hash.is_(None),
                Document.passages_hash != INPUT,
                select(Embedding).where(Embedding.resource_id == Resource.id, _IS_EMBEDDED).exists(),
            ),
            ~given_up.exists(),
        )
        .order_by(Resource.updated_at)
        .limit(limit)
    )
    found = rows.all()
    for id, private, owner_id in found:
        emit(session, IndexingStale(resource_id=id), audience=owner_id if private else None)
    return len(found)
