"""What `up`, `down`, `status`, `scale`, `logs` and `update` do where Pharos runs in containers (compose.yaml)."""

import json
import os
import secrets
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Literal

from service.embedded.process import private_file, private_folder
from service.errors import Conflict, PharosError
from service.security.credentials import new_secret
from service.settings import Settings
from workers.supervisor import machine
from workers.supervisor.programs import ROOT
from workers.supervisor.readiness import NotReady, missing

PATIENCE = 300  # seconds until `up` gives up waiting for containers; the images are there by then
MOST_WORKERS = 20  # 20 connections each, 60 for the web server, out of PostgreSQL's 500
ROLLED = ("inference", "scheduler", "worker-urgent", "worker", "operations", "web")
_GIB = 2**30


class Failed(PharosError):
    """`{command}` ended with code {code}. `make logs` shows what the containers say, `make status` how they stand."""


def up(settings: Settings) -> int:
    """Build and start all containers, wait until Pharos is ready, and say where it is."""
    home = private_folder(settings.home.resolve())
    make_secrets(home)
    if not _containers(settings, "web"):
        machine.check_port(settings.host, settings.port)
        machine.check_port("127.0.0.1", settings.operations_port, "PHAROS_OPERATIONS_PORT")
    _say(f"Pharos runs in containers ({home / 'mode'}), with the limits of a {size(settings)} machine.")
    _build(settings)
    _compose(settings, "up", "-d", "--no-build", "--wait", "--wait-timeout", str(PATIENCE))
    _await_ready(settings)
    link = _output(settings, "exec", "-T", "web", "python", "-m", "workers.supervisor", "link").strip()
    address = settings.public_url or f"http://{machine.reachable(settings.host)}:{settings.port}"
    workers = len(_containers(settings, "worker"))
    _say(f"""
Pharos is ready at {address} with {workers} worker{"s" if workers != 1 else ""}.

  Open this link to sign in as admin (it works once):
    {address}/ui/login?code={link}

  The operations page, alone: http://127.0.0.1:{settings.operations_port}

  make status            what is running
  make logs              what it says
  make scale WORKERS=8   more workers
  make update            after `git pull`: new images, one container after another
  make down              stop it; your library stays in the volumes""")
    return 0


def down(settings: Settings) -> int:
    """Stop and remove all containers; the volumes stay."""
    _compose(settings, "--profile", "*", "down")
    _say("Pharos is stopped. Your library stays in the volumes of its containers.")
    return 0


def status(settings: Settings) -> int:
    """Print a line for each container."""
    _compose(settings, "ps", "--all", "--format", "table {{.Service}}\t{{.Name}}\t{{.Status}}\t{{.Ports}}")
    return 0


def scale(settings: Settings, count: int) -> int:
    """Run `count` workers beside the urgent one; returns when they take tasks."""
    if not 1 <= count <= MOST_WORKERS:
        raise Conflict(f"{count} workers: choose 1 to {MOST_WORKERS}, as many as there are database connections for.")
    _start(settings, "worker", count)
    _say(f"{count} workers. They stay until the next `make up`; PHAROS_WORKERS={count} in .env keeps the number.")
    return 0


def logs(settings: Settings) -> int:
    """Show the end of the containers' logs and follow them until interrupted."""
    _compose(settings, "logs", "--follow", "--tail", "200")
    return 0


def update(settings: Settings) -> int:
    """Build anew, bring the database up to date, then replace one container after another.

    Workers that stop finish what they run, or hand it back; what comes meanwhile waits in the broker. A web server that
    is the only one is away for the seconds of its start; of two (PHAROS_WEBS=2) one always answers.
    """
    counts = {service: max(1, len(_containers(settings, service))) for service in ROLLED}
    _build(settings)
    _compose(settings, "up", "-d", "--no-build", "--no-recreate", "--wait", "postgres", "broker", "cache")
    _compose(settings, "run", "--rm", "-T", "--no-deps", "migrate")
    for service in ROLLED:
        running = _containers(settings, service)
        for container in running:
            _say(f"  replacing {service} {container[:12]} ...")
            _run(settings, "docker", "stop", container, quiet=True)
            _run(settings, "docker", "rm", container, quiet=True)
            _start(settings, service, counts[service])
        if not running:  # it came with this update
            _start(settings, service, 1)
    _await_ready(settings)
    _say("Pharos is up to date.")
    return 0


