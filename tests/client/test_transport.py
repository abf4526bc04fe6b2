"""What is sent again, when, and what is said where nothing helps: against a server that does what it is told."""

import asyncio
import io
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from service.client import (
    Changed,
    Client,
    Conflict,
    Forbidden,
    Gone,
    Invalid,
    NotFound,
    NotPharos,
    PharosError,
    RateLimited,
    Refused,
    TooLarge,
    Unauthorized,
    Unavailable,
    Unreachable,
)
from service.client import transport as transports

ADDED = {"id": "01890000-0000-7000-8000-000000000000", "status": "pending", "duplicate": False}
ALIVE = {"status": "ok"}
DROP, SILENCE, HALF = "drop", "silence", "half"
Answer = tuple[int, dict[str, str], Any] | str


@dataclass
class Scripted:
    """A server with an answer for each request: a status with headers and JSON, or what goes wrong instead."""

    answers: list[Answer] = field(default_factory=list)
    heads: list[str] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    address: str = ""

    def client(self, **options: Any) -> Client:
        return Client(self.address, "a token", **options)

    def header(self, number: int, name: str) -> str | None:
        lines = self.heads[number].lower().split("\r\n")
        return next((line.partition(": ")[2] for line in lines if line.startswith(f"{name}:")), None)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
                self.heads.append(head)
                self.bodies.append(await self._body(head, reader))
                answer = self.answers.pop(0)
                if answer == SILENCE:
                    await reader.read()
                    return
                if answer == DROP:
                    return
                if answer == HALF:
                    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
                    await writer.drain()
                    return
                assert not isinstance(answer, str)
                status, headers, body = answer
                raw = body if isinstance(body, bytes) else json.dumps(body).encode()
                lines = [f"{name}: {value}" for name, value in {**headers, "Content-Length": len(raw)}.items()]
                writer.write("\r\n".join([f"HTTP/1.1 {status} So", *lines, "", ""]).encode() + raw)
                await writer.drain()
        except asyncio.IncompleteReadError:
            pass
        finally:
            writer.close()

    async def _body(self, head: str, reader: asyncio.StreamReader) -> bytes:
        length = self.header(len(self.heads) - 1, "content-length")
        if length is not None:
            return await reader.readexactly(int(length))
        if "transfer-encoding: chunked" not in head.lower():
            return b""
        whole = b""
        while size := int((await reader.readline()).strip(), 16):
            whole += await reader.readexactly(size)
            await reader.readline()
        await reader.readline()
        return whole


