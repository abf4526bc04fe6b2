"""A model server of the test's own."""

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Self

from service import inference
from service.cache.local import local

ROOT = Path(__file__).parent.parent


class ModelServer:
    """`python -m workers.inference` on a socket of its own."""

    def __init__(self, socket: Path) -> None:
        self.socket = socket
        self.process: subprocess.Popen[bytes] | None = None

    async def start(self) -> Self:
        environment = os.environ | {"PHAROS_INFERENCE_SOCKET": str(self.socket)}
        self.process = subprocess.Popen([sys.executable, "-m", "workers.inference"], cwd=ROOT, env=environment)
        async with asyncio.timeout(30):
            while not self.listens():
                assert self.process.poll() is None, "the model server ended"
                await asyncio.sleep(0.02)
        return self

    def listens(self) -> bool:
        return self.socket.is_socket()

    @property
    def alive(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def send(self, number: int) -> None:
        assert self.process is not None
        self.process.send_signal(number)

    def stop(self, number: int = signal.SIGTERM) -> int:
        """End it and return its exit status."""
        assert self.process is not None
        self.send(number)
        self.send(signal.SIGCONT)
        return self.process.wait(timeout=10)


def forget_vectors() -> None:
    """Make the client ask for every vector again, over new connections, as if no time-out had been."""
    for connection in inference._idle:
        connection.writer.close()
    inference._idle.clear()
    local.clear()
    inference._hung_until = 0.0
