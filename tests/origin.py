"""A web server on 127.0.0.1 that serves what a test puts on it, well-behaved or not."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import closing, suppress
from dataclasses import dataclass, field
from typing import Self

Body = bytes | Callable[[], AsyncIterator[bytes]]


@dataclass
class Page:
    """One answer; a body that is a function is streamed chunk by chunk, for as long as it yields."""

    body: Body = b""
    status: int = 200
    content_type: str = "text/html; charset=utf-8"
    headers: dict[str, str] = field(default_factory=dict)


@dataclass
class Request:
    """What the server was asked."""

    path: str
    headers: dict[str, str]


class Origin:
    """Serves `pages` by path and remembers the `requests`; use it as a context manager."""

    def __init__(self, pages: dict[str, Page] | None = None, tls: ssl.SSLContext | None = None) -> None:
        self.pages = dict(pages or {})
        self.requests: list[Request] = []
        self.tls = tls
        self.port = 0
        self._serving: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=self.tls)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for task in self._serving:
            task.cancel()
        await asyncio.gather(*self._serving, return_exceptions=True)

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    def url(self, path: str, host: str = "127.0.0.1") -> str:
        return f"{'https' if self.tls else 'http'}://{host}:{self.port}{path}"

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._serving.add(task)
        task.add_done_callback(self._serving.discard)
        with closing(writer), suppress(ConnectionError, asyncio.IncompleteReadError, ssl.SSLError):
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            start, *lines = head.split("\r\n")
            headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
            request = Request(start.split(" ")[1], headers)
            self.requests.append(request)
            await reader.readexactly(int(headers.get("content-length", 0)))
            page = self.pages.get(request.path, Page(b"not here", 404))
            await self._answer(writer, page)

    async def _answer(self, writer: asyncio.StreamWriter, page: Page) -> None:
        headers = {"Content-Type": page.content_type, "Connection": "close", **page.headers}
        if isinstance(page.body, bytes):
            headers.setdefault("Content-Length", str(len(page.body)))
        lines = [f"HTTP/1.1 {page.status} X", *(f"{name}: {value}" for name, value in headers.items()), "", ""]
        writer.write("\r\n".join(lines).encode("latin-1"))
        if isinstance(page.body, bytes):
            writer.write(page.body)
        else:
            async for chunk in page.body():
                writer.write(chunk)
                await writer.drain()
        await writer.drain()
