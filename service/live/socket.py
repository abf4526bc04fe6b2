"""`/ws`: the events of an account as WebSocket messages, `{"type", "id": position in the log, ...}`.

    client   {"token": "..."}    first of all, where neither the cookie of our own page nor a header says who it is
             {"resume": 17}      everything after 17, in order, each once, and then what happens
             {"type": "resume"}  what happens from now on
             {"type": "ping"}    {"type": "pong"}
    server   {"type": "ready", "id": 17}    what follows is everything after 17

A client has a moment after it is known to say from where it resumes; without a word it gets what happens since it came.
"""

import asyncio
from contextlib import suppress
from time import monotonic
from typing import Any, Literal

import orjson
import structlog
from pydantic import Field, SecretStr, ValidationError
from starlette.requests import HTTPConnection
from starlette.types import Receive, Scope, Send

from service.errors import RateLimited, Unavailable
from service.live import hub as hubs
from service.live.codes import Code
from service.live.frames import Frame
from service.live.hub import DATABASE_AWAY, Hub
from service.live.listener import End, Listener, beyond
from service.live.stream import secret
from service.security.accounts import Account
from service.security.authentication import authenticate
from service.security.credentials import Credential
from service.security.permissions import Scope as AccountScope
from service.security.permissions import allows
from service.web import Shape

log = structlog.get_logger(__name__)

TOKEN_WITHIN = 10.0  # seconds until a stranger has said who it is
HOLD = 1.0  # seconds in which a client may say from where it resumes
STRANGERS = 200  # sockets of nobody yet, in a process
STALL = 20.0  # seconds that one write may take
WRITTEN_TOGETHER = "pharos.frames"  # the ASGI extension of service/security/sockets.py

_CODES = {End.STOPPED: Code.STOPPED, End.BEHIND: Code.BEHIND, End.REVOKED: Code.UNAUTHENTICATED}
_strangers = 0


class Said(Shape):
    """A message of a client."""

    type: Literal["auth", "resume", "ping"] | None = None
    token: SecretStr | None = Field(None, max_length=1024)
    resume: int | None = Field(None, ge=0)


class Closing(Exception):
    """The socket is to be closed, for this reason."""

    def __init__(self, code: Code, reason: str = "") -> None:
        super().__init__(reason)
        self.code, self.reason = code, reason


class Left(Exception):
    """The client is gone."""


class Sockets:
    """The endpoint of `/ws`; the account is checked here, since it may come with the first message."""

    scope: AccountScope = "read"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        socket = Socket(scope, receive, send)
        try:
            await receive()  # websocket.connect
            await send({"type": "websocket.accept"})
            await socket.serve()
        except Closing as closing:
            with suppress(OSError):
                await send({"type": "websocket.close", "code": int(closing.code), "reason": closing.reason[:120]})
        except Left:
            pass
        except DATABASE_AWAY as error:  # or a client that reads nothing; either comes back and resumes
            log.info("socket broke off", error=str(error))
            with suppress(OSError, TimeoutError):
                async with asyncio.timeout(1):
                    await send({"type": "websocket.close", "code": int(Code.TRY_LATER)})


