"""Verbs of documents: upload, read, list, change, delete."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, exists, false, func, or_, select, text, union
from sqlalchemy.orm import load_only

from service import storage
from service.batches import actions as batches
from service.database import ReadSession, Session
from service.documents import subjects
from service.documents.events import DocumentUploaded
from service.documents.tables import Document, StudySubject
from service.errors import Forbidden, NotFound, Unavailable
from service.imports.tables import Import
from service.ingestion import actions as ingestion
from service.ingestion.tables import Ingestion
from service.outbox import emit
from service.queue.ledger import accept
from service.resources import actions as resources
from service.resources.tables import Resource, visible
from service.security.accounts import Account
from service.tasks import INGEST, PROCESS
from service.trash.tables import Trashed

FILE_LIMIT = 100 * 2**20  # bytes

_TURN = text("SELECT pg_advisory_xact_lock(7262051, hashtext(:key))")


class NotYourDocument(Forbidden):
    """Only who uploaded a document may rename it or put it into a subject."""


class BytesVanished(Unavailable):
    """The bytes of this file were deleted with another document at this moment. Send it again."""


@dataclass(frozen=True, slots=True)
class Upload:
    """A file whose bytes are stored: its name as given, size in bytes, storage key, type as the client declared it."""

    filename: str
    size: int
    key: str
    declared_type: str | None


@dataclass(frozen=True, slots=True)
class Uploaded:
    """The answer for one file; of a duplicate, id and file name are those of the document that it equals."""

    id: UUID
    resource_id: UUID
    task_id: UUID | None
    filename: str
    status: str
    duplicate: bool


@dataclass(frozen=True, slots=True)
class Known:
    """A document as an account sees it; its subject is its owner's business."""

    document: Document
    resource: Resource
    status: str
    subject: StudySubject | None


