"""What the timetable throws away: files that never came whole, and stored bytes that nothing refers to."""

from uuid import UUID

from sqlalchemy import delete, func, select, union

from service import storage
from service.database import reading, transaction
from service.documents import parts
from service.documents.actions import forget_bytes
from service.documents.tables import Document, PartialUpload
from service.imports.tables import Import
from service.ingestion.tables import Ingestion
from service.trash.tables import Trashed

UNUSED = 24 * 3600.0  # seconds since they were put in, after which bytes are looked at
AT_ONCE = 500


async def drop_expired() -> int:
    """Delete uploads that have expired, with their bytes, and parts that have no upload; returns how many of both."""
    async with transaction() as session:
        expired = delete(PartialUpload).where(PartialUpload.expires_at < func.now()).returning(PartialUpload.id)
        dropped = set((await session.scalars(expired)).all())
    old = {UUID(name) for name in await storage.configured().parts(UNUSED) if _is_id(name)}
    async with reading() as session:
        known = set((await session.scalars(select(PartialUpload.id).where(PartialUpload.id.in_(old)))).all())
    dropped |= old - known
    for upload_id in dropped:
        await parts.drop(upload_id)
    return len(dropped)


def _is_id(name: str) -> bool:
    try:
        return str(UUID(name)) == name
    except ValueError:
        return False


async def unused() -> list[str]:
    """Return the keys of stored bytes that nothing refers to, and that nobody put in for `UNUSED` seconds."""
    found: list[str] = []
    old = await storage.configured().keys(UNUSED)
    for keys in (old[at : at + AT_ONCE] for at in range(0, len(old), AT_ONCE)):
        async with reading() as session:
            columns = (Document.original, Ingestion.original, Import.original)
            trashed = select(func.unnest(Trashed.originals)).where(Trashed.originals.overlap(keys))
            used = union(*(select(column).where(column.in_(keys)) for column in columns), trashed)
            found += sorted(set(keys) - set((await session.scalars(used)).all()))
    return found


async def drop_unused() -> int:
    """Delete stored bytes that nothing refers to any more; returns how many files they were."""
    dropped = 0
    for key in await unused():
        async with transaction() as session:
            dropped += await forget_bytes(session, key)
    return dropped
