"""The supervisor keeps its programs running: here a table of small scripts stands in for the real one."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import pytest

from service.errors import Conflict
from service.settings import Settings
from workers.supervisor import control, machine, programs, supervisor
from workers.supervisor.child import LONGEST, Child
from workers.supervisor.log import Log
from workers.supervisor.programs import Program
from workers.supervisor.supervisor import AlreadyRunning, Supervisor

PYTHON = sys.executable
OBEDIENT = "import time; print('ready', flush=True); time.sleep(60)"
Start = Callable[[], Supervisor]
STUBBORN = f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); {OBEDIENT}"


def script(name: str, code: str, **options: Any) -> Program:
    return Program(name, (PYTHON, "-c", code), **options)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    machine.make_home(tmp_path / "home")
    return tmp_path / "home"


@pytest.fixture
def table(monkeypatch: pytest.MonkeyPatch) -> list[Program]:
    """What runs beside the workers; the test fills it."""
    rows: list[Program] = []
    monkeypatch.setattr(programs, "programs", lambda settings: rows)
    monkeypatch.setattr(programs, "worker", lambda number: script(f"worker-{number}", OBEDIENT, grace=0.5))
    monkeypatch.setattr(programs, "MIGRATION", script("migrate", "print('migrated')", once=True))
    return rows


@pytest.fixture
async def supervise(home: Path) -> AsyncIterator[Start]:
    """Starts a supervisor over the table; it is stopped at the end of the test."""
    running: list[tuple[Supervisor, asyncio.Task[int]]] = []

    def start() -> Supervisor:
        settings = Settings(home=home, database_url="postgresql://elsewhere", broker_url="redis://elsewhere")
        subject = Supervisor(settings)
        running.append((subject, asyncio.create_task(subject.run())))
        return subject

    yield start
    await stopped(running)


async def stopped(running: list[tuple[Supervisor, asyncio.Task[int]]]) -> None:
    """Stop supervisors, without waiting for work that is running."""
    for subject, task in running:
        subject.stop()
        subject.stop()
        async with asyncio.timeout(15):
            await task


async def until(condition: Callable[[], object], seconds: float = 10) -> None:
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.02)


async def ask(home: Path, do: str, **arguments: Any) -> dict[str, Any]:
    answer = await asyncio.to_thread(control.ask, home / "run" / "control", do, **arguments)
    assert answer is not None
    return answer


def pids(answer: dict[str, Any]) -> dict[str, int]:
    return {program["name"]: program["pid"] for program in answer["programs"]}


async def test_everything_in_the_table_runs(home: Path, table: list[Program], supervise: Start) -> None:
    table.append(script("web", OBEDIENT))
    subject = supervise()
    await until(lambda: subject.state == "running")
    answer = await ask(home, "status")
    assert list(pids(answer)) == ["web", "worker-1", "worker-2"]
    assert all(psutil.pid_exists(pid) for pid in pids(answer).values())
    log = home / "log" / "pharos.log"
    await until(lambda: " web        | ready\n" in log.read_text())
    assert " migrate    | migrated\n" in log.read_text()
    assert {path.stat().st_mode & 0o077 for path in [log.parent, home / "run" / "env", home]} == {0}


async def test_a_program_that_dies_is_started_again(home: Path, table: list[Program], supervise: Start) -> None:
    subject = supervise()
    await until(lambda: subject.state == "running")
    before = pids(await ask(home, "status"))
    os.kill(before["worker-1"], signal.SIGKILL)
    await until(lambda: subject.working[0].status()["pid"] not in (None, before["worker-1"]))
    after = await ask(home, "status")
    assert pids(after)["worker-2"] == before["worker-2"]
    assert [program["restarts"] for program in after["programs"]] == [1, 0]


async def test_what_a_dead_program_had_started_goes_with_it(home: Path, table: list[Program], supervise: Start) -> None:
    table.append(
        script("web", f"import subprocess, sys; subprocess.Popen([sys.executable, '-c', {OBEDIENT!r}]).wait()")
    )
    subject = supervise()
    await until(lambda: subject.state == "running")
    web = psutil.Process(pids(await ask(home, "status"))["web"])
    await until(lambda: web.children())
    grandchild = web.children()[0]
    web.kill()
    await until(lambda: not grandchild.is_running() or grandchild.status() == psutil.STATUS_ZOMBIE)
    assert subject.state == "running"


async def test_a_program_that_keeps_failing_is_reported_with_its_last_words(
    home: Path, table: list[Program], supervise: Start
) -> None:
    table.append(script("web", "raise SystemExit('no such template')"))
    subject = supervise()
    await until(lambda: subject.state == "running" and subject.working[0].failing)
    web = (await ask(home, "status"))["programs"][0]
    assert web["restarts"] >= 3
    assert "no such template" in web["failing"]


async def test_a_failed_migration_stops_the_start(
    home: Path, table: list[Program], supervise: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(programs, "MIGRATION", script("migrate", "raise SystemExit('no such server')", once=True))
    subject = supervise()
    await until(lambda: subject.state == "failed")
    answer = await ask(home, "status")
    assert "no such server" in answer["error"]
    assert answer["programs"] == []


async def test_scaling_up_and_down(home: Path, table: list[Program], supervise: Start) -> None:
    subject = supervise()
    await until(lambda: subject.state == "running")
    before = pids(await ask(home, "status"))
    grown = pids(await ask(home, "scale", count=4))
    assert list(grown) == ["worker-1", "worker-2", "worker-3", "worker-4"]
    assert grown.items() >= before.items()
    await ask(home, "scale", count=1)
    await until(lambda: len(subject.working) == 1)
    assert pids(await ask(home, "status")) == {"worker-1": before["worker-1"]}


@pytest.mark.parametrize("count", [0, -1, 100_000])
async def test_a_number_of_workers_that_cannot_be(
    home: Path, table: list[Program], supervise: Start, count: int
) -> None:
    subject = supervise()
    await until(lambda: subject.state == "running")
    assert "choose 1 to" in (await ask(home, "scale", count=count))["error"]
    assert len(subject.working) == 2


def test_embedded_postgresql_has_connections_for_so_many_workers(home: Path) -> None:
    with pytest.raises(Conflict, match="choose 1 to 12"):
        Supervisor(Settings(home=home, database_url=None)).scale(13)


async def test_stopping_waits_for_work_and_then_insists(home: Path, table: list[Program], supervise: Start) -> None:
    table.append(script("web", STUBBORN, grace=0.5))
    subject = supervise()
    await until(lambda: subject.state == "running" and "ready" in subject.working[0].tail)
    mine = [psutil.Process(pid) for pid in pids(await ask(home, "status")).values()]
    subject.stop()
    await until(lambda: not (home / "run" / "control").exists())
    assert not any(process.is_running() for process in mine)
    log = (home / "log" / "pharos.log").read_text()
    assert "web        | did not end in time" in log
    assert log.index("worker-1   | ended with code -15") < log.index("web        | ended with code -9")


async def test_nonsense_on_the_control_socket_harms_nobody(home: Path, table: list[Program], supervise: Start) -> None:
    subject = supervise()
    await until(lambda: subject.state == "running")
    reader, writer = await asyncio.open_unix_connection(str(home / "run" / "control"))
    writer.write(b"hello\n")
    assert await reader.read() == b""
    writer.close()
    assert (await ask(home, "dance"))["state"] == "running"


def test_one_home_has_one_supervisor(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def second(settings: Settings) -> None:
        with pytest.raises(AlreadyRunning, match="Another supervisor runs Pharos"):
            supervisor.run(settings)
        raise KeyboardInterrupt

    monkeypatch.setattr(machine, "clear", second)
    with suppress(KeyboardInterrupt):
        supervisor.run(Settings(home=home))
    assert int((home / "run" / "supervisor.pid").read_text()) == os.getpid()


def test_pauses_grow_and_are_forgotten_after_a_healthy_while(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0
    monkeypatch.setattr("workers.supervisor.child.time.monotonic", lambda: now)
    child = Child(script("web", ""), {}, Log(tmp_path / "log"))
    pauses = [child.pause() for _ in range(6)]
    assert pauses == pytest.approx([0.1, 0.4, 1.6, 6.4, 25.6, LONGEST])
    assert child.failing
    now = 3600.0
    assert child.pause() == pytest.approx(0.1)
    assert not child.failing


async def test_lines_are_cut_and_bytes_made_readable(tmp_path: Path) -> None:
    log = Log(tmp_path / "log")
    child = Child(script("web", "import os; os.write(1, b'x' * 50_000 + b'\\n\\xff\\r\\n\\nlast')"), os.environ, log)
    child.start()
    await until(lambda: child.bury())
    log.close()
    lines = [line.partition(" web        | ")[2] for line in (tmp_path / "log").read_text().splitlines()]
    assert len(lines[0]) == 32_768
    assert lines[-2:] == ["\ufffd", "last"]
