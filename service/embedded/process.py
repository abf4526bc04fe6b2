"""Starting a server as a child that ends with its parent, and the secrets and ports that it needs."""

import os
import random
import secrets
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager, suppress
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import IO, Protocol

import psutil

from service.errors import PharosError

_PORTS = range(20_000, 32_000)  # below the range that outgoing connections take theirs from


class ServerFailed(PharosError):
    """The embedded {server} did not start: {reason}"""


class Server(Protocol):
    """A program that keeps its data in a folder and listens on a port of 127.0.0.1."""

    name: str
    port: int
    stop_signal: signal.Signals

    def take_port(self) -> None:
        """Keep the port while it is free, else choose another; for whoever is about to run the server."""
        ...

    def prepare(self) -> None:
        """Make the folder on first use; afterwards clear what a killed predecessor left."""
        ...

    def command(self) -> list[str]:
        """Return the command line; it never holds a password."""
        ...

    def ready(self) -> bool:
        """Tell whether the server answers."""
        ...


def wheel(package: str) -> Path:
    """Return the folder of an installed package without importing it: these have side effects that we do not want."""
    spec = find_spec(package)
    if spec is None or spec.origin is None:
        raise ServerFailed(server="server", reason=f"the package `{package}` is not installed; run `make up`")
    return Path(spec.origin).parent


def is_free(port: int) -> bool:
    """Tell whether nobody listens on a port of 127.0.0.1."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def free_port() -> int:
    """Return a port of 127.0.0.1 that nobody listens on."""
    port = next(filter(is_free, random.sample(_PORTS, 100)), None)
    if port is None:
        raise ServerFailed(server="server", reason="no free port on 127.0.0.1 between 20000 and 32000")
    return port


def kept_port(file: Path) -> int:
    """Return the port in `file`; where there is none, a free one, which is kept there from now on."""
    if not file.exists() or not file.read_text().isdigit():
        private_file(file, str(free_port()))
    return int(file.read_text())


def private_folder(folder: Path) -> Path:
    """Return `folder`, made with mode 0700 when it is missing."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder


def kept_password(file: Path) -> str:
    """Return the password in `file`, which is made with mode 0600 when it is missing."""
    if not file.exists():
        private_file(file, secrets.token_urlsafe(24))
    return file.read_text().strip()


def private_file(file: Path, text: str) -> None:
    """Write `text` so that no moment exists in which another user could read it, or read half of it."""
    draft = file.with_name(f"{file.name}.{os.getpid()}")
    with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as stream:
        stream.write(text)
    draft.replace(file)


@cache
def setpriv() -> str | None:
    """Return the program of util-linux that changes a process's user, capabilities and death signal, if it is here."""
    program = shutil.which("setpriv")
    if program is None:
        return None
    known = subprocess.run([program, "--help"], capture_output=True, text=True, check=False).stdout
    return program if "--pdeathsig" in known and "--ambient-caps" in known else None


def tied(command: Sequence[str], stop_signal: signal.Signals) -> list[str]:
    """Return `command`, to be started by this process's main thread, so that it gets the signal when we are killed."""
    program = setpriv()
    if program is None:  # the next `up` finds and ends what is left then
        return list(command)
    return [program, "--pdeathsig", stop_signal.name.removeprefix("SIG"), "--", *command]


def has_ended(process: psutil.Process, patience: float) -> bool:
    """Wait up to `patience` seconds for the end of a process, and tell whether it came.

    One that nobody buries counts as ended: in a container, the first process often does not care for orphans.
    """
    deadline = time.monotonic() + patience
    with suppress(psutil.NoSuchProcess):
        while process.is_running() and process.status() != psutil.STATUS_ZOMBIE:
            if time.monotonic() > deadline:
                return False
            time.sleep(0.02)
    return True


@contextmanager
def running(server: Server, log: IO[bytes], patience: float = 20) -> Generator[None]:
    """Run a server until the block ends; `patience` is the time in seconds for its start, and for its stop."""
    server.take_port()
    server.prepare()
    process = subprocess.Popen(
        tied(server.command(), server.stop_signal), stdin=subprocess.DEVNULL, stdout=log, stderr=log
    )
    try:
        deadline = time.monotonic() + patience
        while not server.ready():
            if process.poll() is not None:
                raise ServerFailed(
                    server=server.name, reason=f"it ended with code {process.returncode}, see {log.name}"
                )
            if time.monotonic() > deadline:
                raise ServerFailed(server=server.name, reason=f"no answer within {patience:.0f} s, see {log.name}")
            time.sleep(0.01)
        yield
    finally:
        process.send_signal(server.stop_signal)
        try:
            process.wait(patience)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
