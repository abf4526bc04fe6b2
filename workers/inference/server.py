"""The socket of the model server: each connection carries one request at a time, closing it cancels the request."""

import asyncio
import os
import signal
import socket
from pathlib import Path
from typing import Any

import orjson
import structlog

from service.inference import FRAME, MODEL, pack, socket_path
from workers.inference.lanes import Busy, Lanes
from workers.inference.model import Model

log = structlog.get_logger(__name__)

HEADER_LIMIT = 1 << 20  # bytes
PAYLOAD_LIMIT = 1 << 23


class AlreadyRunning(Exception):
    """Another model server answers on this socket."""


class Connection(asyncio.Protocol):
    """Reads frames, answers each, in order."""

    def __init__(self, lanes: Lanes) -> None:
        self._lanes = lanes
        self._received = bytearray()
        self._transport: asyncio.Transport | None = None
        self._task: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def connection_lost(self, exc: Exception | None) -> None:
        if self._task is not None:
            self._task.cancel()

    def data_received(self, data: bytes) -> None:
        self._received += data
        self._proceed()

    def _proceed(self) -> None:
        if self._task is not None or len(self._received) < FRAME.size:
            return
        assert self._transport is not None
        head_size, size = FRAME.unpack_from(self._received)
        if head_size > HEADER_LIMIT or size > PAYLOAD_LIMIT:
            self._transport.write(pack({"error": "the request is too large"}))
            self._transport.close()
            return
        end = FRAME.size + head_size + size
        if len(self._received) < end:
            return
        head = bytes(self._received[FRAME.size : FRAME.size + head_size])
        payload = bytes(self._received[FRAME.size + head_size : end])
        del self._received[:end]
        self._task = asyncio.get_running_loop().create_task(self._answer(head, payload))

    async def _answer(self, head: bytes, payload: bytes) -> None:
        assert self._transport is not None
        try:
            answer = await answer_to(self._lanes, orjson.loads(head), payload.decode())
        except Busy as error:
            answer = pack({"busy": error.__doc__})
        except Exception as error:
            log.exception("request failed")
            answer = pack({"error": f"{type(error).__name__}: {error}"})
        self._transport.write(answer)
        self._task = None
        self._proceed()


async def answer_to(lanes: Lanes, header: dict[str, Any], text: str) -> bytes:
    """Return the frame that answers a request."""
    match header:
        case {"call": "query"}:
            return pack({"model": MODEL}, await lanes.query(text))
        case {"call": "passages", "title": str() as title}:
            embedded = await lanes.document(title, text)
            answer = {"model": MODEL, "spans": embedded.spans, "truncated": embedded.truncated}
            return pack(answer, embedded.vectors.tobytes())
        case _:
            return pack({"error": f"unknown call {header.get('call')!r}"})


def claim(path: Path) -> socket.socket:
    """Bind the socket, mode 0600; a file that nobody listens on is what a killed server left, and goes."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(os.fspath(path))
        except FileNotFoundError:
            pass
        except ConnectionRefusedError:
            path.unlink(missing_ok=True)
        else:
            raise AlreadyRunning(f"A model server is running on {path}.")
    bound = socket.socket(socket.AF_UNIX)
    previous = os.umask(0o177)
    try:
        bound.bind(os.fspath(path))
    finally:
        os.umask(previous)
    return bound


def processors(limit: Path = Path("/sys/fs/cgroup/cpu.max")) -> int:
    """Return how many processors this process may use: a container's share, which cgroup v2 tells in `limit`."""
    usable = len(os.sched_getaffinity(0))
    try:
        quota, period = limit.read_text().split()
    except (OSError, ValueError):
        return usable
    return usable if quota == "max" else max(1, min(usable, round(int(quota) / int(period))))


async def serve(path: Path | None = None, threads: int | None = None) -> None:
    """Serve until SIGTERM or SIGINT; `threads` compute passages, one per usable core unless given."""
    path = path or socket_path()
    model = Model()
    model.embed(model.pieces("warm"))  # the first call is the slow one
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    lanes = Lanes(model, threads or processors())
    lanes.start()
    server = await loop.create_unix_server(lambda: Connection(lanes), sock=claim(path), backlog=512)
    log.info("model server listens", socket=os.fspath(path), model=MODEL)
    try:
        await stop.wait()
    finally:
        server.close()
        path.unlink(missing_ok=True)
        lanes.stop()
        log.info("model server stopped")
