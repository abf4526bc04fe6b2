"""A real server, and a client of it."""

from collections.abc import AsyncIterator

import pytest
from starlette.applications import Starlette

from service.client import Client
from tests.serving import serving


@pytest.fixture
async def address(application: Starlette) -> AsyncIterator[str]:
    """The whole application on a port of 127.0.0.1."""
    async with serving(application) as address:
        yield address


@pytest.fixture
async def client(address: str) -> AsyncIterator[Client]:
    """The admin's client."""
    async with Client(address, "token of the admin") as client:
        yield client
