"""What `up`, `down`, `status`, `scale`, `logs` and `update` do and say, embedded; each returns its exit code."""

import asyncio
import fcntl
import os
import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager, suppress
from importlib import import_module
from pathlib import Path
from typing import Any

import psutil

from service.embedded import has_ended
from service.errors import PharosError
from service.settings import Settings
from service.settings import settings as read_settings
from workers.supervisor import control, machine
from workers.supervisor.programs import MARK, ROOT
from workers.supervisor.readiness import NotReady, missing

PATIENCE = 60.0  # seconds until `up` gives up waiting
_QUICK = 10.0  # seconds in which `down` has ended everything


class KeepsEnding(PharosError):
    """The program {name} keeps ending. Its last lines:
        {lines}
    `make logs` shows more, `make down` stops the rest."""


class NotRunning(PharosError):
    """Pharos is not running: `make up` starts it."""


class Stuck(PharosError):
    """The supervisor (process {pid}) does not answer. `make down` ends it."""


def up(settings: Settings) -> int:
    """Start Pharos unless it runs, wait until it is ready, and say where it is."""
    home = settings.home.resolve()
    machine.make_home(home)
    with _one_at_a_time(home):
        status = control.ask(_socket(home), "status")
        started = None
        if status is None or status["state"] in ("stopping", "failed"):
            _await_end(home)
            started = _spawn(settings, home)
            import_module("service.security.login_links")  # while the servers start; it is asked for at the end
        else:
            _say("Pharos is running already." if status["state"] == "running" else "Pharos is starting already.")
        status = _await_ready(home, started)
    _welcome(home, settings.public_url or _address(status), _workers(status))
    return 0


def down(settings: Settings) -> int:
    """Stop Pharos, whatever state it is in; returns when every process has ended."""
    home = settings.home.resolve()
    if not (home / "run").exists():
        _say("Pharos is not running.")
        return 0
    pid = _holder(home)
    if pid is None:
        machine.end_leftovers(home)
        _say("Pharos is not running.")
        return 0
    with suppress(psutil.NoSuchProcess):
        process = psutil.Process(pid)
        if control.ask(_socket(home), "stop") is None:
            process.terminate()
        if not has_ended(process, _QUICK):
            process.kill()
            has_ended(process, _QUICK)
            machine.end_leftovers(home)
    _say(f"Pharos is stopped. Your library stays in {home}.")
    return 0


def status(settings: Settings) -> int:
    """Print a line for each process."""
    answer = _ask(settings, "measure")
    _say(f"{'process':<12}{'pid':>8}{'uptime':>12}{'memory':>10}{'restarts':>10}")
    for program in answer["programs"]:
        if program["pid"] is None:
            _say(f"{program['name']:<12}{'-':>8}{'-':>12}{'-':>10}{program['restarts']:>10}")
            continue
        memory = f"{answer['memory'][program['name']]:.0f} MB"
        row = f"{program['name']:<12}{program['pid']:>8}{_duration(program['uptime']):>12}{memory:>10}"
        _say(f"{row}{program['restarts']:>10}")
    _say(f"\n{_address(answer)}  {answer['step']}  (supervisor {answer['pid']})")
    return 0


def scale(settings: Settings, count: int) -> int:
    """Run `count` workers; returns when they are ready."""
    answer = _ask(settings, "scale", count=count)
    if answer.get("error"):
        raise PharosError(answer["error"])
    home = settings.home.resolve()
    deadline = time.monotonic() + PATIENCE
    reason = ""
    while _workers(answer) != count or (reason := missing(answer["host"], answer["port"], count)):
        if time.monotonic() > deadline:
            raise NotReady(seconds=PATIENCE, reason=reason or f"{_workers(answer)} of {count} workers run.")
        time.sleep(0.1)
        answer = control.ask(_socket(home), "status") or answer
    _say(f"{count} workers. They stay until `make down`; PHAROS_WORKERS={count} keeps the number.")
    return 0


def logs(settings: Settings) -> int:
    """Show the end of the log and follow it until interrupted."""
    file = settings.home.resolve() / "log" / "pharos.log"
    if not file.exists():
        raise NotRunning
    with suppress(KeyboardInterrupt):
        subprocess.run(["tail", "-n", "200", "-F", str(file)], check=False)  # noqa: S607
    return 0


def update(settings: Settings) -> int:
    """Start anew with what is installed now; tasks that run end or are handed back, what waits stays."""
    answer = _ask(settings, "status")
    down(settings)
    code = up(settings)
    if _workers(answer) != settings.workers:
        scale(settings, _workers(answer))
    return code


