"""A Redis of our own that can be killed and started again, and programs that read and publish there."""

import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import pytest
import redis

from service.broadcast import EventPublisher
from service.embedded import Valkey


class Server:
    """A durable Valkey: what it was told is there again after a restart."""

    def __init__(self, folder: Path) -> None:
        self.valkey = Valkey(folder)
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return self.valkey.url()

    def start(self) -> None:
        self.valkey.prepare()
        self._process = subprocess.Popen(
            self.valkey.command(), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        deadline = time.monotonic() + 20
        while not self.valkey.ready():
            assert time.monotonic() < deadline
            time.sleep(0.01)

    def kill(self) -> None:
        """End it at once; what was told in the last second may be gone, so have it written first."""
        assert self._process is not None
        with redis.Redis.from_url(self.url) as client:
            client.execute_command("WAITAOF", 1, 0, 5000)
        self._process.kill()
        self._process.wait()

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """Stand still within the block; connections stay open."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self._process.send_signal(signal.SIGCONT)

    def close(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    server = Server(tmp_path_factory.mktemp("valkey"))
    server.start()
    try:
        yield server
    finally:
        server.close()


@pytest.fixture
def store(server: Server) -> Iterator["redis.Redis"]:
    """A client of the server, which is empty."""
    with redis.Redis.from_url(server.url) as client:
        client.flushdb()
        yield client


@pytest.fixture
def publisher(server: Server, store: "redis.Redis") -> Iterator[EventPublisher]:
    with EventPublisher(server.url) as publisher:
        yield publisher


@pytest.fixture
def group() -> str:
    return f"group-{uuid4().hex[:8]}"
