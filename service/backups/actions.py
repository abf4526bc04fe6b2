"""The nightly backup: asked for by the timetable, leased by the web process that takes it, and how it ended."""

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from service.backups.tables import Backup
from service.database import ReadSession, Session, Statement
from service.settings import settings

LEASE = 300  # seconds, which whoever takes a backup renews

_LEASE = Statement(
    """UPDATE backups SET leased_until = now() + make_interval(secs => :seconds)
    WHERE id = (SELECT id FROM backups WHERE ended_at IS NULL AND (leased_until IS NULL OR leased_until < now())
                ORDER BY requested_at LIMIT 1 FOR UPDATE SKIP LOCKED)
    RETURNING id"""
)
_RENEW = Statement("UPDATE backups SET leased_until = now() + make_interval(secs => :seconds) WHERE id = :id")
_END = Statement("UPDATE backups SET ended_at = now(), file = :file, size = :size, error = :error WHERE id = :id")


async def request(session: Session) -> bool:
    """Ask for a backup, where there is a folder for it and none is asked for already."""
    if settings().backup_folder is None:
        return False
    if await session.scalar(select(Backup.id).where(Backup.ended_at.is_(None)).limit(1)) is not None:
        return False
    await session.execute(insert(Backup))
    return True


async def lease(session: Session) -> UUID | None:
    """Return a backup that is to be taken, for `LEASE` seconds nobody else's."""
    rows = await session.fetch(_LEASE, seconds=LEASE)
    return rows[0]["id"] if rows else None


async def renew(session: Session, backup_id: UUID, seconds: float = LEASE) -> None:
    """Keep a lease; with 0 seconds, let another take it."""
    await session.fetch(_RENEW, id=backup_id, seconds=seconds)


async def end(
    session: Session, backup_id: UUID, *, file: str | None = None, size: int | None = None, error: str | None = None
) -> None:
    """Write how a backup ended."""
    await session.fetch(_END, id=backup_id, file=file, size=size, error=error)


async def newest(session: ReadSession) -> Backup | None:
    """Return the last backup that is whole."""
    whole = select(Backup).where(Backup.ended_at.is_not(None), Backup.error.is_(None))
    return await session.scalar(whole.order_by(Backup.ended_at.desc()).limit(1))


async def trouble(session: ReadSession) -> str | None:
    """Return why the last backup failed; None where it did not."""
    ended = select(Backup.error).where(Backup.ended_at.is_not(None))
    return await session.scalar(ended.order_by(Backup.ended_at.desc()).limit(1))
