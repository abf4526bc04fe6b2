"""The history of the queues: a row for each queue and minute, kept for a week, written by the web processes.

Every web process looks; the first one writes. What ended is counted by the workers (`queue.figures`), so that minutes
in which no web process ran are made up for, without their depth.
"""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import structlog
from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from service import queue
from service.database import reading, transaction
from service.errors import Unavailable
from service.monitoring.tables import QueueMinute
from service.queue.figures import RETRIED, Figures, ended_in
from service.queue.status import QueueStatus
from service.settings import settings

log = structlog.get_logger(__name__)

KEPT = timedelta(days=7)
LATE = 5  # seconds after a minute, in which workers may still tell of it
MISSED = 150  # minutes that are made up for: Redis keeps what ended for three hours
OUTAGES = (DBAPIError, PoolTimeout, Unavailable, OSError, TimeoutError)


@asynccontextmanager
async def sampling() -> AsyncGenerator[None]:
    """Write the history while the block runs; without a broker there is none."""
    if settings().tasks == "inline":
        yield
        return
    task = asyncio.create_task(_run(), name="queue history")
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def _run() -> None:
    while True:
        await asyncio.sleep(60 - (time.time() - LATE) % 60)
        try:
            await sample(int(time.time() - LATE) // 60 - 1)
        except OUTAGES as error:
            log.warning("the history of the queues has a gap", error=str(error))


async def sample(minute: int) -> None:
    """Write what the queues are like now as the end of a minute (since 1970), and what ended until then."""
    async with reading() as session:
        last = await session.scalar(select(func.max(QueueMinute.minute)))
    first = minute if last is None else max(minute - MISSED, int(last.timestamp()) // 60 + 1)
    if first > minute:
        return
    statuses = await queue.queue_status()
    ended = await ended_in(range(first, minute + 1))
    rows = [row for n, figures in enumerate(ended, first) for row in _rows(n, statuses, figures, now=n == minute)]
    async with transaction() as session:
        await session.execute(insert(QueueMinute).on_conflict_do_nothing(), rows)
        await session.execute(delete(QueueMinute).where(QueueMinute.minute < _moment(minute) - KEPT))


def _rows(minute: int, statuses: Sequence[QueueStatus], ended: Figures, *, now: bool) -> list[dict[str, Any]]:
    depths = {status.name: status for status in statuses}
    rows: list[dict[str, Any]] = []
    for name in dict.fromkeys([*depths, *(where for where, _ in ended)]):
        depth = depths.get(name) if now else None
        tasks = {task: one for (where, task), one in ended.items() if where == name}
        outcomes = sum((one.outcomes for one in tasks.values()), Counter[str]())
        durations = sum((one.durations for one in tasks.values()), Counter[int]())
        rows.append(
            {
                "minute": _moment(minute),
                "queue": name,
                "waiting": depth and depth.waiting,
                "scheduled": depth and depth.scheduled,
                "running": depth and depth.running,
                "oldest_age_s": depth and depth.oldest_age_s,
                "succeeded": outcomes["succeeded"],
                "failed": outcomes["failed"],
                "retried": outcomes[RETRIED],
                "tasks": {task: one.outcomes for task, one in tasks.items()},
                "durations": {str(number): count for number, count in durations.items()},
            }
        )
    return rows


def _moment(minute: int) -> datetime:
    return datetime.fromtimestamp(minute * 60, UTC)
