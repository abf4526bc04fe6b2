"""A served Pharos, and the official client of the protocol on either way to it."""

import asyncio
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Literal

import httpx
import httpx2
import pytest
import uvicorn
from mcp import Client, StdioServerParameters
from mcp.client.streamable_http import streamable_http_client
from starlette.applications import Starlette

from service import logs
from tests.queue.conftest import until

ROOT = Path(__file__).parents[2]
Way = Literal["http", "stdio"]
Assistant = Callable[..., Any]


@pytest.fixture
async def address(application: Starlette) -> AsyncIterator[str]:
    """The application on a port of 127.0.0.1."""
    server = uvicorn.Server(uvicorn.Config(application, "127.0.0.1", 0, lifespan="off", log_config=None))
    serving = asyncio.create_task(server.serve())
    await until(lambda: server.started)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    await serving


@pytest.fixture(params=["http", "stdio"])
def way(request: pytest.FixtureRequest) -> Way:
    return request.param


@pytest.fixture
def assistant(address: str, way: Way) -> Assistant:
    """Connects the official client, with a token, over HTTP or to `pharos mcp`."""

    @asynccontextmanager
    async def connect(token: str) -> AsyncIterator[Client]:
        if way == "stdio":
            arguments = ["-m", "service.cli", "mcp", "--server", address]
            environment = {"PHAROS_TOKEN": token, "PYTHONPATH": str(ROOT)}
            parameters = StdioServerParameters(command=sys.executable, args=arguments, env=environment, cwd=str(ROOT))
            async with Client(parameters) as client:
                yield client
            return
        headers = {"Authorization": f"Bearer {token}"}
        async with httpx2.AsyncClient(headers=headers, timeout=30) as web:
            async with Client(streamable_http_client(f"{address}/mcp", http_client=web)) as client:
                yield client

    return connect


Person = Callable[..., Awaitable[httpx.AsyncClient]]


async def token(client: httpx.AsyncClient, *scopes: str) -> str:
    """Make a token of somebody's."""
    answer = await client.post("/auth/tokens", json={"name": "assistant", "scopes": scopes or ["read", "write"]})
    assert answer.status_code == 201, answer.text
    return answer.json()["token"]


@pytest.fixture(autouse=True)
def the_log_of_the_suite(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lets an application that starts here leave the log as it is."""
    monkeypatch.setattr(logs, "configure", lambda: None)
