"""What is told of a document while it is read: for the workers, in the transaction that moves its ingestion.

Resources that are no documents are passed over.
"""

from typing import NamedTuple
from uuid import UUID

from sqlalchemy import select, update

from service.database import ReadSession, Session
from service.documents.events import DocumentFailed, DocumentProcessed, DocumentProcessing
from service.documents.progress import MESSAGES, READING, STORING, STORING_MESSAGE
from service.documents.tables import Document
from service.errors import PharosError
from service.outbox import emit
from service.resources.tables import Resource


class Told(NamedTuple):
    """What every event of a document says, and who may hear it."""

    about: dict[str, UUID]
    audience: UUID | None
    word_count: int
    status: str


async def told(session: ReadSession, resource_id: UUID) -> Told | None:
    """Return what events of the document of a resource say; None where it is none."""
    row = (
        await session.execute(
            select(
                Document.id,
                Document.owner_id,
                Resource.owner_id,
                Resource.private,
                Resource.word_count,
                Resource.status,
            )
            .join(Resource, Resource.id == Document.resource_id)
            .where(Document.resource_id == resource_id)
        )
    ).one_or_none()
    if row is None:
        return None
    id, uploader, owner, private, word_count, status = row
    about = {"resource_id": resource_id, "document_id": id, "user_id": uploader}
    return Told(about, owner if private else None, word_count, status)


async def processing(session: Session, resource_id: UUID, *, stored: bool = False) -> None:
    """Tell that a document is being read, or that its text is being `stored`."""
    if (document := await told(session, resource_id)) is None:
        return
    progress, message = (STORING, STORING_MESSAGE) if stored else (READING, MESSAGES["processing"])
    event = DocumentProcessing(**document.about, progress=progress, message=message)
    emit(session, event, audience=document.audience)


async def processed(session: Session, resource_id: UUID, pages: int | None) -> None:
    """Tell that the text of a document is stored; its indexing starts with that."""
    if (document := await told(session, resource_id)) is None or document.status != "completed":
        return
    await session.execute(
        update(Document)
        .where(Document.resource_id == resource_id)
        .values(pages=pages)
        .execution_options(synchronize_session=False)
    )
    event = DocumentProcessed(**document.about, word_count=document.word_count, pages=pages)
    emit(session, event, audience=document.audience)


async def failed(session: Session, resource_id: UUID, error: PharosError) -> None:
    """Tell that a document could not be read."""
    if (document := await told(session, resource_id)) is None or document.status != "failed":
        return
    event = DocumentFailed(**document.about, error=error.detail, error_type=type(error).__name__)
    emit(session, event, audience=document.audience)
