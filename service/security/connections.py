"""What a connection may take before there is a request, and after its answer: `uvicorn --http` names `Patient`.

uvicorn ends connections that are idle. These would stay for ever: a head that trickles in or has no end, a body that
trickles in after the answer, a reader that takes nothing. Bodies before the answer: `middleware.BodyLimit`.
"""

from asyncio import TimerHandle
from http import HTTPStatus

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEAD = 20.0  # seconds from the first byte of a request, or from the connection, to the end of its head
HEAD_SIZE = 64 * 1024  # bytes
STALL = 30.0  # seconds in which a reader must take what is waiting for it (between 16 and 64 KB)


class Patient(HttpToolsProtocol):
    """HTTP/1.1 with limits on time and size around a request."""

    _waits: TimerHandle | None = None  # for a head
    _stalls: TimerHandle | None = None  # because the reader takes nothing
    _in_head = True
    _head_size = 0
    _heads = 0  # that ended in what was just received

    def connection_made(self, transport) -> None:  # pyright: ignore[reportMissingParameterType]
        super().connection_made(transport)
        self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        self._waits = _cancelled(self._waits)
        self._stalls = _cancelled(self._stalls)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._in_head or self._answered():
            self._wait()  # a body that nobody waits for has as long as a head
        began_in_head = self._in_head
        self._heads = 0
        super().data_received(data)
        if began_in_head and not self._heads:  # all of it belongs to a head that goes on
            self._head_size += len(data)
            if self._head_size > HEAD_SIZE:
                self._refuse(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._wait()

    def on_headers_complete(self) -> None:
        self._waits = _cancelled(self._waits)
        self._in_head, self._head_size = False, 0
        self._heads += 1
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        self._in_head = True
        self._waits = _cancelled(self._waits)
        super().on_message_complete()
        if self._answered():  # before its body came: that has ended uvicorn's own wait for the next request
            self._wait()

    def handle_websocket_upgrade(self) -> None:
        super().handle_websocket_upgrade()
        self._waits = _cancelled(self._waits)  # from here on it is `sockets.PatientSocket`'s
        self._stalls = _cancelled(self._stalls)

    def pause_writing(self) -> None:
        super().pause_writing()
        if self._stalls is None:
            self._stalls = self.loop.call_later(STALL, self.transport.abort)

    def resume_writing(self) -> None:
        self._stalls = _cancelled(self._stalls)
        super().resume_writing()

    def timeout_keep_alive_handler(self) -> None:
        super().timeout_keep_alive_handler()
        self._end()

    def _answered(self) -> bool:
        return getattr(self.cycle, "response_complete", True)  # there is no cycle before the first request

    def _wait(self) -> None:
        if self._waits is None:
            self._waits = self.loop.call_later(HEAD, self._refuse, HTTPStatus.REQUEST_TIMEOUT)

    def _refuse(self, status: HTTPStatus) -> None:
        if self.transport.is_closing():
            return
        if self._answered():
            self.transport.write(f"HTTP/1.1 {status} {status.phrase}\r\nconnection: close\r\n\r\n".encode())
        self.transport.close()
        self._end()

    def _end(self) -> None:
        """Give what was written a while to be read; a closed transport keeps it until then."""
        self._stalls = self._stalls or self.loop.call_later(STALL, self.transport.abort)


def _cancelled(timer: TimerHandle | None) -> None:
    if timer is not None:
        timer.cancel()
