"""The HTTP interface as tools call it: one client per call, with the caller's own token."""

from collections.abc import Callable
from typing import Any

import httpx
from mcp.server.mcpserver import Context
from mcp.server.mcpserver.exceptions import ToolError

Connect = Callable[[Context[Any, Any]], httpx.AsyncClient]


class Library:
    """Calls the interface; what that refuses is an error of the tool, in the same words."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client

    async def get(self, path: str, **parameters: Any) -> Any:
        """Return an answer; raises ToolError."""
        given = {name: value for name, value in parameters.items() if value is not None}
        return await self._call("GET", path, params=given)

    async def post(self, path: str, body: dict[str, Any]) -> Any:
        """Send JSON and return the answer; raises ToolError."""
        return await self._call("POST", path, json=body)

    async def _call(self, method: str, path: str, **options: Any) -> Any:
        try:
            answer = await self._client.request(method, path, **options)
        except httpx.TransportError as error:
            raise ToolError(f"Pharos cannot be reached: {error or type(error).__name__}.") from error
        try:
            found = answer.json()
        except ValueError as error:
            raise ToolError(f"The server does not answer like Pharos (status {answer.status_code}).") from error
        if answer.is_success:
            return found
        faults = [f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in found.get("errors", ())]
        raise ToolError("\n".join([str(found.get("detail", f"Pharos answers {answer.status_code}.")), *faults]))
