"""A Pharos in a folder of its own, driven as a person drives it: by its commands and over HTTP."""

import http.client
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from service.embedded import free_port
from workers.supervisor.programs import MARK

ROOT = Path(__file__).parents[1]


@dataclass(frozen=True)
class Installation:
    """A Pharos in a private folder, driven through its commands and its HTTP interface."""

    home: Path
    port: int
    settings: Mapping[str, str] = field(default_factory=dict)

    def run(self, *command: str, **settings: str) -> subprocess.CompletedProcess[str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("PHAROS_")}
        environment = {**kept, "PHAROS_HOME": str(self.home), "PHAROS_PORT": str(self.port)}
        environment["PHAROS_MODE"] = "embedded"  # also where a container engine answers
        environment |= {**self.settings, **settings}
        return subprocess.run(
            [sys.executable, "-m", "workers.supervisor", *command],
            cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=120,
        )  # fmt: skip

    def up(self) -> str:
        done = self.run("up")
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def ready(self) -> bool:
        try:
            return self.call("GET", "/ready")[0] == 200
        except OSError:
            return False

    def processes(self) -> dict[str, psutil.Process]:
        """Return the running programs by name, the supervisor among them."""
        lines = [line.split() for line in self.run("status").stdout.splitlines()]
        found: dict[str, psutil.Process] = {}
        for line in lines:
            if len(line) > 2 and line[1].isdigit():
                with suppress(psutil.NoSuchProcess):  # it has ended since
                    found[line[0]] = psutil.Process(int(line[1]))
        return {**found, "supervisor": psutil.Process(int((self.home / "run" / "supervisor.pid").read_text()))}

    def alive(self) -> list[psutil.Process]:
        """Return every process that belongs to this home, whoever started it."""
        return [process for process in psutil.process_iter() if self._owns(process)]

    def _owns(self, process: psutil.Process) -> bool:
        try:
            if process.status() == psutil.STATUS_ZOMBIE:
                return False
            return process.environ().get(MARK) == str(self.home) or str(self.home) in " ".join(process.cmdline())
        except psutil.Error:
            return False

    def call(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        token = (self.home / "admin-token").read_text().strip()
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        try:
            connection.request(method, path, None if body is None else json.dumps(body), headers)
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read() or b"null")
        finally:
            connection.close()

    def add(self, title: str) -> str:
        """Add an item by content and return its id."""
        status, resource = self.call("POST", "/resources", {"title": title, "content": f"About {title}."})
        assert status == 201, resource
        return resource["id"]

    def broker_url(self) -> str:
        """Return the address of its task queue."""
        folder = self.home / "valkey"
        password, port = (folder / "password").read_text(), (folder / "port").read_text()
        return f"redis://:{password}@127.0.0.1:{port}/0"


def until(condition: Callable[[], object], seconds: float = 15) -> bool:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.1)
    return True


@contextmanager
def installed(**settings: str) -> Iterator[Installation]:
    """Make a Pharos in a private folder, with nothing running yet, and leave nothing of it."""
    home = Path(tempfile.mkdtemp(prefix="pharos-test-"))  # mode 0700
    made = Installation(home, free_port(), settings)
    try:
        yield made
    finally:
        made.run("down")
        for process in made.alive():
            process.kill()
        shutil.rmtree(home, ignore_errors=True)
