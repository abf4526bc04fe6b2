"""A whole Pharos as `make up` starts it, in a temporary home, and what its processes take of the memory."""

import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import psutil

from bench.servers import ROOT, inherited
from service.embedded import free_port
from service.settings import settings
from workers.supervisor import control

TOKEN = "pharos-bench-token-of-forty-three-characters"


@dataclass(frozen=True, slots=True)
class Stack:
    """A running Pharos."""

    home: Path
    port: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {TOKEN}"}

    @property
    def database_url(self) -> str:
        return self._variable("PHAROS_DATABASE_URL")

    @property
    def broker_url(self) -> str:
        return self._variable("PHAROS_BROKER_URL")

    def _variable(self, name: str) -> str:
        lines = (self.home / "run" / "env").read_text().splitlines()
        return dict(line.split("=", 1) for line in lines)[name]

    def processes(self) -> dict[str, int]:
        """Return the process id of each program that the supervisor runs."""
        status = control.ask(self.home / "run" / "control", "status")
        assert status is not None
        return {program["name"]: program["pid"] for program in status["programs"] if program["pid"]}

    def cpu_seconds(self) -> dict[str, float]:
        """Return the processor time that each program has used, with its children: those that ended count, too."""
        return {name: _cpu(pid) for name, pid in self.processes().items()}


@contextmanager
def pharos(module: str | None = None, **variables: str) -> Generator[Stack]:
    """Start everything, with these PHAROS_ variables; this process's settings belong to it meanwhile.

    `module` is what to run as its supervisor, where it is another one than `make up` starts.
    """
    with tempfile.TemporaryDirectory(prefix="pharos-bench-") as folder:
        home, port = Path(folder), free_port()
        ours = {"PHAROS_HOME": folder, "PHAROS_PORT": str(port), "PHAROS_ADMIN_TOKEN": TOKEN, "PHAROS_MODE": "embedded"}
        environment = {**inherited(), **ours, **{f"PHAROS_{name}": value for name, value in variables.items()}}
        supervisor = None if module is None else _supervising(module, home, environment)
        _supervisor("up", environment)
        try:
            os.environ["PHAROS_HOME"] = folder
            settings.cache_clear()
            yield Stack(home, port)
        except BaseException:
            print((home / "log" / "pharos.log").read_text()[-8000:], file=sys.stderr)
            raise
        finally:
            del os.environ["PHAROS_HOME"]
            settings.cache_clear()
            _supervisor("down", environment)
            if supervisor is not None:
                supervisor.wait()


def _supervising(module: str, home: Path, environment: dict[str, str]) -> subprocess.Popen[bytes]:
    """Start another supervisor, which `up` then finds."""
    supervisor = subprocess.Popen([sys.executable, "-m", module], cwd=ROOT, env=environment)
    while control.ask(home / "run" / "control", "status") is None:
        if supervisor.poll() is not None:
            raise RuntimeError(f"{module} ended with code {supervisor.returncode}")
        time.sleep(0.05)
    return supervisor


def _supervisor(command: str, environment: dict[str, str]) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "workers.supervisor", command],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"`supervisor {command}` failed:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")


class Running(Protocol):
    """Something that runs in processes with names."""

    def processes(self) -> dict[str, int]:
        """Return the process id of each program."""
        ...


@dataclass(slots=True)
class Memory:
    """The most that each program took, MB: its processes' resident memory, pages they share counted once (PSS)."""

    peaks: dict[str, float] = field(default_factory=dict)

    def look(self, processes: dict[str, int]) -> None:
        """Measure now."""
        for name, pid in processes.items():
            self.peaks[name] = max(self.peaks.get(name, 0.0), resident(pid))

    @contextmanager
    def watching(self, stack: Running, every: float = 1.0) -> Generator[None]:
        """Measure again and again until the block ends."""
        over = threading.Event()

        def watch() -> None:
            while not over.wait(every):
                self.look(stack.processes())

        watcher = threading.Thread(target=watch)
        watcher.start()
        try:
            yield
        finally:
            over.set()
            watcher.join()


def resident(pid: int) -> float:
    """Return the memory (PSS) of a process with its children, MB; 0 where it has gone."""
    try:
        process = psutil.Process(pid)
        family = [process, *process.children(recursive=True)]
    except psutil.Error:
        return 0.0
    return sum(map(_own, family)) / 2**20


def _cpu(pid: int) -> float:
    process = psutil.Process(pid)
    family = [each.cpu_times() for each in [process, *process.children(recursive=True)]]
    return sum(times.user + times.system + times.children_user + times.children_system for times in family)


def _own(process: psutil.Process) -> float:
    try:
        memory: Any = process.memory_full_info()
    except psutil.Error:
        return 0.0
    return memory.pss
