"""Engines as they are in the product: these tests look at what becomes of connections."""

from typing import Any

import pytest
from sqlalchemy.ext.asyncio import create_async_engine


class Fresh:
    """Makes engines that nobody keeps."""

    create = staticmethod(create_async_engine)


@pytest.fixture
def engines() -> Any:
    return Fresh()
