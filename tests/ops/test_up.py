"""Two commands on a bare machine: the real `up` and `down`, with everything that can have happened in between."""

import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest

from service.embedded import free_port
from workers.supervisor.programs import MARK

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(180)]

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Installation:
    """A Pharos in a private folder, driven through its commands and its HTTP interface."""

    home: Path
    port: int

    def run(self, *command: str, **settings: str) -> subprocess.CompletedProcess[str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("PHAROS_")}
        environment = {**kept, "PHAROS_HOME": str(self.home), "PHAROS_PORT": str(self.port), **settings}
        return subprocess.run(
            [sys.executable, "-m", "workers.supervisor", *command],
            cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=120,
        )  # fmt: skip

    def up(self) -> str:
        done = self.run("up")
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def processes(self) -> dict[str, psutil.Process]:
        """Return the running programs by name, the supervisor among them."""
        lines = [line.split() for line in self.run("status").stdout.splitlines()]
        found = {line[0]: psutil.Process(int(line[1])) for line in lines if len(line) > 2 and line[1].isdigit()}
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


@pytest.fixture(scope="module")
def pharos() -> Iterator[Installation]:
    home = Path(tempfile.mkdtemp(prefix="pharos-up-"))  # mode 0700
    installation = Installation(home, free_port())
    try:
        yield installation
    finally:
        installation.run("down")
        for process in installation.alive():
            process.kill()
        shutil.rmtree(home, ignore_errors=True)


def until(condition: Callable[[], object], seconds: float = 15) -> bool:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.1)
    return True


def add(installation: Installation, title: str) -> str:
    status, resource = installation.call("POST", "/resources", {"title": title, "content": f"About {title}."})
    assert status == 201, resource
    return resource["id"]


def test_up_says_where_it_is_and_what_to_type_next(pharos: Installation) -> None:
    said = pharos.up()
    assert f"Pharos is ready at http://127.0.0.1:{pharos.port} with 2 workers." in said
    assert f"http://127.0.0.1:{pharos.port}/ui/login?code=" in said
    assert "make down" in said
    assert pharos.call("GET", "/ready")[1]["status"] == "ready"
    assert pharos.home.stat().st_mode & 0o777 == 0o700
    assert set(pharos.processes()) == {
        "postgres", "valkey", "inference", "web", "timetable", "worker-1", "worker-2", "supervisor",
    }  # fmt: skip


def test_no_password_is_on_a_command_line(pharos: Installation) -> None:
    pharos.up()
    secrets = {(pharos.home / name / "password").read_text() for name in ("postgres", "valkey")}
    lines = [" ".join(process.cmdline()) for process in pharos.alive()]
    assert len(lines) >= 8
    assert [line for line in lines if any(secret in line for secret in secrets)] == []


def test_a_second_up_is_harmless(pharos: Installation) -> None:
    pharos.up()
    before = {name: process.pid for name, process in pharos.processes().items()}
    assert "Pharos is running already." in pharos.up()
    assert {name: process.pid for name, process in pharos.processes().items()} == before


def test_two_ups_at_once_make_one_pharos(pharos: Installation) -> None:
    pharos.run("down")
    command = [sys.executable, "-m", "workers.supervisor", "up"]
    environment = {**os.environ, "PHAROS_HOME": str(pharos.home), "PHAROS_PORT": str(pharos.port)}
    both = [subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    said = [process.communicate(timeout=120)[0] for process in both]
    assert [process.returncode for process in both] == [0, 0]
    assert sum("Pharos is running already." in text for text in said) == 1


def test_scaling_takes_effect(pharos: Installation) -> None:
    pharos.up()
    assert "8 workers." in pharos.run("scale", "8").stdout
    assert pharos.call("GET", "/ready")[1]["checks"]["workers"]["count"] == 8
    pharos.run("scale", "2")
    assert until(lambda: sum(name.startswith("worker-") for name in pharos.processes()) == 2)


def test_down_ends_everything_and_the_library_survives(pharos: Installation) -> None:
    pharos.up()
    id = add(pharos, "Lighthouses")
    began = time.monotonic()
    assert "Pharos is stopped. Your library stays in" in pharos.run("down").stdout
    assert time.monotonic() - began < 10
    assert pharos.alive() == []
    assert pharos.run("down").stdout == "Pharos is not running.\n"
    assert "Pharos is not running" in pharos.run("status").stderr
    pharos.up()
    assert pharos.call("GET", f"/resources/{id}")[0] == 200


def test_everything_killed_and_up_again(pharos: Installation) -> None:
    pharos.up()
    id = add(pharos, "Breakwaters")
    for process in pharos.alive():
        process.kill()
    pharos.up()
    assert pharos.call("GET", f"/resources/{id}")[0] == 200


def test_a_killed_supervisor_takes_its_programs_along(pharos: Installation) -> None:
    pharos.up()
    pharos.processes()["supervisor"].kill()
    assert until(lambda: pharos.alive() == [], seconds=15)
    pharos.up()


def test_up_right_after_the_supervisor_was_killed(pharos: Installation) -> None:
    pharos.up()
    pharos.processes()["supervisor"].kill()
    pharos.up()
    names = [process.name() for process in pharos.alive()]
    assert names.count("valkey-server") == 1


def test_killed_programs_come_back(pharos: Installation) -> None:
    pharos.up()
    before = pharos.processes()
    for name in ("web", "worker-1", "valkey", "inference"):
        before[name].kill()
    assert until(lambda: {"web", "worker-1", "valkey", "inference"} <= set(pharos.processes()))
    assert until(lambda: ready(pharos))
    after = pharos.processes()
    assert all(after[name].pid != before[name].pid for name in ("web", "worker-1", "valkey", "inference"))
    assert after["worker-2"].pid == before["worker-2"].pid


def test_stale_files_are_ignored(pharos: Installation) -> None:
    pharos.run("down")
    (pharos.home / "run" / "supervisor.pid").write_text(str(os.getpid()))
    (pharos.home / "postgres" / "data" / "postmaster.pid").write_text(f"{os.getpid()}\n/elsewhere\n")
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(pharos.home / "run" / "control"))
    pharos.up()
    assert pharos.call("GET", "/health") == (200, {"status": "ok"})


def test_a_busy_port_is_explained(pharos: Installation) -> None:
    pharos.run("down")
    with socket.socket() as squatter:
        squatter.bind(("127.0.0.1", 0))
        squatter.listen()
        port = squatter.getsockname()[1]
        done = pharos.run("up", PHAROS_PORT=str(port))
    assert done.returncode == 1
    assert f"Port {port} of 127.0.0.1 is taken by process {os.getpid()}" in done.stderr
    assert "Traceback" not in done.stderr
    assert pharos.alive() == []


def test_a_hung_supervisor_is_ended_by_down(pharos: Installation) -> None:
    pharos.up()
    supervisor = pharos.processes()["supervisor"]
    os.kill(supervisor.pid, signal.SIGSTOP)
    assert pharos.run("down").returncode == 0
    assert until(lambda: pharos.alive() == [])


def ready(installation: Installation) -> bool:
    try:
        return installation.call("GET", "/ready")[0] == 200
    except OSError:
        return False
