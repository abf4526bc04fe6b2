"""A server on 127.0.0.1 that speaks as an OpenAI-compatible one does, and says what a test has it say."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import orjson

Say = Callable[[dict[str, Any]], Any]


@dataclass
class FakeModel:
    """Answers each request with the next of `says`, the last for ever: a text, a status, or a function of it."""

    says: list[Any]
    tokens: int | None = 100
    asked: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    keys: list[str | None] = field(default_factory=list[str | None])
    paths: list[str] = field(default_factory=list[str])
    port: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        lines = head.split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
        body = await reader.readexactly(int(headers["content-length"]))
        asked = orjson.loads(body)
        self.paths.append(lines[0].split()[1])
        self.keys.append(headers.get("authorization"))
        self.asked.append(asked)
        said = self.says[min(len(self.asked), len(self.says)) - 1]
        said = said(asked) if callable(said) else said
        if said is None:  # breaks off
            writer.close()
            return
        status, answer = (said, b"{}") if isinstance(said, int) else (200, self.completion(said))
        writer.write(
            b"HTTP/1.1 %d X\r\ncontent-type: application/json\r\ncontent-length: %d\r\nconnection: close\r\n\r\n%s"
            % (status, len(answer), answer)
        )
        await writer.drain()
        writer.close()

    def completion(self, said: Any) -> bytes:
        if isinstance(said, bytes):
            return said
        text = said if isinstance(said, str) else orjson.dumps(said).decode()
        usage = {} if self.tokens is None else {"usage": {"total_tokens": self.tokens}}
        return orjson.dumps({"choices": [{"message": {"role": "assistant", "content": text}}], **usage})


@asynccontextmanager
async def serving(*says: Any) -> AsyncGenerator[FakeModel]:
    """Serve until the block ends."""
    model = FakeModel(list(says))
    server = await asyncio.start_server(model.serve, "127.0.0.1", 0)
    model.port = server.sockets[0].getsockname()[1]
    async with server:
        yield model
