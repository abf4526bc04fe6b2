"""Whatever of a real Pharos is killed or frozen, the supervisor or the next `up` makes it good."""

import os
from contextlib import suppress

import psutil
import pytest

from tests.installation import Installation, until

pytestmark = [pytest.mark.faults, pytest.mark.timeout(180)]


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
    id = running.add("Breakwaters")
    for process in running.alive():
        with suppress(psutil.NoSuchProcess):  # it went with one that was killed before
            process.kill()
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
