"""The command as a process of its own, against a real server."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import NamedTuple

import pytest
from starlette.applications import Starlette

from tests.serving import serving

ROOT = Path(__file__).parents[2]


class Done(NamedTuple):
    status: int
    out: str
    err: str


Pharos = Callable[..., Awaitable[Done]]


async def start(server: str, *arguments: str, cwd: Path, **variables: str) -> asyncio.subprocess.Process:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PHAROS_")}
    environment = {**kept, "PYTHONPATH": str(ROOT), "PHAROS_SERVER": server, "PHAROS_TOKEN": "token of the admin"}
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "service.cli", *arguments, cwd=cwd, env={**environment, **variables},
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip


@pytest.fixture
async def server(application: Starlette) -> AsyncIterator[str]:
    """The whole application on a port of 127.0.0.1."""
    async with serving(application) as address:
        yield address


@pytest.fixture
def pharos_command(server: str, tmp_path: Path) -> Pharos:
    async def run(*arguments: str, given: str = "", **variables: str) -> Done:
        process = await start(server, *arguments, cwd=tmp_path, **variables)
        out, err = await asyncio.wait_for(process.communicate(given.encode()), 30)
        assert process.returncode is not None
        return Done(process.returncode, out.decode(), err.decode())

    return run
