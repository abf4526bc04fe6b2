"""The hub of a process: reads the log while anybody listens, and hands each event to those who may see it."""

import asyncio
import resource
from bisect import bisect_right
from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from time import monotonic
from uuid import UUID

import orjson
import structlog
from sqlalchemy import func, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from service.broadcast.statuses import CHANNEL as PROGRESS_CHANNEL
from service.database import reading
from service.errors import RateLimited, Unavailable
from service.event_log import EventRow, history
from service.live.bell import BELL
from service.live.frames import Frame
from service.live.listener import End, Listener
from service.queue.bell import listen as hear_bell
from service.queue.bell import subscribe
from service.queue.link import BrokerAway
from service.security.authentication import recognised
from service.security.credentials import Credential
from service.security.permissions import allows

log = structlog.get_logger(__name__)

POLL = 1.0  # seconds between looks at the log while no bell rings
RECHECK = 0.5  # seconds between looks at whether the accounts may still listen
BATCH = 500
KEPT = 1000  # events that are remembered, for who resumes: when a process starts, all do so at once
REST = 60.0  # seconds without a listener after which the log is not read any more
READERS = 8  # of the log at a time, for who was away longer
STREAMS = 3000  # of a process
OF_ONE = 250  # of an account, in a process
DATABASE_AWAY = (DBAPIError, PoolTimeout, Unavailable, OSError, TimeoutError)


class TooManyStreams(Unavailable):
    """{most} event streams are open in this process, as many as there may be. Try again in a moment."""


class TooManyOfYours(RateLimited):
    """{most} event streams of your account are open, as many as there may be. Close one first."""


class NoHub(Unavailable):
    """This process has no event hub."""


