from collections.abc import AsyncIterator

import pytest

from service.ingestion.sandbox import sandbox


@pytest.fixture(scope="session", autouse=True)
async def parsers() -> AsyncIterator[None]:
    """End the parser processes with the session."""
    yield
    await sandbox().close()
