"""Verbs of documents."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select

from service.database import ReadSession, Session
from service.documents.events import DocumentUploaded
from service.documents.tables import Document
from service.errors import NotFound
from service.hooks import INGEST, PROCESS
from service.ingestion import actions as ingestion
from service.ingestion.tables import Ingestion
from service.outbox import emit
from service.queue.ledger import accept
from service.resources.tables import Resource, visible
from service.security.accounts import Account


@dataclass(frozen=True, slots=True)
class Upload:
    """A file whose bytes are stored: its name as given, size in bytes, storage key, type as the client declared it."""

    filename: str
    size: int
    key: str
    declared_type: str | None


@dataclass(frozen=True, slots=True)
class Uploaded:
    """The answer for one file."""

    id: UUID
    resource_id: UUID
    task_id: UUID | None
    filename: str
    status: str
    duplicate: bool


async def upload(
    session: Session,
    account: Account,
    file: Upload,
    *,
    subject: str | None,
    private: bool,
    batch_id: UUID | None = None,
) -> Uploaded:
    """Make the document and its resource; the same bytes again give the first document."""
    address = ingestion.address_of(account, f"sha256:{file.key}", private=private)
    fields = {
        "title": file.filename,
        "type": "document",
        "private": private,
        "subjects": [subject] if subject else [],
    }
    way = {"source": "upload", "original": file.key, "filename": file.filename, "declared_type": file.declared_type}
    way |= {"from_step": "extracted", "batch_id": batch_id}
    entered, is_new = await ingestion.enter(session, account, fields, way, address)
    if not is_new:
        document = await session.scalar(select(Document).where(Document.resource_id == entered.resource_id))
        assert document is not None
        if entered.state == "failed":
            started = await ingestion.restart(session, entered, "extracted", account.id)
            await accept(session, account.id, INGEST, started)
        return Uploaded(document.id, entered.resource_id, entered.task_id, document.filename, "uploaded", True)
    document = Document(
        resource_id=entered.resource_id,
        owner_id=account.id,
        filename=file.filename,
        subject=subject,
        size=file.size,
        original=file.key,
    )
    session.add(document)
    await session.flush()
    event_id = emit(
        session,
        DocumentUploaded(
            resource_id=entered.resource_id,
            document_id=document.id,
            user_id=account.id,
            filename=file.filename,
            size=file.size,
        ),
        audience=account.id if private else None,
    )
    task_id = entered.task_id = ingestion.task_id(PROCESS, event_id, entered.resource_id)
    await accept(session, account.id, PROCESS, task_id)
    return Uploaded(document.id, entered.resource_id, entered.task_id, file.filename, "uploaded", False)


async def read(session: ReadSession, account: Account, document_id: UUID) -> tuple[Document, Resource, Ingestion]:
    """Return a document with its resource and ingestion; NotFound where the account may not see it."""
    found = (
        await session.execute(
            select(Document, Resource, Ingestion)
            .join(Resource, Resource.id == Document.resource_id)
            .join(Ingestion, Ingestion.resource_id == Resource.id)
            .where(Document.id == document_id, visible(account))
        )
    ).one_or_none()
    if found is None:
        raise NotFound(what="document", id=document_id)
    document, resource, entered = found
    return document, resource, entered


def status_of(resource: Resource, steps: Sequence[dict[str, object]]) -> str:
    """Return uploaded, processing, processed, indexed, ready or failed, from the steps of the resource."""
    done = {step["name"] for step in steps if step["state"] == "completed"}
    if resource.status == "failed":
        return "failed"
    if {"indexed", "embedded"} <= done:
        return "ready"
    if "indexed" in done:
        return "indexed"
    return {"completed": "processed", "processing": "processing"}.get(resource.status, "uploaded")
