"""The model, and servers of it."""

from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from service.settings import settings
from tests.model_server import ModelServer, forget_vectors
from workers.inference.model import Model


@pytest.fixture(scope="session")
def model() -> Model:
    """The real one."""
    return Model()


@pytest.fixture
def server(model_server: ModelServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[ModelServer]:
    """A running model server, and a client of it that has asked nothing yet."""
    with _client(model_server.socket, monkeypatch):
        yield model_server


@pytest.fixture
def socket(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Where a server of this test's own may listen."""
    with (
        TemporaryDirectory(prefix="pharos-") as folder,
        _client(Path(folder) / "run" / "inference", monkeypatch) as path,
    ):
        yield path


@pytest.fixture
async def mortal(socket: Path) -> AsyncIterator[ModelServer]:
    """A model server that this test may kill."""
    running = await ModelServer(socket).start()
    yield running
    if running.alive:
        running.stop()


@contextmanager
def _client(socket: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("PHAROS_INFERENCE_SOCKET", str(socket))
    settings.cache_clear()
    forget_vectors()
    yield socket
    forget_vectors()
    settings.cache_clear()