class Socket:
    """One connection."""

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._connection = HTTPConnection(scope)
        self._receive, self._send = receive, send
        self._account: Account | None = scope.get("account")
        self._credential = Credential.of(secret(self._connection))
        self._together = WRITTEN_TOGETHER in scope.get("extensions", {})
        self._resume: int | None = None
        self._begun = False  # the client has said from where
        self._listener: Listener | None = None

    async def serve(self) -> None:
        """Find out who it is and from where, then talk until one side ends it; raises Closing or Left."""
        try:
            hub = hubs.present()
            if self._account is None:
                await self._introduced()
            account = self._account
            assert account is not None
            if not allows(account, Sockets.scope):
                raise Closing(Code.FORBIDDEN, "Your token lacks the scope `read`.")
            hub.admit(account.id)
            async with hub.listen(account.id, self._credential) as self._listener:
                if not self._begun:
                    with suppress(TimeoutError):
                        async with asyncio.timeout(HOLD):
                            while not self._begun:
                                self._heed(await self._said())
                await self._talk(hub, account, self._listener)
        except (Unavailable, RateLimited) as error:
            raise Closing(Code.TRY_LATER, error.detail) from None

    async def _introduced(self) -> None:
        global _strangers
        if _strangers >= STRANGERS:
            raise Closing(Code.TRY_LATER, "Too many connect at this moment.")
        _strangers += 1
        try:
            async with asyncio.timeout(TOKEN_WITHIN):
                while self._account is None:
                    said = await self._said()
                    if said.token is None:
                        if said.type != "ping":
                            raise Closing(Code.UNAUTHENTICATED, 'The first message is {"token": "..."}.')
                        continue
                    client = self._connection.client
                    token = said.token.get_secret_value()
                    self._account = await authenticate(token, client.host if client else None)
                    if self._account is None:
                        raise Closing(Code.UNAUTHENTICATED, "The token is wrong, expired or revoked.")
                    self._credential = Credential.of(token)
                    self._heed(said)
        except TimeoutError:
            raise Closing(Code.UNAUTHENTICATED, "No token came in time.") from None
        finally:
            _strangers -= 1

    def _heed(self, said: Said) -> None:
        self._begun = self._begun or said.type == "resume" or said.resume is not None
        if said.resume is not None:
            self._resume = said.resume
            if self._listener is not None:
                self._listener.wake()

    async def _said(self) -> Said:
        """Return the next message, a ping after its answer."""
        message = await self._receive()
        if message["type"] == "websocket.disconnect":
            raise Left
        text = message.get("text")
        if text is None:
            raise Closing(Code.UNSUPPORTED, "Messages are JSON as text.")
        if text == "ping":
            await self._send({"type": "websocket.send", "text": "pong"})
            return Said.model_validate({"type": "ping"})
        try:
            said = Said.model_validate(orjson.loads(text))
        except (orjson.JSONDecodeError, ValidationError):
            raise Closing(Code.MALFORMED, "This is no message of this protocol.") from None
        if said.type == "ping":
            await self._send({"type": "websocket.send", "text": '{"type":"pong"}'})
        return said

    async def _talk(self, hub: Hub, account: Account, listener: Listener) -> None:
        writing = asyncio.create_task(self._write(hub, account, listener))
        reading = asyncio.create_task(self._read())
        try:
            done, _ = await asyncio.wait({writing, reading}, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            writing.cancel()
            reading.cancel()
            await asyncio.gather(writing, reading, return_exceptions=True)

    async def _read(self) -> None:
        while True:
            self._heed(await self._said())

    async def _write(self, hub: Hub, account: Account, listener: Listener) -> None:
        """Send what was missed, then what happens; from anew where the client resumes once more."""
        while True:
            sent, self._resume = await hub.since(listener, self._resume), None
            await self._send({"type": "websocket.send", "text": f'{{"type":"ready","id":{sent}}}'})
            while self._resume is None and (frames := await hub.missed(account.id, sent)):
                _, sent = beyond(frames, sent)
                await self._put(listener, frames)
            while self._resume is None:
                frames, sent = beyond(await listener.take(), sent)
                if frames:
                    await self._put(listener, frames)
                elif listener.end is not None:
                    raise Closing(_CODES[listener.end], f"{listener.end.value}.".capitalize())

    async def _put(self, listener: Listener, frames: list[Frame]) -> None:
        began = monotonic()
        async with asyncio.timeout(STALL):
            if self._together:
                wire: dict[str, Any] = {"type": "websocket.send", "frames": b"".join(frame.wire for frame in frames)}
                await self._send(wire)
            else:
                for frame in frames:
                    await self._send({"type": "websocket.send", "text": frame.text})
        listener.wrote(monotonic() - began)
