"""Streamable HTTP, without sessions: each request is by itself, so that any web process answers it."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import httpx
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from service.errors import Unauthenticated
from service.events import current_origin

if TYPE_CHECKING:
    from mcp.server.mcpserver import Context
    from mcp.server.streamable_http_manager import StreamableHTTPSessionManager


class Assistants:
    """The protocol's own server; the first request loads and starts it: most installations never do."""

    def __init__(self) -> None:
        self._starting = asyncio.Lock()
        self._manager: StreamableHTTPSessionManager | None = None
        self._running: asyncio.Task[None] | None = None
        self._over = asyncio.Event()

    async def manager(self) -> "StreamableHTTPSessionManager":
        """Return what answers requests."""
        async with self._starting:
            if self._manager is None:
                ready: asyncio.Future[StreamableHTTPSessionManager] = asyncio.get_running_loop().create_future()
                self._running = asyncio.create_task(self._run(ready), name="assistants")
                self._manager = await ready
            return self._manager

    async def _run(self, ready: "asyncio.Future[StreamableHTTPSessionManager]") -> None:
        """Hold it open in one task: what it opens has to be closed where it was opened."""
        try:
            manager = await asyncio.to_thread(_build)
        except Exception as error:
            ready.set_exception(error)
            return
        async with manager.run():
            ready.set_result(manager)
            await self._over.wait()

    async def close(self) -> None:
        """End it."""
        self._over.set()
        if self._running is not None:
            await asyncio.gather(self._running, return_exceptions=True)


def _build() -> "StreamableHTTPSessionManager":
    from mcp.server.transport_security import TransportSecuritySettings

    from service.mcp.tools import build

    server = build(_connect)
    # What it would check against rebinding, the token does: no browser sends one by itself.
    unchecked = TransportSecuritySettings(enable_dns_rebinding_protection=False)
    server.streamable_http_app(json_response=True, stateless_http=True, transport_security=unchecked)
    return server.session_manager


def _connect(ctx: "Context[Any, Any]") -> httpx.AsyncClient:
    """Open a client that goes through our own middleware, as who asked."""
    request: Request = ctx.request_context.request  # pyright: ignore[reportAssignmentType]
    said = {"authorization": request.headers["authorization"], "x-correlation-id": current_origin().correlation_id}
    client = request.client
    transport = httpx.ASGITransport(request.app, client=(client.host, client.port) if client else ("127.0.0.1", 0))
    return httpx.AsyncClient(transport=transport, base_url=str(request.base_url), headers=said, timeout=60)


_current: Assistants | None = None


@asynccontextmanager
async def assistants() -> AsyncGenerator[None]:
    """Answer assistants while the block runs."""
    global _current
    _current = Assistants()
    try:
        yield
    finally:
        await _current.close()
        _current = None


class Answer(Response):
    """What the protocol's own server answers."""

    def __init__(self, manager: "StreamableHTTPSessionManager") -> None:
        super().__init__()
        self._manager = manager

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._manager.handle_request(scope, receive, send)


async def answer(request: Request) -> Response:
    """Hand a request on; a token is needed, since the tools pass it on."""
    if "authorization" not in request.headers:
        raise Unauthenticated
    assert _current is not None
    return Answer(await _current.manager())
