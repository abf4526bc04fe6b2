"""A real Pharos for the modules here, one for each."""

from collections.abc import Iterator

import pytest

from tests.installation import Installation, installed


@pytest.fixture(scope="module")
def installation() -> Iterator[Installation]:
    with installed() as made:
        yield made


@pytest.fixture
def running(installation: Installation) -> Installation:
    """The installation, up."""
    if not installation.ready():
        installation.up()
    return installation
