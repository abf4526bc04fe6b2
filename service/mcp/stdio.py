"""`pharos mcp`: the tools on standard input and output, over the HTTP interface of a server."""

from typing import Any

import anyio
import httpx
from mcp.server.mcpserver import Context

from service.mcp.tools import build


def run(server: str, headers: dict[str, str]) -> None:
    """Serve until standard input ends."""

    def connect(ctx: Context[Any, Any]) -> httpx.AsyncClient:
        return httpx.AsyncClient(base_url=server, headers=headers, timeout=60, trust_env=False)

    anyio.run(build(connect).run_stdio_async)
