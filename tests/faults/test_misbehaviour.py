"""Actors that block their worker's loop, or leave tasks behind, in real workers."""

import asyncio
import signal
import time

import pytest

from service.queue import worker_status
from tests.faults.program import BLOCK, LEAK
from tests.faults.site import Job, Site, naps
from tests.queue.conftest import until

pytestmark = [pytest.mark.faults, pytest.mark.timeout(60)]


async def test_a_blocked_worker_goes_on_beating_and_others_take_the_rest(site: Site) -> None:
    site.start(), site.start()
    await site.ready(2)
    await site.send([Job(BLOCK, {"n": 0, "seconds": 7})])
    await until(lambda: site.ledger.starts)
    await site.send(naps(range(1, 41)))
    ages = []
    while not site.ledger.ends or all(effect.n for effect in site.ledger.ends):
        ages.append(max(worker.heartbeat_age_s for worker in await worker_status()))
        await asyncio.sleep(0.2)
    await site.ended(10)
    [blocked] = [effect for effect in site.ledger.ends if effect.n == 0]
    assert len(ages) > 20
    assert max(ages) < 4  # a beat every 2 s
    assert sum(effect.at < blocked.at and effect.pid != blocked.pid for effect in site.ledger.ends) >= 39
    assert site.ledger.repeated == 0


@pytest.mark.parametrize("how", ["asleep", "stubborn"])
async def test_tasks_that_an_actor_leaks_do_not_hold_the_stop_of_their_worker(site: Site, how: str) -> None:
    process = site.start(PHAROS_WORKER_GRACE="30")
    await site.ready(1)
    await site.send([Job(LEAK, {"n": 0, "how": how})])
    await site.ended(10)
    began = time.monotonic()
    process.send_signal(signal.SIGTERM)
    assert await asyncio.to_thread(process.wait, 15) == 0
    assert time.monotonic() - began < 5
