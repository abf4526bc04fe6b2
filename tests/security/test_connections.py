"""Clients that take their time around a request: a head, a body after the answer, an answer that nobody reads."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncGenerator
from time import monotonic

import pytest
import uvicorn
from starlette.types import Receive, Scope, Send

from service.embedded import free_port
from service.security import connections
from tests.queue.conftest import until

LARGE = 4 * 2**20


async def application(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer at once; `/large` with more than sockets hold, `/slow` after the whole body."""
    if scope["path"] == "/slow":
        while (await receive()).get("more_body"):
            pass
    body = bytes(LARGE) if scope["path"] == "/large" else b"hello"
    headers = [(b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


@pytest.fixture
async def server(monkeypatch: pytest.MonkeyPatch) -> AsyncGenerator[uvicorn.Server]:
    monkeypatch.setattr(connections, "HEAD", 0.3)
    monkeypatch.setattr(connections, "STALL", 0.3)
    configuration = uvicorn.Config(
        application, port=free_port(), http=connections.Patient, lifespan="off", log_config=None, timeout_keep_alive=1
    )
    server = uvicorn.Server(configuration)
    monkeypatch.setattr(server, "capture_signals", contextlib.nullcontext)
    serving = asyncio.create_task(server.serve())
    await until(lambda: server.started)
    yield server
    server.should_exit = True
    await serving


@contextlib.asynccontextmanager
async def connected(
    server: uvicorn.Server, first: bytes, *, receives: int | None = None
) -> AsyncGenerator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    client = socket.socket()
    if receives is not None:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receives)
    client.setblocking(False)
    await asyncio.get_running_loop().sock_connect(client, ("127.0.0.1", server.config.port))
    reader, writer = await asyncio.open_connection(sock=client)
    writer.write(first)
    try:
        yield reader, writer
    finally:
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()


async def trickle(writer: asyncio.StreamWriter, piece: bytes) -> None:
    """Write a piece again and again until the other side has had enough."""
    with contextlib.suppress(ConnectionError):
        while True:
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(0.05)


REQUEST = b"GET / HTTP/1.1\r\nhost: here\r\n\r\n"


@pytest.mark.parametrize(
    ("first", "piece"),
    [
        (b"", b""),
        (b"GET / HTTP/1.1\r\nhost: here\r\n", b"x: y\r\n"),
        (b"", b"\r\n"),
        (b"GET /", b"a"),
    ],
    ids=["silence", "a header at a time", "empty lines", "an endless path"],
)
async def test_a_head_that_trickles_in_is_given_up(server: uvicorn.Server, first: bytes, piece: bytes) -> None:
    async with connected(server, first) as (reader, writer):
        trickling = asyncio.create_task(trickle(writer, piece) if piece else asyncio.sleep(0))
        assert b"408" in await reader.readline()
        trickling.cancel()
    await until(lambda: not server.server_state.connections)


async def test_the_second_head_has_a_time_too(server: uvicorn.Server) -> None:
    async with connected(server, REQUEST) as (reader, writer):
        assert b"200" in await reader.readline()
        await reader.readuntil(b"hello")
        writer.write(b"GET / HTTP/1.1\r\n")
        assert b"408" in await reader.readline()


async def test_a_connection_is_kept_for_the_next_request(server: uvicorn.Server) -> None:
    async with connected(server, REQUEST) as (reader, writer):
        for _ in range(3):
            await reader.readuntil(b"hello")
            await asyncio.sleep(0.2)
            writer.write(REQUEST)
        assert (await reader.readuntil(b"hello")).startswith(b"HTTP/1.1 200")


async def test_requests_that_come_together_are_all_answered(server: uvicorn.Server) -> None:
    async with connected(server, REQUEST * 5) as (reader, _):
        for _ in range(5):
            assert (await reader.readuntil(b"hello")).startswith(b"HTTP/1.1 200")


async def test_a_request_may_take_longer_than_its_head(server: uvicorn.Server) -> None:
    async with connected(server, b"POST /slow HTTP/1.1\r\nhost: here\r\ncontent-length: 20\r\n\r\n") as (
        reader,
        writer,
    ):
        for _ in range(20):
            writer.write(b"x")
            await asyncio.sleep(0.03)
        assert b"200" in await reader.readline()


async def test_a_body_may_be_larger_than_a_head(server: uvicorn.Server) -> None:
    body = bytes(20 * connections.HEAD_SIZE)
    head = b"POST /slow HTTP/1.1\r\nhost: here\r\ncontent-length: %d\r\n\r\n" % len(body)
    async with connected(server, (head + body) * 3) as (reader, _):
        for _ in range(3):
            assert b"200" in await reader.readline()
            await reader.readuntil(b"hello")


async def test_a_head_without_end_is_refused(server: uvicorn.Server) -> None:
    async with connected(server, b"GET / HTTP/1.1\r\n") as (reader, writer):
        writer.write(b"x: " + b"y" * connections.HEAD_SIZE)
        assert b"431" in await reader.readline()


async def test_a_body_after_the_answer_is_given_up(server: uvicorn.Server) -> None:
    async with connected(server, b"POST / HTTP/1.1\r\nhost: here\r\ncontent-length: 1000000\r\n\r\n") as (
        reader,
        writer,
    ):
        trickling = asyncio.create_task(trickle(writer, b"x"))
        await reader.readuntil(b"hello")
        await until(lambda: not server.server_state.connections)
        trickling.cancel()


async def test_a_body_that_came_after_the_answer_leaves_no_connection_without_an_end(server: uvicorn.Server) -> None:
    async with connected(server, b"POST / HTTP/1.1\r\nhost: here\r\ncontent-length: 3\r\n\r\n") as (reader, writer):
        await reader.readuntil(b"hello")
        writer.write(b"abc")
        assert b"408" in await asyncio.wait_for(reader.readline(), 5)


async def test_an_answer_that_nobody_reads_is_given_up(server: uvicorn.Server) -> None:
    async with connected(server, b"GET /large HTTP/1.1\r\nhost: here\r\n\r\n", receives=4096) as (reader, _):
        await until(lambda: len(server.server_state.connections) == 1)
        await until(lambda: not server.server_state.connections)
        with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
            await reader.readexactly(LARGE)


async def test_a_reader_that_reads_gets_the_whole_answer(server: uvicorn.Server) -> None:
    async with connected(server, b"GET /large HTTP/1.1\r\nhost: here\r\n\r\n", receives=65536) as (reader, _):
        await reader.readuntil(b"\r\n\r\n")
        began, received = monotonic(), 0
        while received < LARGE:
            received += len(await reader.read(65536))
            await asyncio.sleep(0.01)
        assert monotonic() - began > connections.STALL
