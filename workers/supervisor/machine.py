"""What can be wrong with the machine before Pharos starts, said in one sentence with what to do about it."""

import errno
import os
import shutil
import socket
import time
from contextlib import suppress
from pathlib import Path

import psutil

from service.embedded import end_orphan, has_ended
from service.embedded.process import private_folder
from service.errors import PharosError
from service.settings import Settings
from workers.supervisor.programs import MARK

LEAST_FREE = 256 * 2**20  # bytes: a new database and its journal
_LONGEST_HOME = 80  # bytes; the address of a Unix socket has 107


class PortTaken(PharosError):
    """Port {port} of {host} is taken by {owner}. Stop it, or choose another port: make up {name}={other}"""


class BadAddress(PharosError):
    """Pharos cannot listen on PHAROS_HOST={host} {name}={port}: {reason}."""


class DiskFull(PharosError):
    """Only {free} MB are free on the disk of {home}, and Pharos needs {needed} MB to start.
    Free some space, or set PHAROS_HOME to a folder on another disk."""


class BadHome(PharosError):
    """PHAROS_HOME {home} cannot be used: {reason}."""


def make_home(home: Path) -> None:
    """Make the folder for everything that is stored, and those below it, for their owner only."""
    if len(os.fsencode(home)) > _LONGEST_HOME:
        raise BadHome(home=home, reason=f"its path is longer than {_LONGEST_HOME} bytes, too long for Unix sockets")
    try:
        for folder in (home, *(home / name for name in ("files", "log", "run"))):
            private_folder(folder)
    except OSError as error:
        raise BadHome(home=home, reason=error.strerror) from None
    if home.stat().st_uid == os.geteuid():
        home.chmod(0o700)
    elif os.geteuid() != 0:
        raise BadHome(home=home, reason="it belongs to another user")


def clear(settings: Settings) -> None:
    """Clear what a killed supervisor left, then raise for whatever would make the start fail."""
    home = settings.home.resolve()
    end_leftovers(home)
    check_disk(home)
    check_port(settings.host, settings.port)


def check_disk(home: Path) -> None:
    """Raise where the disk is too full to start."""
    free = shutil.disk_usage(home).free
    if free < LEAST_FREE:
        raise DiskFull(free=free // 2**20, home=home, needed=LEAST_FREE // 2**20)


def check_port(host: str, port: int, name: str = "PHAROS_PORT") -> None:
    """Raise where somebody else listens on the port, with the name of who does; `name` is the setting of the port."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                raise PortTaken(port=port, host=host, owner=_owner(port), name=name, other=port + 1) from None
            raise BadAddress(host=host, port=port, name=name, reason=error.strerror or error) from None


def reachable(host: str) -> str:
    """Return the address under which a server that listens on `host` is reached from here."""
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104


def end_leftovers(home: Path, grace: float = 5.0) -> None:
    """End what a killed supervisor left: its PostgreSQL in its own way, then every process with our mark."""
    with suppress(FileNotFoundError):
        end_orphan(home / "postgres")
    left = _marked(home)
    for process in left:
        with suppress(psutil.Error):
            process.terminate()
    deadline = time.monotonic() + grace
    while left and time.monotonic() < deadline:
        time.sleep(0.05)
        left = _marked(home)
    for process in left:
        with suppress(psutil.Error):
            process.kill()
    for process in left:
        has_ended(process, patience=5)


def _marked(home: Path) -> list[psutil.Process]:
    """Return the processes that carry our mark in their environment; no name and no pid file is trusted."""
    found: list[psutil.Process] = []
    kin = {os.getpid(), *(parent.pid for parent in psutil.Process().parents())}
    for process in psutil.process_iter():
        with suppress(psutil.Error, OSError):
            ours = process.pid not in kin and process.environ().get(MARK) == str(home)
            if ours and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
    return found


def _owner(port: int) -> str:
    with suppress(psutil.Error):
        for connection in psutil.net_connections("tcp"):
            listens = connection.status == psutil.CONN_LISTEN and connection.laddr and connection.laddr.port == port
            if listens and connection.pid:
                return f"process {connection.pid} ({psutil.Process(connection.pid).name()})"
    return "a process of another user"
