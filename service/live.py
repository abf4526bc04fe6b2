"""Events to browsers: a hub in each web process reads the log as it grows and hands it to the open streams.

    relay  --ring()-->  Redis pub/sub  --doorbell-->  hub  --position > cursor-->  streams of those who may see it

The bell carries nothing: the log is the truth, and is looked at each second as well, so that a lost ring costs a
second and no event. A stream that resumes is registered first, then replays the log from where it was, then leaves
out what comes a second time: nothing falls between the two.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from time import monotonic
from uuid import UUID

import orjson
import structlog
from pydantic import Field
from sqlalchemy import func, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from service.database import reading
from service.errors import Invalid, RateLimited, Unavailable
from service.event_log import EventRow, history, shown
from service.queue.bell import listen
from service.queue.link import NAMESPACE, BrokerAway, client
from service.security.authentication import authenticate
from service.security.permissions import allows
from service.security.sessions import COOKIE
from service.web import Shape, account, query, route

log = structlog.get_logger(__name__)

BELL = "events"
CHANNEL = f"{NAMESPACE}:bell:{BELL}"
POLL = 1.0  # seconds between looks at the log while no bell rings
HEARTBEAT = 15.0  # seconds of silence after which a comment keeps proxies from hanging up
RECHECK = 1.0  # seconds between two looks at whether the account may still listen
STALL = 20.0  # seconds that one write may take
BEHIND = 1000  # events that a stream may be behind; then it is ended, to come back and replay them
BATCH = 500
STREAMS = 1000
DATABASE_AWAY = (DBAPIError, PoolTimeout, Unavailable, OSError, TimeoutError)


class TooManyStreams(Unavailable):
    """{most} event streams are open in this process, as many as there may be. Try again in a moment."""


_quiet_until = 0.0


async def ring() -> None:
    """Tell every hub that the log has grown; never fails: hubs that hear nothing look by themselves."""
    global _quiet_until
    if monotonic() < _quiet_until:
        return
    try:
        await client().call(("PUBLISH", CHANNEL, b""))
    except BrokerAway:
        _quiet_until = monotonic() + POLL  # the relay must not wait for a broken bell again and again


@dataclass(frozen=True, slots=True)
class Frame:
    """One logged event as it goes over the wire."""

    position: int
    audience: UUID | None
    wire: bytes

    @classmethod
    def of(cls, row: EventRow) -> "Frame":
        """Write a row of the log in the format of server-sent events."""
        data = orjson.dumps(shown(row), default=str, option=orjson.OPT_UTC_Z)
        wire = b"id: %d\nevent: %s\ndata: %s\n\n" % (row.position, row.name.encode(), data)
        return cls(row.position, row.audience, wire)


class Listener:
    """One open stream's side of the hub: what its account may see and was not sent yet."""

    def __init__(self, account_id: UUID) -> None:
        self.account_id = account_id
        self.over = False
        self._frames: list[Frame] = []
        self._woken = asyncio.Event()

    def offer(self, frame: Frame) -> None:
        """Queue a frame that this account may see; one too many ends the stream."""
        if self.over or frame.audience not in (None, self.account_id):
            return
        if len(self._frames) == BEHIND:
            self.end()
            return
        self._frames.append(frame)
        self._woken.set()

    def end(self) -> None:
        """Let the stream end after what is queued."""
        self.over = True
        self._woken.set()

    async def take(self, patience: float) -> list[Frame]:
        """Return what is queued, as soon as there is something; nothing after `patience` seconds or when it is over."""
        with suppress(TimeoutError):
            async with asyncio.timeout(patience):
                await self._woken.wait()
        if not self.over:
            self._woken.clear()
        frames, self._frames = self._frames, []
        return frames


class Hub:
    """Reads the log while anybody listens, and hands each event to those who may see it."""

    def __init__(self) -> None:
        self.listeners: set[Listener] = set()
        self._cursor: int | None = None  # the last position that was handed out; None while nobody listens
        self._settling = asyncio.Lock()
        self._rung = asyncio.Event()

    @asynccontextmanager
    async def listen(self, account_id: UUID) -> AsyncGenerator[Listener]:
        """Register a listener: it hears every event that is logged from now on."""
        listener = Listener(account_id)
        self.listeners.add(listener)
        try:
            async with self._settling:
                if self._cursor is None:
                    self._cursor = await newest()
            yield listener
        finally:
            self.listeners.discard(listener)

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
                await listen(BELL, lambda _: self._rung.set())
            await asyncio.sleep(POLL)

    async def _advance(self) -> None:
        if not self.listeners:
            self._cursor = None
        while self._cursor is not None:
            async with reading() as session:
                grown = select(EventRow).where(EventRow.position > self._cursor)
                rows = (await session.scalars(grown.order_by(EventRow.position).limit(BATCH))).all()
            for frame in map(Frame.of, rows):
                for listener in self.listeners:
                    listener.offer(frame)
                self._cursor = frame.position
            if len(rows) < BATCH:
                break

    def hang_up(self) -> None:
        """End all streams."""
        for listener in self.listeners:
            listener.end()


