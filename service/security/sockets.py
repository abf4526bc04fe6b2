"""What a WebSocket may send and how long it may leave unread what it gets: `uvicorn --ws` names `PatientSocket`.

uvicorn's own has no limit on the number of messages, on pings, and on a client that reads nothing, and hangs up in a
way that loses the code of the close frame where the client is still sending. Messages above 64 KB: `--ws-max-size`.
"""

import logging
from asyncio import TimerHandle
from time import monotonic
from typing import Any

from uvicorn.protocols.utils import ClientDisconnected
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

RATE = 20.0  # messages, pings and fragments a second that may come for long
BURST = 100.0  # that may come at once
SLICE = 4096  # bytes that are looked at before the next look at the limits
STALL = 30.0  # seconds in which a client must take what is waiting for it
LINGER = 2.0  # seconds in which a client may still send, so that it gets to read why it is closed
FLOOD = 1008


class PatientSocket(WebSocketsSansIOProtocol):
    """uvicorn's WebSocket with limits; the ASGI extension `pharos.frames` sends frames that are written already."""

    _left = BURST
    _counted_at = 0.0
    _stalls: TimerHandle | None = None
    _given_up = False

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.logger = self.conn.logger = logging.getLogger("uvicorn.access")  # or each would be told of three times

    async def run_asgi(self) -> None:
        self.scope["extensions"] = {**self.scope.get("extensions", {}), "pharos.frames": {}}
        await super().run_asgi()

    def connection_lost(self, exc: Exception | None) -> None:
        if self._stalls is not None:
            self._stalls.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        for start in range(0, len(data), SLICE):
            if self._given_up:
                return  # what still comes is not looked at
            super().data_received(data[start : start + SLICE])

    def handle_ping(self) -> None:
        if self._count():
            super().handle_ping()

    def handle_cont(self, event: Any) -> None:
        if self._count():
            super().handle_cont(event)

    def handle_text(self, event: Any) -> None:
        if self._count():
            super().handle_text(event)

    def handle_bytes(self, event: Any) -> None:
        if self._count():
            super().handle_bytes(event)

    def handle_parser_exception(self) -> None:
        """Send the close frame that the parser asks for, and go on reading for a while, to no purpose."""
        assert self.conn.close_sent is not None
        if self._given_up:
            return
        self._given_up = True
        code, reason = self.conn.close_sent.code, self.conn.close_sent.reason
        self.queue.put_nowait({"type": "websocket.disconnect", "code": code, "reason": reason})
        self.transport.write(b"".join(self.conn.data_to_send()))
        self.close_sent = True
        self.stop_keepalive()
        if self.read_paused:
            self.read_paused = False
            self.transport.resume_reading()
        if self.transport.can_write_eof():
            self.transport.write_eof()
        self.close_timer = self.loop.call_later(LINGER, self.transport.abort)

    def pause_writing(self) -> None:
        super().pause_writing()
        if self._stalls is None:
            self._stalls = self.loop.call_later(STALL, self.transport.abort)

    def resume_writing(self) -> None:
        if self._stalls is not None:
            self._stalls.cancel()
            self._stalls = None
        super().resume_writing()

    async def send(self, message: Any) -> None:
        if "frames" not in message:
            if self.close_sent:
                raise ClientDisconnected
            await super().send(message)
            return
        await self.writable.wait()
        if self.disconnected or self.close_sent:
            raise ClientDisconnected
        self.transport.write(message["frames"])

    def _count(self) -> bool:
        """Count what came; False, with a close frame on its way, where it is too much."""
        if self.close_sent:
            return False
        now = monotonic()
        self._left = min(BURST, self._left + (now - self._counted_at) * RATE) - 1
        self._counted_at = now
        if self._left >= 0:
            return True
        self.conn.fail(FLOOD, f"More than {RATE:g} messages a second.")
        self.handle_parser_exception()
        return False