def make_secrets(home: Path) -> None:
    """Make what is missing of `<home>/compose.env` (mode 0600): passwords, the admin's token, the project's name."""
    file = home / "compose.env"
    lines = file.read_text().splitlines() if file.exists() else []
    known = dict(line.split("=", 1) for line in lines if "=" in line)
    makers: dict[str, Callable[[], str]] = {
        "COMPOSE_PROJECT_NAME": lambda: f"pharos-{secrets.token_hex(3)}",  # another folder is another Pharos
        "PHAROS_DATABASE_PASSWORD": lambda: secrets.token_urlsafe(24),
        "PHAROS_WORKER_PASSWORD": lambda: secrets.token_urlsafe(24),
        "PHAROS_REDIS_PASSWORD": lambda: secrets.token_urlsafe(24),
        "PHAROS_GRAFANA_PASSWORD": lambda: secrets.token_urlsafe(24),
        "PHAROS_ADMIN_TOKEN": new_secret,
    }
    made = {name: known.get(name) or make() for name, make in makers.items()}
    private_file(file, "".join(f"{name}={value}\n" for name, value in {**known, **made}.items()))
    private_file(home / "admin-token", made["PHAROS_ADMIN_TOKEN"])  # where the command `pharos` looks for it


def size(settings: Settings) -> Literal["full", "small"]:
    """Return which limits the containers get: by PHAROS_SIZE, else by the engine's machine."""
    if settings.size is not None:
        return settings.size
    done = subprocess.run(
        ["docker", "info", "--format", "{{json .}}"],  # noqa: S607
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    try:
        host = json.loads(done.stdout)
        return "small" if host["NCPU"] < 4 or host["MemTotal"] < 15 * _GIB else "full"
    except (ValueError, KeyError):
        return "full"


def _build(settings: Settings) -> None:
    """Build the image that all of our services run, once; Compose would build it for each of them, side by side."""
    _compose(settings, "build", "web")


def _start(settings: Settings, service: str, count: int) -> None:
    """Run `count` containers of a service: those that run stay as they are."""
    _compose(
        settings, "up", "-d", "--no-deps", "--no-build", "--no-recreate", "--wait", "--wait-timeout", str(PATIENCE),
        "--scale", f"{service}={count}", service,
    )  # fmt: skip


def _await_ready(settings: Settings) -> None:
    deadline = time.monotonic() + 60
    while reason := missing(settings.host, settings.port, len(_containers(settings, "worker"))):
        if time.monotonic() > deadline:
            raise NotReady(seconds=60, reason=reason)
        time.sleep(0.3)


def _containers(settings: Settings, service: str) -> list[str]:
    return _output(settings, "ps", "--quiet", service).split()


def _prefix(settings: Settings) -> list[str]:
    home = settings.home.resolve()
    if not (home / "compose.env").exists():
        raise PharosError("Pharos does not run in containers here yet: make up MODE=compose starts it.")
    command = ["docker", "compose", "--project-directory", str(ROOT), "-f", str(ROOT / "compose.yaml")]
    if size(settings) == "small":
        command += ["-f", str(ROOT / "deploy" / "compose.small.yaml")]
    if settings.servers_host is not None:
        command += ["-f", str(ROOT / "deploy" / "compose.servers.yaml")]
    for file in (ROOT / ".env", home / "compose.env"):
        command += ["--env-file", str(file)] if file.exists() else []
    return command


def _output(settings: Settings, *words: str) -> str:
    done = subprocess.run([*_prefix(settings), *words], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise PharosError(f"`docker compose {' '.join(words)}` says: {done.stderr.strip()[-2000:]}")
    return done.stdout


def _compose(settings: Settings, *words: str) -> None:
    _run(settings, *_prefix(settings), *words, said=f"docker compose {' '.join(words)}")


def _run(settings: Settings, *command: str, said: str | None = None, quiet: bool = False) -> None:
    done = subprocess.run(command, check=False, stdout=subprocess.DEVNULL if quiet else None, env=os.environ)
    if done.returncode != 0:
        raise Failed(command=said or " ".join(command), code=done.returncode)


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()
