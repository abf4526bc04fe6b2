"""THE TABLE: the programs that make up a running Pharos, and the environment that they get."""

import signal
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from service.embedded import Postgres, Server, Valkey
from service.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
MARK = "PHAROS_SUPERVISED"  # in the environment of every process we start: whose it is, when nobody is left to say so


@dataclass(frozen=True, slots=True)
class Program:
    """A command that runs until it gets `stop_signal`, and has `grace` seconds to end then."""

    name: str
    command: tuple[str, ...]
    stop_signal: signal.Signals = signal.SIGTERM
    grace: float = 5.0
    prepare: Callable[[], None] = lambda: None  # before each start
    once: bool = False  # runs to its end and is not started again
    early: bool = False  # needs no database, so it starts while that is brought up to date


MIGRATION = Program("migrate", (sys.executable, "-m", "workers.supervisor", "migrate"), once=True)


def servers(settings: Settings) -> list[Server]:
    """Return the embedded servers that no address in the settings replaces."""
    home = settings.home.resolve()
    embedded: list[Server] = []
    if settings.database_url is None:
        embedded.append(Postgres(home / "postgres"))
    if settings.broker_url is None:
        embedded.append(Valkey(home / "valkey"))
    return embedded


def program_of(server: Server) -> Program:
    """Return how an embedded server is run."""
    return Program(server.name, tuple(server.command()), server.stop_signal, grace=3.0, prepare=server.prepare)


def web(settings: Settings) -> Program:
    """Return the web server."""
    application = "workers.inline:create_app" if settings.tasks == "inline" else "service.app:create_app"
    return Program("web", (
        sys.executable, "-m", "uvicorn", "--factory", application,
        "--host", settings.host, "--port", str(settings.port),
        "--http", "service.security.connections:Patient", "--ws", "service.security.sockets:PatientSocket",
        "--ws-max-size", "65536", "--ws-per-message-deflate", "false",  # which takes 50 KB of memory a socket
        "--no-access-log", "--no-server-header",
        "--no-proxy-headers", "--timeout-graceful-shutdown", "3",
        "--timeout-keep-alive", "75",  # longer than proxies keep a connection, or they would ask as it is closed
    ))  # fmt: skip


def programs(settings: Settings) -> list[Program]:
    """Return what runs beside the servers and the workers."""
    return [
        Program("inference", (sys.executable, "-m", "workers.inference"), early=True),
        web(settings),
        Program("timetable", (str(Path(sys.executable).with_name("periodiq")), "schedules")),
    ]


def worker(number: int) -> Program:
    """Return the `number`th worker, counted from 1."""
    command = (sys.executable, "-m", "dramatiq", "workers", "--processes", "1", "--threads", "1")
    return Program(f"worker-{number}", command)


def for_workers(environment: Mapping[str, str]) -> dict[str, str]:
    """Return a worker's environment: with its own way into the database, without what opens more than that."""
    own = dict(environment)
    if url := own.pop("PHAROS_WORKER_DATABASE_URL", None):
        own["PHAROS_DATABASE_URL"] = url
    own.pop("PHAROS_ADMIN_TOKEN", None)
    return own


def addresses(settings: Settings, embedded: list[Server]) -> dict[str, str]:
    """Return what a process needs in its environment to belong to this installation."""
    home = settings.home.resolve()
    found = {
        "PHAROS_HOME": str(home),
        "PHAROS_HOST": settings.host,
        "PHAROS_PORT": str(settings.port),
        MARK: str(home),
        "PYTHONPATH": str(ROOT),
        "PYTHONUNBUFFERED": "1",
        "PHAROS_SUPERVISOR": str(home / "run" / "control"),
        "PHAROS_WORKER_GRACE": str(min(settings.worker_grace, 2.5)),  # what is left must be handed back before our kill
    }
    for server in embedded:
        if isinstance(server, Postgres):
            found["PHAROS_DATABASE_URL"] = server.url()
            found["PHAROS_WORKER_DATABASE_URL"] = server.worker_url()
        if isinstance(server, Valkey):
            found["PHAROS_BROKER_URL"] = server.url(0)
            if settings.cache_url is None:
                found["PHAROS_CACHE_URL"] = server.url(1)
    return found
