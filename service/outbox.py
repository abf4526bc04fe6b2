"""The transactional outbox: events commit with the change, the relay carries them on, the log keeps them.

    emit     INSERT outbox, in the caller's transaction
    claim    lease a batch for `LEASE` seconds and commit: no lock is held while Redis or a listener works
    publish  tasks to the queue in one hop, then this process's listeners
    settle   move the batch from the outbox to the log, last: a crash before it repeats the batch, and a repeated
             event makes no second task, since message ids are derived from event ids

The log's `position` is given while one advisory lock is held until the commit, so that whoever reads
`position > cursor` never misses a row that commits late.
"""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import datetime
from functools import partial
from operator import itemgetter
from typing import Any
from uuid import UUID

import orjson
import structlog
from asyncpg import Record
from pydantic import ValidationError
from sqlalchemy import BigInteger, DateTime, Identity, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Mapped, mapped_column

from service.bus import EventBus, Router, Sender
from service.cache.forgetting import forget
from service.database import Base, ReadSession, Session, Statement, fetch
from service.errors import Unavailable
from service.event_log import EventColumns
from service.events import Envelope, Event

log = structlog.get_logger(__name__)

Row = Mapping[str, Any] | Record

LEASE = 15  # seconds until another process may take over a batch that was not settled
BATCH = 500
TURN = 100  # events of a batch that are published at a time, or this process's requests would have to wait for all
GATHER = 0.02  # seconds between two batches: in a burst, what commits meanwhile goes along with the next one
POLL = 1.0  # seconds between looks for what a crashed process left
OUTAGES = (Unavailable, DBAPIError, OSError, TimeoutError)


class OutboxRow(EventColumns, Base):
    """An event that is committed and not yet carried on."""

    __tablename__ = "outbox"

    seq: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    claimed_until: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


_COLUMNS = "id, name, version, data, priority, correlation_id, cause, audience, subject, bulk, timestamp"
_TYPES = (
    "id uuid, name text, version smallint, data jsonb, priority smallint, correlation_id text, cause uuid, "
    "audience uuid, subject uuid, bulk boolean, timestamp timestamptz"
)
_INSERT = Statement(
    f"""INSERT INTO outbox ({_COLUMNS}) SELECT {_COLUMNS}
    FROM jsonb_to_recordset(CAST(CAST(:rows AS text) AS jsonb)) AS row({_TYPES})"""  # noqa: S608
)
_CLAIM = Statement(
    f"""UPDATE outbox SET claimed_until = now() + make_interval(secs => :lease)
    WHERE seq IN (SELECT seq FROM outbox WHERE claimed_until IS NULL OR claimed_until < now()
                  ORDER BY seq LIMIT :most FOR UPDATE SKIP LOCKED)
    RETURNING seq, {_COLUMNS}"""  # noqa: S608
)
_SETTLE = Statement(
    f"""WITH turn AS MATERIALIZED (SELECT pg_advisory_xact_lock(7262011)),
    gone AS (DELETE FROM outbox USING turn WHERE seq = ANY(:done) RETURNING seq, {_COLUMNS})
    INSERT INTO events ({_COLUMNS}) SELECT {_COLUMNS} FROM gone ORDER BY seq"""  # noqa: S608
)
_RELEASE = Statement("UPDATE outbox SET claimed_until = NULL WHERE seq = ANY(:done)")
_AGE = text("SELECT count(*), coalesce(extract(epoch FROM now() - min(timestamp)), 0) FROM outbox")


def emit(session: Session, event: Event, *, audience: UUID | None) -> UUID:
    """Add an event to the transaction of `session` and return its id.

    `audience` is the only account that may see it, None where everyone may: the owner of a private item.
    """
    envelope = Envelope.of(event, audience)
    waiting: list[Envelope] | None = session.info.get("events")
    if waiting is None:
        waiting = session.info["events"] = []
        session.before_commit.append(_write)
        session.after_commit += [wake, partial(forget, waiting)]
    waiting.append(envelope)
    return envelope.id


