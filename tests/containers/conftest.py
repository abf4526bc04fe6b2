"""An engine and a Pharos in containers for all tests here; skipped with the reason where no engine can start."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.containers.engine import Engine, NoEngine, running
from tests.containers.stack import Stack, up


@pytest.fixture(scope="session")
def engine() -> Iterator[Engine]:
    try:
        context = running()
        found = context.__enter__()
    except NoEngine as error:
        pytest.skip(str(error))
    try:
        yield found
    finally:
        context.__exit__(None, None, None)


@pytest.fixture(scope="session")
def stack(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    home: Path = tmp_path_factory.mktemp("containers")
    with up(engine, home) as made:
        yield made
