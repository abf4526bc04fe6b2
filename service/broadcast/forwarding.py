"""From the log to the programs beside Pharos: a stream that durable readers follow, and plain channels.

The log is the truth, and Redis holds how far it was told, so that no event is left out while Redis is away or when a
process ends in between, and none is told twice: whoever comes with an old position tells nothing. The relay only
wakes this; it waits for none of it.
"""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any

import orjson
import structlog
from asyncpg import Record

from service.broadcast.names import CHANNELS
from service.broadcast.statuses import STATUSES, facts_of, update_of
from service.broadcast.wire import encode
from service.database import Statement, fetch
from service.outbox import OUTAGES
from service.queue.link import client
from service.queue.requeue import TaskRequeued
from service.queue.scripting import Call, execute, script
from service.settings import settings

log = structlog.get_logger(__name__)

POSITION = f"{CHANNELS}position"
BATCH = 500
POLL = 5.0  # seconds between looks for what a crashed process left
WITHHELD = {TaskRequeued.name}  # it holds all arguments of a task, which may be anything
RECALLED = 3600  # seconds of the log, and
RECALLED_MOST = 10_000  # events of it, that a stream gets back which Redis has lost

_GROWN = Statement(
    """SELECT position, id, name, version, CAST(data AS text) AS data, timestamp, priority, correlation_id, cause,
        audience
    FROM events WHERE position > :after ORDER BY position LIMIT :most"""
)
_NEWEST = Statement("SELECT coalesce(max(position), 0) AS newest FROM events")
_RECALL = Statement(
    """SELECT coalesce(max(position) FILTER (WHERE timestamp < now() - make_interval(secs => :seconds)), :floor)
        AS position FROM events WHERE position > :floor"""
)


class Forwarder:
    """Tells what the log has grown by, whenever it is woken."""

    def __init__(self) -> None:
        self._woken = asyncio.Event()

    def wake(self) -> None:
        """Say that there may be something to tell."""
        self._woken.set()

    async def run(self) -> None:
        """Tell on until cancelled; survives outages and errors."""
        away = False
        while True:
            self._woken.clear()
            try:
                while await self.forward() == BATCH:
                    pass
                if away:
                    log.info("events are broadcast again")
                away = False
            except Exception as error:
                if not isinstance(error, OUTAGES):
                    log.critical("broadcast waits", error=str(error), exc_info=error)
                elif not away and settings().broker_url is not None:
                    log.warning("broadcast waits", error=str(error))
                away = True
                await asyncio.sleep(1)
            with suppress(TimeoutError):
                async with asyncio.timeout(POLL):
                    await self._woken.wait()

    async def forward(self) -> int:
        """Tell one batch and return how many events of the log it had; raises BrokerAway and DatabaseAway."""
        [at] = await client().read(("GET", POSITION))
        silent = ""
        if at is None:
            [recent] = await fetch(_NEWEST)
            [start] = await fetch(_RECALL, floor=max(0, recent["newest"] - RECALLED_MOST), seconds=RECALLED)
            after, silent = start["position"], str(recent["newest"])
        else:
            after = int(at)
        rows = await fetch(_GROWN, after=after, most=BATCH)
        if not rows and at is not None:
            [recent] = await fetch(_NEWEST)
            if recent["newest"] < after:  # the database is another one, or an older one
                log.warning("the log is shorter than what was broadcast of it", told=after, log=recent["newest"])
                await client().call(("DEL", POSITION))
                return BATCH
            return 0
        last = str(rows[-1]["position"] if rows else after)
        kept = settings().events_broadcast_kept
        call = Call(script("broadcast"), [at or "", last, kept, silent, *_told(rows)])
        [reply] = await execute(call)
        return len(rows) if reply == last.encode() else BATCH  # somebody else was faster: look what is left


def _told(rows: Sequence[Record]) -> list[str | bytes]:
    told: list[str | bytes] = []
    for row in rows:
        position, name = str(row["position"]), row["name"]
        if name in WITHHELD:
            continue
        facts: dict[str, Any] = dict(row)
        del facts["position"]
        told += position, name, encode(facts | {"data": orjson.Fragment(row["data"])})
        if name in STATUSES and (update := update_of(row["id"], name, orjson.loads(row["data"]), row["audience"])):
            id, status = update
            shape = facts_of(id, status, row["timestamp"], row["correlation_id"], row["id"], row["audience"])
            told += position, status.name, encode(shape)
    return told


Ring = Callable[[], Awaitable[None]]


@asynccontextmanager
async def forwarding(ring: Ring) -> AsyncGenerator[Ring]:
    """Broadcast in the background of the block; what is given back is for the relay, and calls `ring` as well."""
    forwarder = Forwarder()
    running = asyncio.create_task(forwarder.run(), name="broadcast")

    async def wake() -> None:
        forwarder.wake()
        await ring()

    try:
        yield wake
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
