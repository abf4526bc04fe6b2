"""HTTP for assistants."""

from starlette.requests import Request
from starlette.responses import Response

from service.mcp import serving
from service.web import route


async def mcp(request: Request) -> Response:
    """The Model Context Protocol, as JSON-RPC: docs/mcp.md."""
    return await serving.answer(request)


routes = [route("POST", "/mcp", mcp, scope="read")]
