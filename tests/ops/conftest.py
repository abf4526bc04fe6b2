"""A real Pharos for the modules here, one for each."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from service.embedded import free_port
from tests.installation import Installation


@pytest.fixture(scope="module")
def installation() -> Iterator[Installation]:
    home = Path(tempfile.mkdtemp(prefix="pharos-up-"))  # mode 0700
    site = Installation(home, free_port())
    try:
        yield site
    finally:
        site.run("down")
        for process in site.alive():
            process.kill()
        shutil.rmtree(home, ignore_errors=True)


@pytest.fixture
def running(installation: Installation) -> Installation:
    """The installation, up."""
    if not installation.ready():
        installation.up()
    return installation
