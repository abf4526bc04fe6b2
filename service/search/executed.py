"""Tells of searches through the outbox, like everything that happens, but some at a time.

A search accepts nothing that could be lost, so that it does not wait for a commit of its own: those of half a second
are committed together, and a process that is killed takes its last half second of them along.
"""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from uuid import UUID

import structlog
from sqlalchemy.exc import DBAPIError

from service.database import transaction
from service.errors import Unavailable
from service.events import Origin, current_origin, origin
from service.outbox import emit
from service.search.events import SearchExecuted

log = structlog.get_logger(__name__)

PAUSE = 0.5  # seconds
MOST = 5000  # waiting ones; the database is away, and who searched what meanwhile is not worth the memory

_waiting: list[tuple[SearchExecuted, UUID, Origin]] = []
_flushing: asyncio.Task[None] | None = None
_hurry = asyncio.Event()  # ends the pause before a flush


def record(event: SearchExecuted, account_id: UUID) -> None:
    """Have a search told of soon; only the account that searched will see it."""
    global _flushing, _hurry
    if len(_waiting) < MOST:
        _waiting.append((event, account_id, current_origin()))
    if _flushing is None or _flushing.done():
        _hurry = asyncio.Event()
        _flushing = asyncio.get_running_loop().create_task(_flush_soon(_hurry))


@asynccontextmanager
async def recording() -> AsyncGenerator[None]:
    """Tell of the last ones when the block ends, and leave nothing running."""
    try:
        yield
    finally:
        _hurry.set()
        if _flushing is not None:
            await _flushing
        await flush()


async def flush() -> None:
    """Tell of what is waiting."""
    batch = _waiting.copy()
    _waiting.clear()
    if not batch:
        return
    try:
        async with transaction() as session:
            for event, account_id, here in batch:
                with origin(here.correlation_id, here.cause):
                    emit(session, event, audience=account_id)
    except (Unavailable, DBAPIError, OSError, TimeoutError) as error:
        log.warning("searches are not told of", searches=len(batch), error=str(error))


async def _flush_soon(hurry: asyncio.Event) -> None:
    with suppress(TimeoutError):
        await asyncio.wait_for(hurry.wait(), PAUSE)
    await flush()
