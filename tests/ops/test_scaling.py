"""Workers as the work needs them: the rule by itself, and the supervisor that goes by it, over a real queue."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import dramatiq
import pytest

from service import tasks
from service.queue import connected, send
from service.queue.broker import PharosBroker
from service.queue.status import Backlog
from service.settings import Settings, settings
from tests.ops.test_supervisor import OBEDIENT, ask, script, stopped, until
from tests.queue.conftest import dispatch
from workers.supervisor import machine, programs, scaling
from workers.supervisor.scaling import DEEP, IDLE, LATE, Range, Scaler, is_idle, wanted
from workers.supervisor.supervisor import MOST_WORKERS, Supervisor

Start = Callable[[Range], Supervisor]


@pytest.mark.parametrize(
    ("waiting", "oldest", "workers", "idle", "number"),
    [
        (0, 0.0, 2, 0.0, 2),
        (1, LATE - 0.1, 2, 0.0, 2),
        (1, LATE + 0.1, 2, 0.0, 4),  # late
        (2 * DEEP, 0.0, 2, 0.0, 2),
        (2 * DEEP + 1, 0.0, 2, 0.0, 4),  # deep
        (1000, 60.0, 5, 0.0, 8),  # no further than allowed
        (0, 60.0, 2, 0.0, 2),  # an age of nothing
        (0, 0.0, 3, IDLE - 1, 3),
        (0, 0.0, 3, IDLE, 2),  # one at a time
        (0, 0.0, 1, 10 * IDLE, 1),
        (1000, 60.0, 2, IDLE, 4),
    ],
)
def test_how_many_workers_there_should_be(waiting: int, oldest: float, workers: int, idle: float, number: int) -> None:
    assert wanted(waiting, oldest, workers, idle, Range(1, 8)) == number


@pytest.mark.parametrize(
    ("waiting", "running", "workers", "idle"),
    [(0, 0, 2, True), (1, 0, 2, False), (0, 16, 2, True), (0, 17, 2, False), (0, 1, 1, False), (0, 0, 1, True)],
)
def test_when_one_worker_fewer_would_do(waiting: int, running: int, workers: int, idle: bool) -> None:
    assert is_idle(waiting, running, workers, concurrency=32) is idle


async def test_one_worker_retires_after_each_five_idle_minutes(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0
    monkeypatch.setattr(scaling, "time", SimpleNamespace(monotonic=lambda: now))
    monkeypatch.setattr(scaling, "LOOK", 0)
    workers, retired = 3, list[float]()

    async def look() -> Backlog:
        nonlocal now
        now += 10
        return Backlog(waiting=0, running=0, oldest_age_s=0)

    def scale(number: int) -> None:
        nonlocal workers
        workers = number
        retired.append(now)

    scaler = Scaler(Range(1, 8), 32, look, lambda: workers, scale, lambda _: None)
    running = asyncio.create_task(scaler.run())
    await until(lambda: now > 4 * IDLE)
    running.cancel()
    assert retired == [IDLE, 2 * IDLE]


@pytest.fixture
def broker(pharos: Settings) -> Iterator[PharosBroker]:
    """The process's broker, with the real queues."""
    assert tasks.QUEUES
    before = dramatiq.broker.global_broker
    broker = PharosBroker()
    dramatiq.set_broker(broker)
    yield broker
    broker.close()
    dramatiq.broker.global_broker = before


@pytest.fixture
def home(tmp_path: Path) -> Path:
    machine.make_home(tmp_path / "home")
    return tmp_path / "home"


@pytest.fixture
async def supervise(
    pharos: Settings, broker: PharosBroker, home: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Start]:
    """Starts a supervisor of scaled workers; these are small scripts, which leave all tasks in the real queue."""
    monkeypatch.setattr(programs, "worker", lambda number: script(f"worker-{number}", OBEDIENT, grace=0.5))
    running: list[tuple[Supervisor, asyncio.Task[int]]] = []

    def start(allowed: Range) -> Supervisor:
        subject = Supervisor(settings().model_copy(update={"home": home}), only=allowed)
        running.append((subject, asyncio.create_task(subject.run())))
        return subject

    yield start
    await stopped(running)


def log(home: Path) -> str:
    file = home / "log" / "pharos.log"
    return file.read_text() if file.exists() else ""


async def test_waiting_tasks_bring_workers_within_ten_seconds(home: Path, supervise: Start) -> None:
    subject = supervise(Range(1, 4))
    await until(lambda: subject.state == "running")
    assert len(subject.working) == 1
    async with connected():
        await send([dispatch(tasks.INDEX, resource_id=str(number)) for number in range(DEEP + 1)])
    await until(lambda: len(subject.working) == 4, seconds=10)
    assert "1 -> 2 workers" in log(home)


async def test_a_number_that_a_person_chose_stays(home: Path, supervise: Start) -> None:
    subject = supervise(Range(1, 4))
    await until(lambda: subject.state == "running")
    await ask(home, "scale", count=2)
    async with connected():
        await send([dispatch(tasks.INDEX, resource_id=str(number)) for number in range(10 * DEEP)])
    assert subject._scaling is None  # pyright: ignore[reportPrivateUsage]
    await asyncio.sleep(2 * scaling.LOOK)
    assert len(subject.working) == 2


async def test_no_more_workers_than_there_are_connections_for(
    home: Path, supervise: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Supervisor, "_most_workers", MOST_WORKERS)
    monkeypatch.setattr(scaling, "LOOK", 0.05)
    subject = supervise(Range(8, 100))
    await until(lambda: subject.state == "running")
    assert f"scales to {MOST_WORKERS} workers" in log(home)
    async with connected():
        await send([dispatch(tasks.INDEX, resource_id=str(number)) for number in range(20 * DEEP)])
    await until(lambda: len(subject.working) == MOST_WORKERS)


async def test_scaling_that_breaks_says_so(home: Path, supervise: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*arguments: object) -> int:
        raise ZeroDivisionError

    monkeypatch.setattr(scaling, "LOOK", 0.05)
    monkeypatch.setattr(scaling, "wanted", broken)
    subject = supervise(Range(1, 4))
    await until(lambda: subject.state == "running" and "scales no more" in log(home))
    assert len(subject.working) == 1
