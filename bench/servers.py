"""Everything that a benchmark runs against, in a temporary folder and on free ports, gone when it is over."""

import asyncio
import os
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Generator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import asyncpg
import psutil

from service.embedded import Postgres, Valkey, free_port, running, tied

ROOT = Path(__file__).parent.parent
PEERS = ROOT / ".venv-bench"
LOCK = ROOT / "bench" / "requirements.lock"
OURS = "service.app:create_app"
PATIENT = [  # as the supervisor starts Pharos
    "--http", "service.security.connections:Patient", "--ws", "service.security.sockets:PatientSocket",
    "--ws-max-size", "65536", "--ws-per-message-deflate", "false",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Servers:
    """PostgreSQL and Valkey as `make up` starts them (durable), empty."""

    home: Path
    postgres: Postgres
    valkey: Valkey

    def environment(self, **more: str) -> dict[str, str]:
        """Return the environment of a Pharos process that uses these servers; no other PHAROS_ variable gets in."""
        ours = {
            "PHAROS_HOME": str(self.home),
            "PHAROS_DATABASE_URL": self.postgres.url(),
            "PHAROS_BROKER_URL": self.valkey.url(0),
            "PHAROS_CACHE_URL": self.valkey.url(1),
        }
        return {**inherited(), **ours, **more}


def inherited() -> dict[str, str]:
    """Return this process's environment without what configures Pharos."""
    return {name: value for name, value in os.environ.items() if not name.startswith("PHAROS_")}


@contextmanager
def servers() -> Generator[Servers]:
    """Start PostgreSQL and Valkey."""
    with tempfile.TemporaryDirectory(prefix="pharos-bench-") as folder, ExitStack() as stack:
        home = Path(folder)
        log = stack.enter_context((home / "servers.log").open("ab"))
        postgres, valkey = Postgres(home / "postgres"), Valkey(home / "valkey")
        stack.enter_context(running(postgres, log))
        stack.enter_context(running(valkey, log))
        yield Servers(home, postgres, valkey)


@dataclass(frozen=True, slots=True)
class Web:
    """A running web process."""

    port: int
    process: psutil.Process

    def cpu_seconds(self) -> float:
        """Return the processor time that it has used; unlike a rate, this hardly depends on what else runs here."""
        times = self.process.cpu_times()
        return times.user + times.system


@contextmanager
def web_process(
    python: Path, application: str, environment: Mapping[str, str], path: str, factory: bool
) -> Generator[Web]:
    """Run one uvicorn process until the block ends, yield it once `path` answers."""
    port = free_port()
    command = [str(python), "-m", "uvicorn", application, *(["--factory"] if factory else [])]
    options = ["--port", str(port), "--no-access-log", "--no-server-header", "--no-proxy-headers"]
    options += PATIENT if application == OURS else []
    with tempfile.TemporaryFile() as log, process([*command, *options], environment, log.fileno()) as server:
        deadline = time.monotonic() + 30
        while not answers(f"http://127.0.0.1:{port}{path}"):
            if server.poll() is not None or time.monotonic() > deadline:
                log.seek(0)
                raise RuntimeError(f"{application} does not answer: {log.read().decode()[-2000:]}")
            time.sleep(0.05)
        yield Web(port, psutil.Process(server.pid))


@contextmanager
def process(command: Sequence[str], environment: Mapping[str, str], log: int) -> Generator[subprocess.Popen[bytes]]:
    """Run a program until the block ends: SIGTERM, and SIGKILL after ten seconds."""
    import signal

    started = subprocess.Popen(
        tied(command, signal.SIGTERM), env=environment, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=log, stderr=log
    )
    try:
        yield started
    finally:
        started.terminate()
        try:
            started.wait(10)
        except subprocess.TimeoutExpired:
            started.kill()
            started.wait()


def answers(url: str) -> bool:
    """Tell whether a GET answers 200."""
    try:
        with urlopen(url, timeout=2) as response:
            return response.status == 200
    except OSError:
        return False


def row(url: str, query: str, *values: Any) -> asyncpg.Record:
    """Ask the database at `url` for one row."""

    async def ask() -> asyncpg.Record:
        connection = await asyncpg.connect(url)
        try:
            found = await connection.fetchrow(query, *values)
            assert found is not None
            return found
        finally:
            await connection.close()

    return asyncio.run(ask())


def peers_python() -> Path:
    """Return the interpreter of `.venv-bench`; it is made from bench/requirements.lock when that has changed."""
    python, stamp = PEERS / "bin" / "python", PEERS / "lock.sha256"
    wanted = sha256(LOCK.read_bytes()).hexdigest()
    if not stamp.exists() or stamp.read_text() != wanted:
        print("installing the peers into .venv-bench ...", file=sys.stderr)
        venv.create(PEERS, clear=True, with_pip=True)
        subprocess.run(
            [str(python), "-m", "pip", "install", "--quiet", "--require-hashes", "-r", str(LOCK)], check=True
        )
        stamp.write_text(wanted)
    return python
