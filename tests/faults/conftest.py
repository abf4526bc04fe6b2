"""One PostgreSQL for the faults, and a site for each."""

from collections.abc import AsyncIterator

import pytest

from tests.faults.site import Ground, Site, ground, site


@pytest.fixture(scope="session")
async def place() -> AsyncIterator[Ground]:
    async with ground() as made:
        yield made


@pytest.fixture(name="site")
async def a_site(place: Ground) -> AsyncIterator[Site]:
    async with site(place) as made:
        yield made