async def upload(
    session: Session,
    account: Account,
    file: Upload,
    *,
    subject: str | None,
    private: bool,
    category: str | None = None,
    batch_id: UUID | None = None,
) -> Uploaded:
    """Make the document and its resource; the same bytes again give the first document."""
    await session.execute(_TURN, {"key": file.key})  # nobody deletes these bytes as unused meanwhile
    if not await storage.exists(file.key):
        raise BytesVanished
    address = ingestion.address_of(account, f"sha256:{file.key}", private=private)
    if not private and (known := await _own_private(session, account, file.key)) is not None:
        return await _again(session, account, known)
    fields = {
        "title": file.filename,
        "type": "document",
        "private": private,
        "subjects": [subject] if subject else [],
    }
    way = {"source": "upload", "original": file.key, "filename": file.filename, "declared_type": file.declared_type}
    way |= {"from_step": "extracted", "batch_id": batch_id}
    entered, entrance = await ingestion.enter(session, account, fields, way, address)
    if entrance != "new":
        return replace(await _again(session, account, entered), duplicate=entrance == "known")
    document = Document(
        resource_id=entered.resource_id,
        owner_id=account.id,
        filename=file.filename,
        subject_id=(await subjects.named(session, account, subject)).id if subject else None,
        category=category,
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


async def _own_private(session: Session, account: Account, key: str) -> Ingestion | None:
    address = ingestion.address_of(account, f"sha256:{key}", private=True)
    return await session.scalar(select(Ingestion).where(Ingestion.address == address).with_for_update())


async def _again(session: Session, account: Account, entered: Ingestion) -> Uploaded:
    """Return the document that an ingestion has made; one that failed is read again."""
    if entered.state == "failed":
        started = await ingestion.restart(session, entered, "extracted", account.id)
        await accept(session, account.id, INGEST, started)
    found = (
        await session.execute(select(Document, Document.status).where(Document.resource_id == entered.resource_id))
    ).one()
    document, status = found
    return Uploaded(document.id, entered.resource_id, entered.task_id, document.filename, status, True)


def _seen(account: Account, *columns: Any) -> Select[*tuple[Any, ...]]:
    """Select documents that an account may see, their resources, statuses and, of its own, subjects."""
    return (
        select(Document, Resource, Document.status, StudySubject, *columns)
        .join(Resource, Resource.id == Document.resource_id)
        .outerjoin(StudySubject, (StudySubject.id == Document.subject_id) & (StudySubject.owner_id == account.id))
        .where(visible(account))
    )


async def read(session: ReadSession, account: Account, document_id: UUID) -> tuple[Known, Ingestion]:
    """Return a document with its ingestion; NotFound where the account may not see it."""
    found = (
        await session.execute(
            _seen(account, Ingestion)
            .join(Ingestion, Ingestion.resource_id == Resource.id)
            .where(Document.id == document_id)
        )
    ).one_or_none()
    if found is None:
        raise NotFound(what="document", id=document_id)
    document, resource, status, subject, entered = found
    return Known(document, resource, status, subject), entered


SORTS = {
    "created_at": Document.created_at.asc(),
    "-created_at": Document.created_at.desc(),
    "filename": func.lower(Document.filename).asc(),
    "-filename": func.lower(Document.filename).desc(),
    "size": Document.size.asc(),
    "-size": Document.size.desc(),
}
BY_SUBJECT = {"subject": StudySubject.folded.asc(), "-subject": StudySubject.folded.desc()}
LISTED = (
    Resource.id, Resource.owner_id, Resource.title, Resource.media_type, Resource.language, Resource.private,
    Resource.word_count, Resource.status, Resource.content_hash, Resource.type,
)  # fmt: skip


async def browse(
    session: ReadSession,
    account: Account,
    *,
    limit: int,
    offset: int,
    sort: str = "-created_at",
    own: bool | None = None,
    subject: str | None = None,
    category: str | None = None,
    status: Sequence[str] | None = None,
    q: str | None = None,
    resource_ids: Sequence[UUID] | None = None,
) -> tuple[int, list[Known]]:
    """Return how many documents match, and one page of them; `subject` is an id, a name, or `none`."""
    asked = list[ColumnElement[bool]]()
    if own is not None:
        asked.append((Document.owner_id == account.id) if own else (Document.owner_id != account.id))
    if subject == "none":
        asked += [Document.subject_id.is_(None), Document.owner_id == account.id]
    elif subject is not None:
        chosen = await subjects.chosen(session, account, subject)
        asked += [Document.subject_id == chosen if chosen else false(), Document.owner_id == account.id]
    if category is not None:
        asked += [func.lower(Document.category) == category.lower(), Document.owner_id == account.id]
    if status:
        asked.append(Document.status.in_(status))
    if q:
        filed = select(Document.resource_id).where(Document.filename.icontains(q, autoescape=True))
        titled = select(Resource.id).where(Resource.title.icontains(q, autoescape=True))
        asked.append(Document.resource_id.in_(union(filed, titled)))  # each by an index of its own
    if resource_ids is not None:
        asked.append(Document.resource_id.in_(resource_ids))
    # Counted without the subjects: the join would cost nothing, and yet keep the count from an index.
    total = await session.scalar(
        select(func.count())
        .select_from(Document)
        .join(Resource, Resource.id == Document.resource_id)
        .where(visible(account), *asked)
    )
    page = _seen(account).where(*asked).options(load_only(*LISTED, raiseload=True))
    if sort in SORTS:
        rows = (await session.execute(page.order_by(SORTS[sort], Document.id).limit(limit).offset(offset))).all()
    else:  # what has a subject, then the rest: each in an order that an index has
        named, rest = page.where(StudySubject.id.is_not(None)), page.where(StudySubject.id.is_(None))
        ordered = named.order_by(BY_SUBJECT[sort], Document.id)
        rows = (await session.execute(ordered.limit(limit).offset(offset))).all()
        if len(rows) < limit:
            before = select(func.count()).select_from(named.with_only_columns(Document.id).subquery())
            start = max(offset - (await session.scalar(before) or 0), 0)
            more = rest.order_by(Document.id).limit(limit - len(rows)).offset(start)
            rows = [*rows, *(await session.execute(more)).all()]
    return total or 0, [Known(*row) for row in rows]


async def failures(session: ReadSession, resource_ids: Sequence[UUID]) -> dict[UUID, str]:
    """Return why those of the resources that could not be read could not."""
    rows = await session.execute(
        select(Ingestion.resource_id, Ingestion.error).where(
            Ingestion.resource_id.in_(resource_ids), Ingestion.error.is_not(None)
        )
    )
    return {id: error for id, error in rows if error}


async def change(session: Session, account: Account, document_id: UUID, fields: Mapping[str, Any]) -> Known:
    """Set name, subject (an id, a name that may be new, or None) or category of one's own document."""
    known, _ = await read(session, account, document_id)
    if known.document.owner_id != account.id:
        raise NotYourDocument
    values = dict(fields)
    if "subject" in values:
        wanted = values.pop("subject")
        found = await subjects.chosen(session, account, wanted) if wanted else None
        if wanted and found is None:
            found = (await subjects.named(session, account, wanted)).id
        values["subject_id"] = found
    for name, value in values.items():
        setattr(known.document, name, value)
    await session.flush()
    return (await read(session, account, document_id))[0]


async def remove(session: Session, account: Account, document_id: UUID) -> None:
    """Put a document with its resource into the trash; NotFound where the account may not see it."""
    known, _ = await read(session, account, document_id)
    await resources.remove_for(session, account.id, known.resource.id)


async def remove_for(session: Session, account_id: UUID, resource_id: UUID) -> None:
    """Put the document of a resource into the trash as far as the account of that id may; see `remove`."""
    if await session.scalar(select(Document.id).where(Document.resource_id == resource_id)) is None:
        raise NotFound(what="document of resource", id=resource_id)
    await resources.remove_for(session, account_id, resource_id)


async def request_removal(session: Session, account: Account, document_ids: Sequence[UUID]) -> UUID:
    """Have many documents deleted; returns the task's id. NotFound names one that the account may not see."""
    wanted = list(dict.fromkeys(document_ids))
    rows = await session.execute(
        select(Document.id, Document.resource_id)
        .join(Resource, Resource.id == Document.resource_id)
        .where(Document.id.in_(wanted), visible(account))
    )
    known = {id: resource_id for id, resource_id in rows}
    for id in wanted:
        if id not in known:
            raise NotFound(what="document", id=id)
    return await batches.request_deletion(session, account, [known[id] for id in wanted])


async def forget_bytes(session: Session, key: str) -> bool:
    """Delete the bytes of a key that nothing refers to any more; False where something does."""
    await session.execute(_TURN, {"key": key})
    kept = (Document.original, Ingestion.original, Import.original)
    trashed = exists().where(Trashed.originals.contains([key]))
    used = select(or_(*(exists().where(column == key) for column in kept), trashed))
    if await session.scalar(used):
        return False
    await storage.delete(key)
    return True
