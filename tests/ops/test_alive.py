"""The health check of containers, asked of the programs of a real Pharos."""

import os
import subprocess
import sys

import pytest

from tests.installation import ROOT, Installation, until

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(180)]


def alive(role: str, broker: str, socket: str = "") -> bool:
    command = [sys.executable, "-I", "-S", str(ROOT / "workers" / "alive.py"), role]
    environment = {**os.environ, "PHAROS_BROKER_URL": broker, "PHAROS_INFERENCE_SOCKET": socket}
    return subprocess.run(command, env=environment, capture_output=True, check=False).returncode == 0


def test_programs_that_run_are_alive(running: Installation) -> None:
    assert until(lambda: alive("worker", running.broker_url()))
    assert until(lambda: alive("timetable", running.broker_url()))
    assert until(lambda: alive("inference", running.broker_url(), str(running.home / "run" / "inference")))


def test_what_nobody_has_heard_of_is_not(running: Installation) -> None:
    elsewhere = running.broker_url().removesuffix("/0") + "/7"
    assert not alive("worker", elsewhere)
    assert not alive("timetable", elsewhere)
    assert not alive("worker", running.broker_url().replace("redis://:", "redis://:wrong"))
    assert not alive("inference", elsewhere, str(running.home / "run" / "nobody"))