class Hub:
    """Reads the log while anybody listens, and hands each event to those who may see it."""

    def __init__(self) -> None:
        self.listeners: set[Listener] = set()
        self._of: Counter[UUID] = Counter()
        self._cursor: int | None = None  # the last position that was handed out; None while it does not read
        self._recent: list[Frame] = []  # all events in (floor, cursor]
        self._floor = 0
        self._left_at = 0.0  # when the last listener went
        self._readers = asyncio.Semaphore(READERS)
        self._settling = asyncio.Lock()
        self._rung = asyncio.Event()

    def admit(self, account_id: UUID) -> None:
        """Raise TooManyStreams or TooManyOfYours where one more stream of this account is too many."""
        if len(self.listeners) >= STREAMS:
            raise TooManyStreams(most=STREAMS)
        if self._of[account_id] >= OF_ONE:
            raise TooManyOfYours(most=OF_ONE, retry_after=1)

    @asynccontextmanager
    async def listen(self, account_id: UUID, credential: Credential) -> AsyncGenerator[Listener]:
        """Register a listener: it hears every event that is logged from now on, those beyond its `since`."""
        listener = Listener(account_id, credential)
        self.listeners.add(listener)
        self._of[account_id] += 1
        try:
            async with self._settling:
                if self._cursor is None:
                    await self._begin()
                listener.since = self._cursor or 0
            yield listener
        finally:
            self.listeners.discard(listener)
            self._left_at = monotonic()
            self._of[account_id] -= 1
            if not self._of[account_id]:
                del self._of[account_id]

    async def since(self, listener: Listener, resume: int | None) -> int:
        """Return from where a listener goes on: where it was, unless the log has not come so far."""
        if resume is None or resume <= listener.since:
            return listener.since if resume is None else resume
        return min(resume, await newest())  # another process may have handed out more

    async def missed(self, account_id: UUID, after: int) -> list[Frame]:
        """Return the next events beyond a position that the account may see, some of them; none: there are no more."""
        if self._cursor is not None and after >= self._floor:
            place = bisect_right(self._recent, after, key=lambda frame: frame.position or 0)
            mine = (frame for frame in self._recent[place:] if frame.audience in (None, account_id))
            return [frame for frame, _ in zip(mine, range(BATCH), strict=False)]
        async with self._readers, reading() as session:
            return [Frame.of(row) for row in await history(session, account_id, limit=BATCH, after=after)]

    async def run(self) -> None:
        """Hand out what is logged, at each ring and each second; survives every outage."""
        while True:
            self._rung.clear()
            try:
                await self._advance()
            except DATABASE_AWAY as error:
                log.warning("the hub cannot read the log", error=str(error))
            with suppress(TimeoutError):
                async with asyncio.timeout(POLL):
                    await self._rung.wait()

    async def hear(self) -> None:
        """Listen for rings; while Redis is away the clock does it."""
        while True:
            with suppress(BrokerAway):
                await hear_bell(BELL, lambda _: self._rung.set())
            await asyncio.sleep(POLL)

    async def hear_progress(self) -> None:
        """Hand on how far the tasks of people are, which stands in no log."""

        def hear(said: bytes) -> None:
            if not said or not self.listeners:
                return
            event = orjson.loads(said)
            if event["data"]["status"] == "processing":  # the log tells of beginning and end
                frame = Frame.passing(event)
                for listener in self.listeners:
                    listener.offer([frame])

        while True:
            with suppress(BrokerAway):
                await subscribe(PROGRESS_CHANNEL, hear)
            await asyncio.sleep(POLL)

    async def watch(self) -> None:
        """End the streams of who may not listen any more, all of them with one question to the database."""
        while True:
            await asyncio.sleep(RECHECK)
            shown = {listener.credential.digest: listener.credential for listener in self.listeners}
            if not shown:
                continue
            try:
                known = await recognised(shown.values())
            except DATABASE_AWAY:  # nobody knows now; without its database the log is silent as well
                continue
            for listener in list(self.listeners):
                digest = listener.credential.digest
                if digest in shown and not allows(known.get(digest), "read"):
                    listener.finish(End.REVOKED)

    async def _begin(self) -> None:
        """Remember the last events, and hand out what follows."""
        async with reading() as session:
            rows = (await session.scalars(select(EventRow).order_by(EventRow.position.desc()).limit(KEPT))).all()
        recent: list[Frame] = []
        for number, row in enumerate(reversed(rows)):
            recent.append(Frame.of(row))
            if number % 100 == 99:
                await asyncio.sleep(0)  # others have their turn
        self._recent = recent
        self._floor = rows[-1].position - 1 if len(rows) == KEPT else 0
        self._cursor = rows[0].position if rows else 0

    async def _advance(self) -> None:
        if not self.listeners and monotonic() - self._left_at >= REST:
            self._cursor, self._recent = None, []
        while self._cursor is not None:
            async with reading() as session:
                grown = select(EventRow).where(EventRow.position > self._cursor)
                rows = (await session.scalars(grown.order_by(EventRow.position).limit(BATCH))).all()
            if rows:
                frames = [Frame.of(row) for row in rows]
                self._cursor = rows[-1].position
                self._recent += frames
                if len(self._recent) > 2 * KEPT:
                    self._floor = self._recent[-KEPT - 1].position or 0
                    del self._recent[:-KEPT]
                for listener in self.listeners:
                    listener.offer(frames)
            if len(rows) < BATCH:
                break

    def hang_up(self) -> None:
        """End all streams."""
        for listener in self.listeners:
            listener.finish(End.STOPPED)


_hub: Hub | None = None


def present() -> Hub:
    """Return this process's hub; raises NoHub."""
    if _hub is None:
        raise NoHub
    return _hub


def allow_files(wanted: int = STREAMS + 1000) -> None:
    """Let this process have that many open files, as far as it may: often 1,024 is what it begins with."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    if soft != resource.RLIM_INFINITY and soft < most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


@asynccontextmanager
async def hub() -> AsyncGenerator[Hub]:
    """Run this process's hub."""
    global _hub
    allow_files()
    _hub = Hub()
    parts = {
        "hub": _hub.run(),
        "hub bell": _hub.hear(),
        "hub progress": _hub.hear_progress(),
        "hub watch": _hub.watch(),
    }
    tasks = [asyncio.create_task(part, name=name) for name, part in parts.items()]
    try:
        yield _hub
    finally:
        _hub.hang_up()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        _hub = None


async def newest() -> int:
    """Return the last position of the log, 0 while it is empty."""
    async with reading() as session:
        return await session.scalar(select(func.coalesce(func.max(EventRow.position), 0))) or 0