@pytest.fixture
async def server() -> AsyncIterator[Scripted]:
    scripted = Scripted()
    listening = await asyncio.start_server(scripted.serve, "127.0.0.1", 0)
    scripted.address = f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}"
    yield scripted
    listening.close()


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Lets no time pass, and tells how much would have."""
    found: list[float] = []
    real = asyncio.sleep

    class Clock:
        def __getattr__(self, name: str) -> Any:
            return getattr(asyncio, name)

        async def sleep(self, seconds: float) -> None:
            found.append(seconds)
            await real(0)

    monkeypatch.setattr(transports, "asyncio", Clock())
    return found


async def test_what_is_read_is_asked_for_again_after_longer_and_longer_pauses(
    server: Scripted, pauses: list[float]
) -> None:
    server.answers = [DROP, DROP, DROP, (200, {}, ALIVE)]
    async with server.client() as pharos:
        assert (await pharos.server.health()).status == "ok"
    assert len(pauses) == 3
    for pause, longest in zip(pauses, (0.25, 0.5, 1.0), strict=True):
        assert longest / 2 <= pause <= longest


async def test_it_gives_up_and_says_what_was_asked(server: Scripted, pauses: list[float]) -> None:
    server.answers = [DROP] * 4
    async with server.client() as pharos:
        with pytest.raises(Unreachable, match="cannot be reached") as caught:
            await pharos.server.health()
    assert caught.value.operation == "GET /health"
    assert len(server.heads) == 4


async def test_a_post_is_sent_again_under_the_same_key(server: Scripted, pauses: list[float]) -> None:
    server.answers = [DROP, (202, {}, ADDED), (202, {}, ADDED)]
    async with server.client() as pharos:
        await pharos.resources.add("https://example.org/")
        await pharos.resources.add("https://example.org/")
    keys = [server.header(number, "idempotency-key") for number in range(3)]
    assert keys[0] == keys[1] != keys[2]
    assert server.bodies[0] == server.bodies[1]


async def test_the_first_request_may_still_be_in_hand(server: Scripted, pauses: list[float]) -> None:
    in_hand = (409, {}, {"type": "urn:pharos:key-in-use", "detail": "It is still being worked on."})
    server.answers = [DROP, in_hand, (202, {}, ADDED)]
    async with server.client() as pharos:
        assert not (await pharos.resources.add("https://example.org/")).duplicate
    server.answers = [in_hand]
    async with server.client() as pharos:
        with pytest.raises(Conflict):
            await pharos.resources.add("https://example.org/")


NOT_AGAIN: list[Callable[[Client], Any]] = [
    lambda pharos: pharos.resources.update("1", version=3, title="a"),
    lambda pharos: pharos.resources.delete("1", version=3),
    lambda pharos: pharos.tokens.create("a", ["read"]),
    lambda pharos: pharos.webhooks.create("https://example.org/", ["*"]),
]


@pytest.mark.parametrize("number", range(len(NOT_AGAIN)))
async def test_what_twice_is_not_what_once_is_goes_out_once(server: Scripted, pauses: list[float], number: int) -> None:
    server.answers = [DROP]
    async with server.client() as pharos:
        with pytest.raises(Unreachable):
            await NOT_AGAIN[number](pharos)
    assert len(server.heads) == 1
    assert server.header(0, "idempotency-key") is None


async def test_who_is_told_to_come_back_comes_back_then(server: Scripted, pauses: list[float]) -> None:
    server.answers = [(503, {"Retry-After": "7"}, {}), (429, {"Retry-After": "3"}, {}), (200, {}, ALIVE)]
    async with server.client() as pharos:
        await pharos.server.health()
    assert [7 <= pauses[0] < 8, 3 <= pauses[1] < 4] == [True, True]
    server.answers = [(429, {"Retry-After": "1"}, {}), (401, {}, {})]  # nothing of it was done
    async with server.client() as pharos:
        with pytest.raises(Unauthorized):
            await pharos.tokens.create("a", ["read"])


@pytest.mark.parametrize(
    ("answer", "kind", "after"),
    [
        ((503, {}, {"detail": "The task queue is away."}), Unavailable, None),
        ((503, {"Retry-After": "3600"}, {}), Unavailable, 3600),
        ((429, {"Retry-After": "600"}, {}), RateLimited, 600),
        ((500, {}, {}), Refused, None),
    ],
)
async def test_who_would_wait_too_long_or_in_vain_is_told_at_once(
    server: Scripted, pauses: list[float], answer: Answer, kind: type[Refused], after: float | None
) -> None:
    server.answers = [answer]
    async with server.client() as pharos:
        with pytest.raises(kind) as caught:
            await pharos.server.health()
    assert caught.value.retry_after == after
    assert pauses == []


async def test_a_deletion_whose_answer_was_lost_is_done(server: Scripted, pauses: list[float]) -> None:
    server.answers = [DROP, (404, {}, {})]
    async with server.client() as pharos:
        await pharos.resources.delete("1")
    server.answers = [(404, {}, {})]
    async with server.client() as pharos:
        with pytest.raises(NotFound):
            await pharos.resources.delete("1")


async def test_a_file_is_sent_from_its_beginning_again(server: Scripted, pauses: list[float]) -> None:
    uploaded = {**ADDED, "resource_id": ADDED["id"], "filename": "a.txt", "status": "uploaded"}
    server.answers = [DROP, (202, {}, {"items": [uploaded]})]
    async with server.client() as pharos:
        await pharos.documents.upload(io.BytesIO(b"x" * 200_000), filename="a.txt")
    assert [body.count(b"x" * 200_000) for body in server.bodies] == [1, 1]


async def test_a_server_that_says_nothing_is_not_waited_for_for_ever(server: Scripted) -> None:
    server.answers = [SILENCE]
    async with server.client(timeout=0.1, attempts=1) as pharos:
        with pytest.raises(Unreachable, match="ReadTimeout"):
            await pharos.server.health()


async def test_nobody_there(pauses: list[float]) -> None:
    async with Client("http://127.0.0.1:1") as pharos:
        with pytest.raises(Unreachable):
            await pharos.tokens.create("a", ["read"])  # it was never sent, so that it may be sent again
    assert len(pauses) == 3


async def test_a_download_that_breaks_off_is_no_whole_file(server: Scripted) -> None:
    server.answers = [HALF]
    async with server.client() as pharos:
        pieces = pharos.documents.download("1")
        got = await anext(pieces)
        with pytest.raises(Unreachable):
            await anext(pieces)
    assert got == b"half"


@pytest.mark.parametrize("body", [b"<html>Sign in</html>", b"[]", b'{"status": "fine"}', b""])
async def test_what_is_not_pharos_is_called_so(server: Scripted, body: bytes) -> None:
    server.answers = [(200, {}, body)]
    async with server.client() as pharos:
        with pytest.raises(NotPharos, match="GET /health like Pharos"):
            await pharos.server.health()


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, Refused), (401, Unauthorized), (403, Forbidden), (404, NotFound), (409, Conflict), (410, Gone),
        (412, Changed), (413, TooLarge), (415, Refused), (422, Invalid), (429, RateLimited), (503, Unavailable),
    ],
)  # fmt: skip
async def test_problems_become_errors_that_say_what_failed(
    server: Scripted, status: int, kind: type[PharosError]
) -> None:
    problem = {"type": "urn:pharos:so", "title": "So", "detail": "It is so.", "errors": [{"loc": ["a"], "msg": "no"}]}
    server.answers = [(status, {"X-Correlation-ID": "abc"}, problem)]
    async with server.client() as pharos:
        with pytest.raises(Refused, match="It is so") as caught:
            await pharos.server.health()
    error = caught.value
    assert type(error) is kind
    assert (error.status, error.type, error.errors[0]["msg"], error.correlation_id, error.operation) == (
        status, "urn:pharos:so", "no", "abc", "GET /health",
    )  # fmt: skip


async def test_the_token_is_a_bearer_s(server: Scripted) -> None:
    server.answers = [(200, {}, ALIVE)]
    async with server.client() as pharos:
        await pharos.server.health()
    assert server.header(0, "authorization") == "bearer a token"
