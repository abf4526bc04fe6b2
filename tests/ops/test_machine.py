"""What is wrong with the machine is said in one sentence that names it."""

import os
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest

from workers.supervisor import machine
from workers.supervisor.machine import BadAddress, BadHome, DiskFull, PortTaken
from workers.supervisor.programs import MARK


def test_a_taken_port_names_who_has_it() -> None:
    with socket.socket() as squatter:
        squatter.bind(("127.0.0.1", 0))
        squatter.listen()
        port = squatter.getsockname()[1]
        with pytest.raises(PortTaken) as caught:
            machine.check_port("127.0.0.1", port)
    text = str(caught.value)
    assert f"Port {port} of 127.0.0.1 is taken by process {os.getpid()} (" in text
    assert f"make up PHAROS_PORT={port + 1}" in text


def test_an_address_that_is_not_ours_is_named() -> None:
    with pytest.raises(BadAddress, match=r"PHAROS_HOST=192\.0\.2\.1"):
        machine.check_port("192.0.2.1", 8000)


def test_a_free_port_is_fine() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    assert machine.check_port("127.0.0.1", port) is None


def test_a_full_disk_is_noticed_before_anything_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=3 * 2**20))
    with pytest.raises(DiskFull, match="Only 3 MB are free on the disk of"):
        machine.check_disk(tmp_path)


def test_a_home_is_private(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir(mode=0o755)
    machine.make_home(home)
    assert {path.stat().st_mode & 0o777 for path in (home, *home.iterdir())} == {0o700}
    assert {path.name for path in home.iterdir()} == {"files", "log", "run"}


def test_a_home_with_too_long_a_path_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadHome, match="too long for Unix sockets"):
        machine.make_home(tmp_path / ("x" * 100))


def test_a_home_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "home").write_text("")
    with pytest.raises(BadHome, match="cannot be used: File exists"):
        machine.make_home(tmp_path / "home")


def test_only_processes_with_our_mark_are_ended(tmp_path: Path) -> None:
    def start(home: Path, command: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen(["sh", "-c", command], env={"PATH": os.environ["PATH"], MARK: str(home)})

    deaf = f"trap '' TERM; touch {tmp_path}/deaf; sleep 60"
    ours, stubborn, stranger = start(tmp_path, "sleep 60"), start(tmp_path, deaf), start(tmp_path / "other", "sleep 60")
    try:
        while not (tmp_path / "deaf").exists():
            time.sleep(0.01)
        machine.end_leftovers(tmp_path, grace=0.3)
        assert ours.wait(1) == -signal.SIGTERM
        assert stranger.poll() is None
        left = [process for process in psutil.process_iter() if carries(process, str(tmp_path))]
        assert left == []
    finally:
        for process in (ours, stubborn, stranger):
            process.kill()
            process.wait()


def carries(process: psutil.Process, home: str) -> bool:
    try:
        return process.environ().get(MARK) == home and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


def test_a_mark_is_no_reason_to_end_ourselves(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script = (
        "from pathlib import Path; from workers.supervisor import machine;"
        f"machine.end_leftovers(Path({str(tmp_path)!r})); print('alive')"
    )
    monkeypatch.setenv(MARK, str(tmp_path))
    began = time.monotonic()
    done = subprocess.run([".venv/bin/python", "-c", script], capture_output=True, text=True, check=False)
    assert done.stdout == "alive\n"
    assert time.monotonic() - began < 5
