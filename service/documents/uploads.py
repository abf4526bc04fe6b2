"""Files that come in pieces: announced, sent from the offset that the server has, resumed after any break.

The row says how much is on the disk; it is written after the bytes. So a server that dies in between has some bytes
more than it says, and the next piece overwrites them.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

from sqlalchemy import delete, func, select, update
from starlette.requests import ClientDisconnect

from service import storage
from service.database import ReadSession, Session, reading, transaction
from service.documents import parts
from service.documents.actions import Upload, forget_bytes, upload
from service.documents.tables import Document, PartialUpload
from service.errors import Conflict, Invalid, NotFound
from service.ingestion.tables import Ingestion
from service.security.accounts import Account

CHUNK = 8 * 2**20  # bytes that a client should send at a time
EXPIRES = timedelta(hours=24)  # after the last piece
MOST = 100  # files of an account that have begun and are not whole


class TooManyUploads(Conflict):
    """{most} files of yours are on their way already. Finish or delete one of them first."""


class WrongOffset(Conflict):
    """The server has {offset} bytes of this file: go on from there."""

    @property
    def headers(self) -> dict[str, str]:
        """The offset to go on from."""
        return {"Upload-Offset": str(self.context["offset"])}


class ChecksumDiffers(Invalid):
    """What came has the SHA-256 {found}, and {announced} was announced. It was deleted: send the file again."""


@dataclass(frozen=True, slots=True)
class Announced:
    """A file that is to come."""

    filename: str
    size: int  # bytes
    declared_type: str | None
    sha256: str | None
    subject: str | None
    category: str | None
    private: bool


async def announce(session: Session, account: Account, file: Announced) -> PartialUpload:
    """Make room for a file; TooManyUploads where the account has `MOST` that are not whole."""
    under_way = select(func.count()).where(
        PartialUpload.owner_id == account.id,
        PartialUpload.document_id.is_(None),
        PartialUpload.expires_at > func.now(),
    )
    if (await session.scalar(under_way) or 0) >= MOST:
        raise TooManyUploads(most=MOST)
    row = PartialUpload(
        id=uuid4(),
        owner_id=account.id,
        filename=file.filename,
        declared_type=file.declared_type,
        size=file.size,
        sha256=file.sha256,
        subject=file.subject,
        category=file.category,
        private=file.private,
        expires_at=datetime.now(UTC) + EXPIRES,
    )
    session.add(row)
    await session.flush()
    return row


async def read(session: ReadSession, account: Account, upload_id: UUID) -> PartialUpload:
    """Return an upload of this account; NotFound where there is none, or it has expired."""
    row = await session.scalar(
        select(PartialUpload).where(
            PartialUpload.id == upload_id,
            PartialUpload.owner_id == account.id,
            PartialUpload.expires_at > func.now(),
        )
    )
    if row is None:
        raise NotFound(what="upload", id=upload_id)
    return row


async def made(session: ReadSession, row: PartialUpload) -> dict[str, object] | None:
    """Return the document that an upload has become, as an upload in one piece answers it; None before."""
    if row.document_id is None:
        return None
    found = await session.execute(
        select(Document.id, Document.resource_id, Ingestion.task_id, Document.filename, Document.status)
        .join(Ingestion, Ingestion.resource_id == Document.resource_id)
        .where(Document.id == row.document_id)
    )
    return {**found.mappings().one(), "duplicate": row.duplicate}


async def append(account: Account, upload_id: UUID, offset: int, pieces: AsyncIterator[bytes]) -> PartialUpload:
    """Add a piece of an upload that `read` has found; what makes the file whole makes the document.

    No session is open while bytes come.

    Raises WrongOffset, UploadBusy, MoreThanAnnounced, ChecksumDiffers, NotFound, and ClientDisconnect once what came is
    kept.
    """
    async with parts.locked(upload_id) as part:
        async with reading() as session:
            row = await read(session, account, upload_id)
        if row.document_id is not None:
            if offset != row.size:
                raise WrongOffset(offset=row.size)
            return row
        there = min(row.received, part.size)  # less, where the storage lost the part
        if offset != there:
            raise WrongOffset(offset=there)
        received, left = await part.add(offset, row.size, pieces)
        async with transaction() as session:
            await session.execute(
                update(PartialUpload)
                .where(PartialUpload.id == upload_id)
                .values(received=received, expires_at=func.now() + EXPIRES)
                .execution_options(synchronize_session=False)
            )
        if left:
            raise ClientDisconnect
        if received == row.size:
            await _finish(account, row)
    async with reading() as session:
        return await read(session, account, upload_id)


async def _finish(account: Account, row: PartialUpload) -> None:
    key = await storage.configured().adopt(str(row.id), row.size)
    if row.sha256 not in (None, key):
        await drop(account, row.id)
        async with transaction() as session:
            await forget_bytes(session, key)
        raise ChecksumDiffers(found=key, announced=row.sha256)
    file = Upload(row.filename, row.size, key, row.declared_type)
    async with transaction() as session:
        done = await upload(session, account, file, subject=row.subject, category=row.category, private=row.private)
        await session.execute(
            update(PartialUpload)
            .where(PartialUpload.id == row.id)
            .values(document_id=done.id, duplicate=done.duplicate)
            .execution_options(synchronize_session=False)
        )
    await parts.drop(row.id)


async def drop(account: Account, upload_id: UUID) -> None:
    """Delete an upload and its bytes; a document that it has become stays."""
    async with transaction() as session:
        row = await read(session, account, upload_id)
        await session.execute(delete(PartialUpload).where(PartialUpload.id == row.id))
    await parts.drop(upload_id)
