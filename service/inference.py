"""The model server, seen from outside: vectors of queries and of passages, without a model library in this process.

One request at a time on a connection, connections are kept and used again; closing one cancels its request. A frame is

    >II  length of the header, length of the payload  |  header: JSON  |  payload: bytes

and goes `{"call": "query"}` + text -> vector, `{"call": "passages", "title"}` + text -> spans in the header, vectors
and their mean in the payload. Vectors are float32 in the machine's order: both ends are on one machine.
"""

import asyncio
import struct
from collections import deque
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from time import monotonic
from typing import Any, Final

import orjson

from service.cache.local import local
from service.errors import Unavailable
from service.settings import settings

MODEL: Final = "minilm-l6-v2-int8/128/1"  # weights / word pieces of a passage / version of the cutting
DIMENSIONS: Final = 384
VECTOR_SIZE: Final = 4 * DIMENSIONS  # bytes
TEXT_LIMIT: Final = 1_000_000  # characters of a text that are indexed and embedded: some 170,000 words

FRAME: Final = struct.Struct(">II")
QUERY_TIMEOUT = 1.0  # seconds; a hundred times the usual
PASSAGES_TIMEOUT = 110.0  # seconds; below the limit of the task that waits for it
HUNG_FOR = 5.0  # seconds without another try after a query timed out: one search waits for a frozen server, not all

Vector = bytes  # 384 float32


class InferenceAway(Unavailable):
    """The model server gives no vectors ({reason}): search goes by words alone, embeddings wait."""


class InferenceOutage(InferenceAway):
    """The model server cannot be used now ({reason}): search goes by words alone, embeddings wait."""


@dataclass(frozen=True, slots=True)
class Passage:
    """A part of a text, by characters, and its unit vector."""

    ordinal: int
    start: int
    end: int
    text: str
    vector: Vector


@dataclass(frozen=True, slots=True)
class Embedded:
    """A text by meaning: its passages and their unit mean; no text and no title make no passage and no mean."""

    passages: list[Passage]
    mean: Vector | None
    truncated: bool  # the end of a very long text was left out


@dataclass(frozen=True, slots=True)
class _Connection:
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    loop: asyncio.AbstractEventLoop

    @property
    def usable(self) -> bool:
        return self.loop is asyncio.get_running_loop() and not self.reader.at_eof() and not self.writer.is_closing()


_idle: deque[_Connection] = deque()
_hung_until = 0.0


def socket_path() -> Path:
    """Return where the model server of this machine listens."""
    return settings().inference_socket or settings().home / "run" / "inference"


@asynccontextmanager
async def connected() -> AsyncGenerator[None]:
    """Close the connections that were kept when the block ends."""
    try:
        yield
    finally:
        while _idle:
            _close(_idle.pop())


def pack(header: dict[str, Any], payload: bytes = b"") -> bytes:
    """Return a frame."""
    head = orjson.dumps(header)
    return FRAME.pack(len(head), len(payload)) + head + payload


async def embed_query(text: str) -> Vector:
    """Return the unit vector of a query; InferenceAway at once, or after 1 s, where there is none."""
    global _hung_until
    said = " ".join(text.split())
    key = blake2b(f"{MODEL} {said}".encode(errors="replace"), digest_size=20).digest()
    if (known := local.get(key)) is not None:
        return known
    if monotonic() < _hung_until:
        raise InferenceOutage(reason="it did not answer a moment ago")
    try:
        _, vector = await _ask({"call": "query"}, said, QUERY_TIMEOUT)
    except TimeoutError:
        _hung_until = monotonic() + HUNG_FOR
        raise InferenceOutage(reason=f"no answer within {QUERY_TIMEOUT:g} s") from None
    local.set(key, vector)
    return vector


async def embed_passages(title: str, text: str) -> Embedded:
    """Cut a text into overlapping passages and return their vectors.

    Raises InferenceOutage where nobody could have them now, InferenceAway where it may be this text's fault.
    """
    try:
        header, payload = await _ask({"call": "passages", "title": title}, text[:TEXT_LIMIT], PASSAGES_TIMEOUT)
    except TimeoutError:
        raise InferenceAway(reason=f"no answer within {PASSAGES_TIMEOUT:g} s") from None
    vectors = [payload[at : at + VECTOR_SIZE] for at in range(0, len(payload), VECTOR_SIZE)]
    mean = vectors.pop() if vectors else None
    passages = [
        Passage(ordinal, start, end, text[start:end], vector)
        for ordinal, ((start, end), vector) in enumerate(zip(header["spans"], vectors, strict=True))
    ]
    return Embedded(passages, mean, header["truncated"] or len(text) > TEXT_LIMIT)


async def _ask(header: dict[str, Any], text: str, limit: float) -> tuple[dict[str, Any], bytes]:
    frame = pack(header, text.encode(errors="replace"))
    async with asyncio.timeout(limit):
        while _idle:
            connection = _idle.pop()
            if not connection.usable:
                _close(connection)
                continue
            with suppress(ConnectionError):  # the server was restarted since
                return await _exchange(connection, frame)
        try:
            reader, writer = await asyncio.open_unix_connection(socket_path())
        except OSError as error:
            raise InferenceOutage(reason=error.strerror or str(error)) from error
        try:
            return await _exchange(_Connection(reader, writer, asyncio.get_running_loop()), frame)
        except ConnectionError as error:
            raise InferenceAway(reason=str(error)) from error


async def _exchange(connection: _Connection, frame: bytes) -> tuple[dict[str, Any], bytes]:
    """Send a frame and read the answer; ConnectionError where the connection ends before."""
    whole = False
    try:
        connection.writer.write(frame)
        head_size, size = FRAME.unpack(await connection.reader.readexactly(FRAME.size))
        header: dict[str, Any] = orjson.loads(await connection.reader.readexactly(head_size))
        payload = await connection.reader.readexactly(size)
        whole = True
    except asyncio.IncompleteReadError as error:
        raise ConnectionResetError("the connection ended before the answer") from error
    finally:
        if whole:
            _idle.append(connection)
        else:
            _close(connection)
    if "busy" in header:
        raise InferenceOutage(reason=header["busy"])
    if "error" in header:
        raise InferenceAway(reason=header["error"])
    if header["model"] != MODEL:
        raise InferenceOutage(reason=f"it runs {header['model']}, this process wants {MODEL}: restart it")
    return header, payload


def _close(connection: _Connection) -> None:
    if not connection.loop.is_closed():
        connection.writer.close()
