"""Workers that are asked to stop, and one whose command is gone."""

import asyncio
import signal
import time

import psutil
import pytest

from service.queue import worker_status
from tests.faults.program import STUBBORN
from tests.faults.site import Job, Site, child_of
from tests.queue.conftest import until

pytestmark = [pytest.mark.faults, pytest.mark.timeout(60)]


@pytest.mark.parametrize("signals", [1, 2])
async def test_a_worker_that_cannot_stop_is_ended(site: Site, signals: int) -> None:
    process = site.start(PHAROS_WORKER_GRACE="1" if signals == 1 else "60")
    await site.ready(1)
    await site.send([Job(STUBBORN, {"n": 1})])
    await until(lambda: site.ledger.starts)
    for _ in range(signals):
        process.send_signal(signal.SIGTERM)
        await asyncio.sleep(0.3)
    assert await asyncio.to_thread(process.wait, 15) == 0
    assert site.ledger.all("refused")
    site.start()
    await until(lambda: len(site.ledger.starts) == 2)  # it was handed back


async def test_an_idle_worker_stops_at_once(site: Site) -> None:
    process = site.start()
    await site.ready(1)
    await until(worker_status)
    child = child_of(process)
    began = time.monotonic()
    process.send_signal(signal.SIGTERM)
    await asyncio.to_thread(child.wait, 10)
    assert time.monotonic() - began < 1
    assert await asyncio.to_thread(process.wait, 10) == 0
    assert await worker_status() == []


async def test_a_worker_ends_with_its_command(site: Site) -> None:
    process = site.start()
    await site.ready(1)
    await until(worker_status)
    child = child_of(process)
    process.kill()
    process.wait()
    await asyncio.to_thread(psutil.wait_procs, [child], 15)
    assert not child.is_running() or child.status() == psutil.STATUS_ZOMBIE
    assert await worker_status() == []
