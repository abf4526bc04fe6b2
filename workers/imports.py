"""The actors of imports: a file is read once, then added a chunk at a time; a crash costs one chunk."""

import asyncio
from typing import Any
from uuid import UUID

from service import storage
from service.database import reading, transaction
from service.errors import PharosError
from service.events import current_origin, origin
from service.imports import actions, adding, lookup
from service.imports.extraction import read_file
from service.imports.tables import Import
from service.queue import actor, progress
from service.tasks import IMPORT, LOOK_UP

KEPT = 1000  # entries that are written at a time
ADDED = 200  # entries that are added in one transaction


@actor(IMPORT)
async def import_file(import_id: UUID) -> dict[str, Any]:
    """Read a file where that is not done, and add what is left of it, as bulk work."""
    async with reading() as session:
        row = await actions.unfinished(session, import_id)
    here = current_origin()
    with origin(here.correlation_id, here.cause, bulk=True):
        try:
            if row is not None and row.state == "pending":
                await _read(row)
            if row is not None:
                await _add(row)
        except PharosError as error:
            if error.transient:
                raise
            async with transaction() as session:
                await actions.give_up(session, import_id, error.detail)
        async with transaction() as session:
            return await actions.finish(session, import_id)


async def _read(row: Import) -> None:
    body = await storage.get(row.original or "")
    contents = await read_file(body, row.format)
    found, start = contents.found(), 0
    while chunk := await asyncio.to_thread(lambda: [one for _, one in zip(range(KEPT), found, strict=False)]):
        async with transaction() as session:
            await actions.keep(session, row.id, start, chunk)
        start += len(chunk)
    async with transaction() as session:
        await actions.begin(session, row.id, contents.format)


async def _add(row: Import) -> None:
    while True:
        async with reading() as session:
            rows = await actions.pending(session, row.id, ADDED)
        if not rows:
            return
        chunk = await adding.prepare(rows, row.tags)
        async with transaction() as session:
            now = await actions.add(session, row.id, chunk)
        if now is None:
            return
        progress(now.total - now.pending, now.total, "import")


@actor(LOOK_UP)
async def look_up_metadata(resource_id: UUID) -> dict[str, list[str]]:
    """Ask a register of papers for what a resource does not say of itself; no session is open meanwhile."""
    async with reading() as session:
        wanted = await lookup.wanted(session, resource_id)
    found = None if wanted is None else await lookup.look_up(wanted)
    if wanted is None or found is None:
        return {"filled": []}
    async with transaction() as session:
        return {"filled": await lookup.keep(session, wanted, found)}
