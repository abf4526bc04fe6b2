"""Takes the backups that the timetable asks for, in a process of its own beside the web process."""

import asyncio
import os
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import structlog
from sqlalchemy.exc import DBAPIError

from service.backups import actions
from service.database import transaction
from service.errors import Unavailable
from service.settings import settings

log = structlog.get_logger(__name__)

LOOK = 15.0  # seconds between looks whether one is asked for
NAMED = "pharos-{:%Y-%m-%dT%H%M%S}Z.tar.gz"
PATTERN = "pharos-????-??-??T??????Z.tar.gz"  # of these, and of no other, the old ones are deleted


@asynccontextmanager
async def keeping() -> AsyncGenerator[None]:
    """Take what is asked for within the block, where PHAROS_BACKUP_FOLDER names a folder."""
    if settings().backup_folder is None:
        yield
        return
    taking = asyncio.create_task(_keep(), name="backups")
    try:
        yield
    finally:
        taking.cancel()
        await asyncio.wait([taking])


async def _keep() -> None:
    while True:
        with suppress(DBAPIError, Unavailable, OSError, TimeoutError):  # the database is away: its turn comes again
            while await take_next():
                pass
        await asyncio.sleep(LOOK)


async def take_next() -> bool:
    """Take a backup that is asked for; False where none is."""
    folder = settings().backup_folder
    if folder is None:
        return False
    async with transaction() as session:
        backup_id = await actions.lease(session)
    if backup_id is None:
        return False
    file = folder / NAMED.format(datetime.now(UTC))
    try:
        error = await _run(backup_id, file)
    except BaseException:
        with suppress(Exception):
            async with transaction() as session:
                await actions.renew(session, backup_id, 0)
        raise
    async with transaction() as session:
        if error is None:
            await actions.end(session, backup_id, file=file.name, size=file.stat().st_size)
        else:
            await actions.end(session, backup_id, error=error)
    if error is None:
        log.info("the nightly backup is complete", file=str(file), bytes=file.stat().st_size)
        await asyncio.to_thread(_thin_out, folder)
    else:
        log.error("the nightly backup failed", error=error)
    return True


async def _run(backup_id: UUID, file: Path) -> str | None:
    """Run the command; returns why it failed."""
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        return f"{file.parent} cannot be made: {error.strerror}"
    program = (sys.executable, "-m", "service.cli", "backup", str(file))
    process = await asyncio.create_subprocess_exec(
        *program, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE, preexec_fn=_gently
    )
    said = asyncio.create_task(process.communicate())
    try:
        while not (await asyncio.wait([said], timeout=actions.LEASE / 3))[0]:
            async with transaction() as session:
                await actions.renew(session, backup_id)
    except BaseException:
        with suppress(ProcessLookupError):
            process.terminate()
        await asyncio.wait([said])
        raise
    if process.returncode == 0:
        return None
    return said.result()[1].decode(errors="replace").strip()[-1000:] or f"it ended with {process.returncode}"


def _gently() -> None:
    os.nice(10)


def _thin_out(folder: Path) -> None:
    for old in sorted(folder.glob(PATTERN))[: -settings().backup_kept]:
        old.unlink(missing_ok=True)
