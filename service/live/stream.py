"""Server-sent events: one answer that goes on."""

import asyncio
from collections.abc import AsyncIterator
from time import monotonic
from uuid import UUID

import structlog
from pydantic import Field
from starlette.requests import HTTPConnection, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from service.errors import Invalid
from service.live import hub as hubs
from service.live.hub import DATABASE_AWAY, Hub
from service.live.listener import beyond
from service.security.credentials import Credential
from service.security.sessions import COOKIE
from service.web import Shape, account, query

log = structlog.get_logger(__name__)

HEARTBEAT = 15.0  # seconds of silence after which a comment keeps proxies from hanging up
STALL = 20.0  # seconds that one write may take


class EventStream(Response):
    """An answer that goes on until the client leaves, its account may not listen any more, or the hub ends it."""

    media_type = "text/event-stream"

    def __init__(self, hub: Hub, account_id: UUID, credential: Credential, after: int | None) -> None:
        super().__init__(headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"})
        del self.headers["content-length"]
        self.hub, self.account_id, self.credential, self.after = hub, account_id, credential, after

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
        async with self.hub.listen(self.account_id, self.credential) as listener:
            chunks = self._chunks(listener)
            async for chunk in chunks:
                began = monotonic()
                async with asyncio.timeout(STALL):
                    await send({"type": "http.response.body", "body": chunk, "more_body": True})
                listener.wrote(monotonic() - began)
        await send({"type": "http.response.body"})

    async def _chunks(self, listener: hubs.Listener) -> AsyncIterator[bytes]:
        yield b": listening\n\n"
        sent = await self.hub.since(listener, self.after)
        while frames := await self.hub.missed(self.account_id, sent):
            _, sent = beyond(frames, sent)
            yield b"".join(frame.sse for frame in frames)
        while True:
            frames, sent = beyond(await listener.take(HEARTBEAT), sent)
            if frames:
                yield b"".join(frame.sse for frame in frames)
            elif listener.end is not None:
                return
            else:
                yield b": still here\n\n"


async def _left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


class Resume(Shape):
    """Where a stream goes on; the header `Last-Event-ID`, which browsers send by themselves, outranks it."""

    last_event_id: int | None = Field(None, ge=0)


async def stream_events(request: Request) -> Response:
    """The events that this account may see, as they happen (server-sent events); `Last-Event-ID` replays."""
    hub, who = hubs.present(), account(request)
    hub.admit(who.id)
    after = query(request, Resume).last_event_id
    if header := request.headers.get("last-event-id"):
        if not (header.isascii() and header.isdigit() and len(header) <= 100):
            raise Invalid("`Last-Event-ID` takes the `id` of an event of this stream.")
        after = int(header)
    return EventStream(hub, who.id, Credential.of(secret(request)), after)


def secret(connection: HTTPConnection) -> str:
    """Return what the account of a connection was recognised by."""
    scheme, _, bearer = connection.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return bearer.strip().encode("latin-1").decode(errors="surrogateescape")
    return connection.cookies.get(COOKIE, "")
