"""Workers under our supervisor: worn out and replaced, retired, ended when they stand still, as many as are needed."""

import asyncio
import os
import re
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest

from service.queue import worker_status
from service.settings import settings
from tests.faults.program import BLOCK, HOLD, LEAK
from tests.faults.site import Job, Site, naps
from tests.queue.conftest import until
from workers.supervisor import control

pytestmark = [pytest.mark.faults, pytest.mark.timeout(120)]


async def ask(do: str, **arguments: Any) -> dict[str, Any]:
    path = settings().home.resolve() / "run" / "control"
    return await asyncio.to_thread(control.ask, path, do, **arguments) or {"programs": []}


@asynccontextmanager
async def lowest() -> AsyncIterator[list[int]]:
    """Note again and again how many workers take tasks."""
    seen: list[int] = []

    async def look() -> None:
        while True:
            seen.append(len(await worker_status()))
            await asyncio.sleep(0.05)

    looking = asyncio.create_task(look())
    try:
        yield seen
    finally:
        looking.cancel()


@pytest.fixture
async def supervised(site: Site) -> AsyncIterator[Callable[..., Awaitable[subprocess.Popen[bytes]]]]:
    """Starts a supervisor of so many workers; it is stopped in the end."""
    started: list[subprocess.Popen[bytes]] = []

    async def start(workers: int, *arguments: str, **variables: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "tests.faults.supervised", *arguments]
        process = site.run(command, {"PHAROS_WORKERS": str(workers), **variables})
        started.append(process)

        async def there() -> bool:
            return len(await worker_status()) >= workers

        await until(there, 40)
        return process

    yield start
    for process in started:
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            await asyncio.to_thread(process.wait, 15)


async def test_a_worn_worker_is_replaced_under_load_and_no_gap_is_seen(site: Site, supervised: Any) -> None:
    await supervised(2, PHAROS_WORKER_TASKS="40", YOUNGEST="1")
    async with lowest() as seen:
        await site.send(naps(range(2000), 0.1))
        assert await site.ended(60)
    assert site.ledger.repeated == 0
    assert min(seen) >= 2
    assert len({effect.pid for effect in site.ledger.starts}) >= 4


async def test_a_worker_that_keeps_memory_is_replaced_too(site: Site, supervised: Any) -> None:
    await supervised(1, PHAROS_WORKER_MEMORY_MB="200", PHAROS_WORKER_TASKS="0", YOUNGEST="1")
    [first] = await worker_status()
    async with lowest() as seen:
        await site.send(naps(range(1000, 1400), 0.1))  # there is work all the while
        await site.send([Job(LEAK, {"n": n, "how": "memory"}) for n in range(10)])

        async def replaced() -> bool:
            return first.pid not in {worker.pid for worker in await worker_status()}

        await until(replaced, 30)
        assert await site.ended(60)
    [second] = await worker_status()
    assert second.rss_mb < 200
    assert min(seen) >= 1
    assert site.ledger.repeated == 0


async def test_a_worker_without_a_supervisor_stops_when_it_has_done_its_share(site: Site) -> None:
    process = site.start(PHAROS_WORKER_TASKS="10", YOUNGEST="1", PHAROS_WORKER_GRACE="0")
    await site.ready(1)
    await site.send(naps(range(8), 0.01))
    assert await site.ended(20)
    await site.send(naps(range(8, 16), 3))
    assert await asyncio.to_thread(process.wait, 30) == 0
    assert site.ledger.repeated == 0
    assert len(site.ledger.ends) == 16  # what ran was not cut short


async def test_scaling_down_lets_running_tasks_end(site: Site, supervised: Any) -> None:
    await supervised(2)
    await site.send(naps(range(12), 5))
    await until(lambda: len(site.ledger.starts) == 12)
    assert len({effect.pid for effect in site.ledger.starts}) == 2
    await ask("scale", count=1)

    async def one_is_left() -> bool:
        return len(await worker_status()) == 1

    await until(one_is_left, 30)
    assert await site.ended(20)
    assert site.ledger.repeated == 0


async def test_workers_come_when_work_piles_up_and_go_when_it_is_done(site: Site, supervised: Any) -> None:
    await supervised(1, PHAROS_WORKERS_MAX="3", SCALING_IDLE="3")
    await site.send(naps(range(300), 0.5))

    async def number() -> int:
        return len(await worker_status())

    async def three() -> bool:
        return await number() == 3

    async def one() -> bool:
        return await number() == 1

    await until(three, 20)
    assert await site.ended(60)
    await until(one, 40)
    assert site.ledger.repeated == 0


async def test_workers_alone_need_only_addresses_and_leave_nobody_behind(site: Site, supervised: Any) -> None:
    process = await supervised(2, "workers", "--min", "2", "--max", "2")
    await site.send(naps(range(20)))
    assert await site.ended(20)
    process.kill()
    await until(lambda: not [one for one in site.processes() if one.pid != process.pid and one.is_running()], 20)


async def test_workers_alone_without_servers_say_what_is_missing() -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PHAROS_")}
    command = [sys.executable, "-m", "workers.supervisor", "workers"]
    done = await asyncio.to_thread(
        subprocess.run,
        command,
        env={**environment, "PHAROS_HOME": str(settings().home)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    assert "PHAROS_DATABASE_URL and PHAROS_BROKER_URL" in done.stderr


@pytest.mark.parametrize("task", [BLOCK, HOLD], ids=["a loop", "a C call that keeps the GIL"])
async def test_a_worker_that_stands_still_is_ended(site: Site, task: Any) -> None:
    process = site.start(PHAROS_WORKER_STUCK="3")
    await site.ready(1)
    await site.send([Job(task, {"n": 1, "seconds": 60})])
    await until(lambda: site.ledger.starts)
    assert await asyncio.to_thread(process.wait, 20) != 0
    log = (site.folder / "workers.log").read_text()
    assert re.search(r"Timeout \(0:00:03\)!", log)
    assert "program.py" in log


async def test_a_task_that_makes_three_workers_stand_still_is_given_up(site: Site, supervised: Any) -> None:
    await supervised(1, PHAROS_WORKER_STUCK="2")
    await site.send([Job(BLOCK, {"n": 0, "seconds": 60})])
    await until(site.dead_letters, 90)
    assert await site.dead_letters() == ["poison"]
    assert [effect.n for effect in site.ledger.starts] == [0, 0, 0]
    await site.send(naps([1]))
    await until(lambda: site.ledger.ends, 20)
    assert [effect.n for effect in site.ledger.ends] == [1]