_hub: Hub | None = None


@asynccontextmanager
async def hub() -> AsyncGenerator[Hub]:
    """Run this process's hub."""
    global _hub
    _hub = Hub()
    tasks = [asyncio.create_task(_hub.run(), name="hub"), asyncio.create_task(_hub.hear(), name="hub bell")]
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


class EventStream(Response):
    """An answer that goes on until the client leaves, its account may not listen any more, or the hub ends it."""

    media_type = "text/event-stream"

    def __init__(self, hub: Hub, account_id: UUID, after: int, still_allowed: Callable[[], Awaitable[bool]]) -> None:
        super().__init__(headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"})
        del self.headers["content-length"]
        self.hub, self.account_id, self.after, self.still_allowed = hub, account_id, after, still_allowed

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
        if scope["method"] == "HEAD":
            await send({"type": "http.response.body"})
            return
        writing = asyncio.create_task(self._write(send))
        leaving = asyncio.create_task(_left(receive))
        try:
            await asyncio.wait({writing, leaving}, return_when=asyncio.FIRST_COMPLETED)
            if writing.done():
                writing.result()
        except DATABASE_AWAY as error:  # or a client that reads nothing; either comes back and resumes
            log.info("event stream broke off", error=str(error))
        finally:
            writing.cancel()
            leaving.cancel()
            await asyncio.gather(writing, leaving, return_exceptions=True)

    async def _write(self, send: Send) -> None:
        async for chunk in self._chunks():
            async with asyncio.timeout(STALL):
                await send({"type": "http.response.body", "body": chunk, "more_body": True})
        await send({"type": "http.response.body"})

    async def _chunks(self) -> AsyncIterator[bytes]:
        async with self.hub.listen(self.account_id) as listener:
            yield b": listening\n\n"
            sent = self.after
            while frames := await self._missed(sent):
                sent = frames[-1].position
                yield b"".join(frame.wire for frame in frames)
            wrote = checked = monotonic()
            while True:
                frames = [frame for frame in await listener.take(RECHECK) if frame.position > sent]
                if monotonic() - checked >= RECHECK:
                    if not await self.still_allowed():
                        return
                    checked = monotonic()
                if frames:
                    sent, wrote = frames[-1].position, monotonic()
                    yield b"".join(frame.wire for frame in frames)
                elif listener.over:
                    return
                elif monotonic() - wrote >= HEARTBEAT:
                    wrote = monotonic()
                    yield b": still here\n\n"

    async def _missed(self, after: int) -> list[Frame]:
        async with reading() as session:
            return [Frame.of(row) for row in await history(session, self.account_id, limit=BATCH, after=after)]


async def _left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


class Resume(Shape):
    """Where a stream goes on; the header `Last-Event-ID`, which browsers send by themselves, outranks it."""

    last_event_id: int | None = Field(None, ge=0)


async def stream_events(request: Request) -> Response:
    """The events that this account may see, as they happen (server-sent events); `Last-Event-ID` replays."""
    if _hub is None:
        raise Unavailable("This process has no event hub.")
    if len(_hub.listeners) >= STREAMS:
        raise TooManyStreams(most=STREAMS)
    after = query(request, Resume).last_event_id
    if header := request.headers.get("last-event-id"):
        if not (header.isascii() and header.isdigit() and len(header) <= 100):
            raise Invalid("`Last-Event-ID` takes the `id` of an event of this stream.")
        after = int(header)
    end = await newest()
    secret = _secret(request)
    address = request.client.host if request.client else None

    async def still_allowed() -> bool:
        try:
            return allows(await authenticate(secret, address), "read")
        except (Unavailable, RateLimited):  # nobody knows now; without its database the log is silent as well
            return True

    return EventStream(_hub, account(request).id, end if after is None else min(after, end), still_allowed)


def _secret(request: Request) -> str:
    scheme, _, bearer = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return bearer.strip().encode("latin-1").decode(errors="surrogateescape")
    return request.cookies.get(COOKIE, "")


routes = [route("GET", "/events/stream", stream_events, scope="read", queries=Resume)]
