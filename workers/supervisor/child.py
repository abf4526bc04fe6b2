"""One running program: its process, its lines for the log, and when it is started again after it ended."""

import asyncio
import os
import subprocess
import time
from collections import deque
from collections.abc import Mapping
from contextlib import suppress
from signal import SIGKILL, SIGUSR1
from typing import Any

import psutil

from service.embedded import tied
from workers.supervisor.log import Log
from workers.supervisor.programs import ROOT, Program

HEALTHY = 30.0  # seconds of running that forget earlier failures
LONGEST = 30.0  # seconds until a program that keeps failing is tried again
_LINE = 32_768  # bytes; a longer line is cut


class Child:
    """A program under supervision; it ends with the thread that starts it, which must be the main one."""

    def __init__(self, program: Program, environment: Mapping[str, str], log: Log) -> None:
        self.program = program
        self.tail: deque[str] = deque(maxlen=30)
        self.restarts = 0
        self.stopping = False
        self.worker: int | None = None  # the process that takes tasks, once it does
        self.ended = asyncio.Event()
        self.ended.set()
        self.exit_code: int | None = None
        self._environment = environment
        self._lines = log
        self._failures = 0
        self._process: subprocess.Popen[bytes] | None = None
        self._started = 0.0
        self._rest = b""

    @property
    def name(self) -> str:
        return self.program.name

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process is not None else None

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def failing(self) -> bool:
        """Whether it ended three times without a healthy while between, and since."""
        return self._failures >= 3 and not (self.running and time.monotonic() - self._started > HEALTHY)

    def start(self) -> None:
        """Start the program; its output goes to the log from now on."""
        self._started = time.monotonic()
        self.program.prepare()
        self._process = subprocess.Popen(
            tied(self.program.command, self.program.stop_signal),
            cwd=ROOT,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # so that what it starts can be ended with it
        )
        self.ended.clear()
        assert self._process.stdout is not None
        os.set_blocking(self._process.stdout.fileno(), False)
        asyncio.get_running_loop().add_reader(self._process.stdout.fileno(), self._read)

    def ask_to_end(self) -> None:
        """Send the program's stop signal; it is not started again."""
        self.stopping = True
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(self.program.stop_signal)

    def retire(self) -> None:
        """Let a worker finish what it runs, however long that takes; it is not started again."""
        if self.worker is None:
            self.ask_to_end()
            return
        self.stopping = True
        with suppress(ProcessLookupError):
            os.kill(self.worker, SIGUSR1)

    def kill(self) -> None:
        """End the program and everything it started."""
        if self._process is not None:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, SIGKILL)

    def bury(self) -> bool:
        """Clean up after the program if it has ended since the last look, and tell whether it has."""
        process = self._process
        if process is None or process.poll() is None:
            return False
        self.kill()
        assert process.stdout is not None
        while self._read():
            pass
        self._log(self._rest)
        self._rest = b""
        asyncio.get_running_loop().remove_reader(process.stdout.fileno())
        process.stdout.close()
        self.exit_code = process.returncode
        self._process = self.worker = None
        self.ended.set()
        return True

    def pause(self) -> float:
        """Return the seconds until it is started again: none after a healthy while, then longer and longer."""
        self._failures = 1 if time.monotonic() - self._started > HEALTHY else self._failures + 1
        self.restarts += 1
        return min(LONGEST, 0.1 * 4 ** (self._failures - 1))

    def say(self, text: str) -> None:
        """Write a line about this program."""
        self._log(text.encode())

    def memory(self) -> float:
        """Return the megabytes that it takes with its own children; pages that several share are counted in shares."""
        return _memory(self._process.pid) / 2**20 if self._process is not None else 0.0

    def status(self) -> dict[str, Any]:
        """Return how it stands, uptime in seconds; the last lines where it keeps failing."""
        running = self._process if self.running else None
        return {
            "name": self.name,
            "pid": running.pid if running else None,
            "uptime": time.monotonic() - self._started if running else None,
            "retiring": self.stopping,
            "restarts": self.restarts,
            "failing": list(self.tail) if self.failing else None,
        }

    def _read(self) -> bool:
        """Move some of the program's output to the log, and tell whether there may be more."""
        assert self._process is not None
        assert self._process.stdout is not None
        descriptor = self._process.stdout.fileno()
        try:
            part = os.read(descriptor, 65_536)
        except BlockingIOError:
            return False
        if not part:  # it has closed its output
            asyncio.get_running_loop().remove_reader(descriptor)
            return False
        *lines, self._rest = (self._rest + part).split(b"\n")
        for line in lines:
            self._log(line)
        if len(self._rest) > _LINE:
            self._log(self._rest)
            self._rest = b""
        return True

    def _log(self, line: bytes) -> None:
        if text := line[:_LINE].decode(errors="replace").rstrip():
            self.tail.append(text)
            self._lines.write(self.name, text)


def _memory(pid: int) -> int:
    total = 0
    with suppress(psutil.Error):
        root = psutil.Process(pid)
        for process in [root, *root.children(recursive=True)]:
            with suppress(psutil.Error):
                full = process.memory_full_info()
                total += getattr(full, "pss", full.rss)
    return total
