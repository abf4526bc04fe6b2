"""Two commands on a bare machine: the real `up` and `down`."""

import os
import socket
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.installation import Installation, until

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(180)]


def test_two_ups_at_once_make_one_pharos_and_say_where_it_is(installation: Installation) -> None:
    with ThreadPoolExecutor() as threads:
        said = list(threads.map(lambda _: installation.up(), range(2)))
    assert sum("Pharos is running already." in text for text in said) == 1
    for text in said:
        assert f"Pharos is ready at http://127.0.0.1:{installation.port} with 2 workers." in text
        assert f"http://127.0.0.1:{installation.port}/ui/login?code=" in text
        assert "make down" in text
    assert set(installation.processes()) == {
        "postgres", "valkey", "inference", "web", "timetable", "worker-1", "worker-2", "supervisor",
    }  # fmt: skip
    assert installation.home.stat().st_mode & 0o777 == 0o700


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


def test_down_ends_everything_and_the_library_survives(running: Installation) -> None:
    id = running.add("Lighthouses")
    began = time.monotonic()
    assert "Pharos is stopped. Your library stays in" in running.run("down").stdout
    assert time.monotonic() - began < 15  # it promises 10 on a machine that does nothing else
    assert running.alive() == []
    assert running.run("down").stdout == "Pharos is not running.\n"
    assert "Pharos is not running" in running.run("status").stderr
    running.up()
    assert running.call("GET", f"/resources/{id}")[0] == 200


def test_a_busy_port_is_explained(installation: Installation) -> None:
    installation.run("down")
    with socket.socket() as squatter:
        squatter.bind(("127.0.0.1", 0))
        squatter.listen()
        port = squatter.getsockname()[1]
        done = installation.run("up", PHAROS_PORT=str(port))
    assert done.returncode == 1
    assert f"Port {port} of 127.0.0.1 is taken by process {os.getpid()}" in done.stderr
    assert "Traceback" not in done.stderr
    assert installation.alive() == []


def test_an_update_starts_anew_with_the_same_library(running: Installation) -> None:
    id = running.add("Foghorns")
    before = running.processes()["supervisor"].pid
    done = running.run("update")
    assert done.returncode == 0, done.stderr
    assert "Pharos is ready" in done.stdout
    assert running.processes()["supervisor"].pid != before
    assert running.call("GET", f"/resources/{id}")[0] == 200
    assert (running.home / "mode").read_text() == "embedded\n"