async def _write(session: Session) -> None:
    rows = [
        {
            "id": envelope.id,
            "name": envelope.event.name,
            "version": envelope.event.version,
            "data": envelope.event.model_dump(mode="json"),
            "priority": envelope.event.priority,
            "correlation_id": envelope.correlation_id,
            "cause": envelope.cause,
            "audience": envelope.audience,
            "subject": envelope.event.subject,
            "bulk": envelope.bulk,
            "timestamp": envelope.timestamp,
        }
        for envelope in session.info.pop("events")
    ]
    await session.fetch(_INSERT, rows=orjson.dumps(rows, default=str).decode())  # str: asyncpg has UUIDs of its own


def envelope_of(row: Row) -> Envelope:
    """Read an outbox or log row; raises KeyError or ValidationError where this version of Pharos cannot."""
    event = Event.registry[row["name"]].model_validate(row["data"])
    rest = (row[name] for name in ("correlation_id", "cause", "audience", "bulk", "id", "timestamp"))
    return Envelope(event, *rest)


_awake: asyncio.Event | None = None


def wake() -> None:
    """Tell this process's relay that there is something to carry."""
    if _awake is not None:
        _awake.set()


class Relay:
    """Carries what is committed: `run()` until cancelled, or `drain()` once."""

    def __init__(self, bus: EventBus, route: Router, send: Sender, ring: Callable[[], Awaitable[object]]) -> None:
        self.bus, self.route, self.send, self.ring = bus, route, send, ring

    async def run(self) -> None:
        """Carry on, woken by commits of this process and each second by the clock; survives outages and errors."""
        global _awake
        awake = _awake = asyncio.Event()
        backoff = POLL
        try:
            while True:
                awake.clear()
                try:
                    while await self.drain() == BATCH:
                        pass
                    backoff = POLL
                except Exception as error:
                    if isinstance(error, OUTAGES):
                        log.warning("relay waits", error=str(error), seconds=backoff)
                    else:  # a mistake of ours, but without a relay nothing at all would be carried any more
                        log.critical("relay waits", error=str(error), seconds=backoff, exc_info=error)
                    await asyncio.sleep(backoff)
                    backoff = min(backoff * 1.5, 5.0)
                    continue
                await asyncio.sleep(GATHER)
                try:
                    async with asyncio.timeout(POLL):
                        await awake.wait()
                except TimeoutError:
                    continue
        finally:
            _awake = None

    @asynccontextmanager
    async def running(self) -> AsyncGenerator[None]:
        """Carry on in the background of the block."""
        running = asyncio.create_task(self.run(), name="relay")
        try:
            yield
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)

    async def drain(self) -> int:
        """Carry one batch and return its size; what could not be sent stays and is nobody's."""
        rows = await fetch(_CLAIM, lease=LEASE, most=BATCH)
        if not rows:
            return 0
        rows.sort(key=itemgetter("seq"))
        carried = 0
        try:
            for carried in range(0, len(rows), TURN):
                turn = [envelope for row in rows[carried : carried + TURN] if (envelope := _known(row))]
                await self.bus.publish(turn, self.route, self.send)
            carried = len(rows)
        finally:
            numbers = [row["seq"] for row in rows]
            if carried < len(rows):
                await fetch(_RELEASE, done=numbers[carried:])
            if carried:
                await fetch(_SETTLE, done=numbers[:carried])
        await self.ring()
        return len(rows)


def _known(row: Row) -> Envelope | None:
    try:
        return envelope_of(row)
    except (KeyError, ValidationError) as error:
        log.error(
            "event of an unknown kind is only logged", event_name=row["name"], id=str(row["id"]), error=repr(error)
        )
        return None


async def backlog(session: ReadSession) -> tuple[int, float]:
    """Return how many events wait in the outbox and the age of the oldest, seconds."""
    count, age = (await session.execute(_AGE)).one()
    return count, float(age)
