"""Two commands on a bare machine: the real `up` and `down`, with everything that can have happened in between."""

import os
import shutil
import socket
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from service.embedded import free_port
from tests.installation import Installation, until

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(180)]


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


@pytest.fixture
def running(pharos: Installation) -> Installation:
    """The installation, up."""
    if not pharos.ready():
        pharos.up()
    return pharos


def add(installation: Installation, title: str) -> str:
    status, resource = installation.call("POST", "/resources", {"title": title, "content": f"About {title}."})
    assert status == 201, resource
    return resource["id"]


def test_two_ups_at_once_make_one_pharos_and_say_where_it_is(pharos: Installation) -> None:
    with ThreadPoolExecutor() as threads:
        said = list(threads.map(lambda _: pharos.up(), range(2)))
    assert sum("Pharos is running already." in text for text in said) == 1
    for text in said:
        assert f"Pharos is ready at http://127.0.0.1:{pharos.port} with 2 workers." in text
        assert f"http://127.0.0.1:{pharos.port}/ui/login?code=" in text
        assert "make down" in text
    assert set(pharos.processes()) == {
        "postgres", "valkey", "inference", "web", "timetable", "worker-1", "worker-2", "supervisor",
    }  # fmt: skip
    assert pharos.home.stat().st_mode & 0o777 == 0o700


def test_no_password_is_on_a_command_line(running: Installation) -> None:
    secrets = {(running.home / name / "password").read_text() for name in ("postgres", "valkey")}
    lines = [" ".join(process.cmdline()) for process in running.alive()]
    assert len(lines) >= 8
    assert [line for line in lines if any(secret in line for secret in secrets)] == []


def test_a_second_up_is_harmless(running: Installation) -> None:
    before = {name: process.pid for name, process in running.processes().items()}
    assert "Pharos is running already." in running.up()
    assert {name: process.pid for name, process in running.processes().items()} == before


def test_scaling_takes_effect(running: Installation) -> None:
    assert "8 workers." in running.run("scale", "8").stdout
    assert running.call("GET", "/ready")[1]["checks"]["workers"]["count"] == 8
    running.run("scale", "2")
    assert until(lambda: sum(name.startswith("worker-") for name in running.processes()) == 2)


def test_killed_programs_come_back(running: Installation) -> None:
    killed = {"postgres", "web", "worker-1", "valkey", "inference", "timetable"}
    before = running.processes()
    for name in killed:
        before[name].kill()
    assert until(lambda: killed <= set(running.processes()) and running.ready(), seconds=60)
    after = running.processes()
    assert {name for name in before if after[name].pid != before[name].pid} == killed


def test_up_right_after_the_supervisor_was_killed(running: Installation) -> None:
    running.processes()["supervisor"].kill()
    running.up()
    assert [process.name() for process in running.alive()].count("valkey-server") == 1


def test_everything_killed_and_up_again(running: Installation) -> None:
    id = add(running, "Breakwaters")
    for process in running.alive():
        process.kill()
    running.up()
    assert running.call("GET", f"/resources/{id}")[0] == 200


def test_down_ends_everything_and_the_library_survives(running: Installation) -> None:
    id = add(running, "Lighthouses")
    began = time.monotonic()
    assert "Pharos is stopped. Your library stays in" in running.run("down").stdout
    assert time.monotonic() - began < 15  # it promises 10 on a machine that does nothing else
    assert running.alive() == []
    assert running.run("down").stdout == "Pharos is not running.\n"
    assert "Pharos is not running" in running.run("status").stderr
    running.up()
    assert running.call("GET", f"/resources/{id}")[0] == 200


def test_a_killed_supervisor_takes_its_programs_along_and_stale_files_are_ignored(running: Installation) -> None:
    running.processes()["supervisor"].kill()
    assert until(lambda: running.alive() == [], seconds=15)
    (running.home / "run" / "supervisor.pid").write_text(str(os.getpid()))
    (running.home / "postgres" / "data" / "postmaster.pid").write_text(f"{os.getpid()}\n/elsewhere\n")
    running.up()
    assert running.call("GET", "/health") == (200, {"status": "ok"})


def test_a_hung_supervisor_is_ended_by_down(running: Installation) -> None:
    running.processes()["supervisor"].suspend()
    assert running.run("down").returncode == 0
    assert running.alive() == []


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