def _await_end(home: Path) -> None:
    """Wait for a supervisor that is about to end."""
    deadline = time.monotonic() + _QUICK
    while (pid := _holder(home)) is not None:
        if time.monotonic() > deadline:
            raise Stuck(pid=pid)
        time.sleep(0.1)


def _spawn(settings: Settings, home: Path) -> subprocess.Popen[bytes]:
    """Start a supervisor in the background, after looking for what would stop it."""
    machine.clear(settings)
    with (home / "log" / "pharos.log").open("ab") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "workers.supervisor", "run"],
            cwd=ROOT,
            env={**os.environ, "PHAROS_HOME": str(home), MARK: str(home), "PYTHONPATH": str(ROOT)},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )


def _await_ready(home: Path, started: subprocess.Popen[bytes] | None) -> dict[str, Any]:
    """Return the supervisor's status once `/ready` says yes; raises with the reason when that does not come."""
    deadline = time.monotonic() + PATIENCE
    step, reason = "", "the supervisor does not answer."
    while time.monotonic() < deadline:
        ended = started.poll() if started is not None else None
        status = control.ask(_socket(home), "status")
        if status is None:
            if ended is not None:
                raise PharosError(f"The supervisor ended with code {ended}. The end of the log:\n{_end_of_log(home)}")
        elif status["state"] == "failed":
            control.ask(_socket(home), "stop")
            raise PharosError(status["error"])
        else:
            if status["step"] not in (step, "running"):
                step = status["step"]
                _say(f"  {step} ...")
            if status["state"] == "running" and not (
                reason := missing(status["host"], status["port"], _workers(status))
            ):
                return status
            for program in status["programs"]:
                if program["failing"]:
                    raise KeepsEnding(name=program["name"], lines="\n    ".join(program["failing"]))
        time.sleep(0.1)
    raise NotReady(seconds=PATIENCE, reason=reason)


def _welcome(home: Path, address: str, workers: int) -> None:
    _use_servers_of(home)
    try:
        link = f"{address}/ui/login?code={asyncio.run(login_code())}"
    except PharosError as error:
        link = f"none: {error}"
    _say(f"""
Pharos is ready at {address} with {workers} worker{"s" if workers != 1 else ""}.

  Open this link to sign in as admin (it works once):
    {link}

  make status            what is running
  make logs              what it says
  make scale WORKERS=4   more workers
  make update            after `git pull`: start anew
  make down              stop it; your library stays in {home}""")


async def login_code() -> str:
    """Make a one-time code for the account `admin`, in the database that this process's settings name."""
    # Imported here: the other commands answer faster without the database.
    from service import database
    from service.security.login_links import create_login_link

    async with database.connected("up", size=1, overflow=0):
        return await create_login_link()


def _use_servers_of(home: Path) -> None:
    """Make the servers that the supervisor started those of this process."""
    lines = (home / "run" / "env").read_text().splitlines()
    os.environ.update({name: value for name, _, value in (line.partition("=") for line in lines)})
    read_settings.cache_clear()


def _ask(settings: Settings, do: str, **arguments: Any) -> dict[str, Any]:
    home = settings.home.resolve()
    answer = control.ask(_socket(home), do, **arguments)
    if answer is None:
        if (home / "run").exists() and (pid := _holder(home)) is not None:
            raise Stuck(pid=pid)
        raise NotRunning
    return answer


def _socket(home: Path) -> Path:
    return home / "run" / "control"


def _holder(home: Path) -> int | None:
    """Return the process id of the supervisor that holds the lock; a file that nobody holds means nothing."""
    with (home / "run" / "supervisor.pid").open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            return int(file.read() or 0) or None
    return None


@contextmanager
def _one_at_a_time(home: Path) -> Generator[None]:
    """Let a second `up` wait for the first."""
    with (home / "run" / "up.lock").open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _workers(status: dict[str, Any]) -> int:
    return sum(
        program["name"].startswith("worker-") and program["pid"] is not None and not program["retiring"]
        for program in status["programs"]
    )


def _address(status: dict[str, Any]) -> str:
    host = machine.reachable(status["host"])
    return f"http://{f'[{host}]' if ':' in host else host}:{status['port']}"


def _end_of_log(home: Path) -> str:
    with (home / "log" / "pharos.log").open("rb") as log:
        log.seek(max(0, log.seek(0, os.SEEK_END) - 4000))
        return "\n".join(log.read().decode(errors="replace").splitlines()[-20:])


def _duration(seconds: float) -> str:
    minutes, second = divmod(int(seconds), 60)
    hours, minute = divmod(minutes, 60)
    return f"{hours}:{minute:02}:{second:02}"


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()
