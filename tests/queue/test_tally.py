"""What ended in a minute: counted, told by heartbeats, read again; and how long it took."""

import asyncio
import random
import time
from uuid import uuid4

import pytest

from service.hooks import INDEX, RECONCILE
from service.queue import Dispatch, actor, send
from service.queue.durations import bucket, quantile
from service.queue.tally import Tally, ended_in
from tests.queue.conftest import Work, until


@pytest.mark.parametrize(
    ("seconds", "number"), [(0, 0), (0.001, 0), (0.0011, 1), (0.002, 4), (0.0021, 5), (1.024, 40), (1800, 84)]
)
def test_a_bucket_ends_at_a_power_of_the_fourth_root_of_two(seconds: float, number: int) -> None:
    assert bucket(seconds) == number


def test_quantiles_are_right_within_a_fifth() -> None:
    source = random.Random(7)
    times = sorted(source.lognormvariate(-2, 1.5) for _ in range(5000))
    counts: dict[int, int] = {}
    for one in times:
        counts[bucket(one)] = counts.get(bucket(one), 0) + 1
    for share in (0.5, 0.95, 0.99):
        found, exact = quantile(counts, share), times[int(share * len(times)) - 1]
        assert found is not None
        assert exact / 1.19 < found < exact * 1.19


def test_of_nothing_there_is_no_quantile() -> None:
    assert quantile({}, 0.5) is None


def test_what_could_not_be_told_is_counted_again() -> None:
    tally = Tally()
    tally.count("urgent", "index", "succeeded", 0.5)
    taken = tally.take()
    assert tally.take() == {}
    tally.count("urgent", "index", "succeeded", 0.5)
    tally.give_back(taken)
    assert tally.take() == {"urgent|index|succeeded": 2, f"urgent|{bucket(0.5)}": 2}


@pytest.mark.integration
async def test_a_worker_tells_what_ended_in_it_the_last_of_it_when_it_stops(working: Work) -> None:
    @actor(INDEX)
    async def index(resource_id: str) -> None:
        await asyncio.sleep(0.01)

    @actor(RECONCILE)
    async def reconcile() -> None:
        raise LookupError

    first = int(time.time()) // 60
    async with working() as engine:
        await send([Dispatch(INDEX, {"resource_id": str(uuid4())}, uuid4()) for _ in range(3)])
        await send([Dispatch(RECONCILE, {}, uuid4())])
        await until(lambda: engine.processed == 3)
    minutes = await ended_in(range(first, int(time.time()) // 60 + 1))
    told = [queues["urgent"] for queues in minutes if "urgent" in queues]
    assert sum(ended.tasks["update_search_index"]["succeeded"] for ended in told) == 3
    assert sum(sum(ended.durations.values()) for ended in told) == 3
    assert all(number >= bucket(0.01) for ended in told for number in ended.durations)
    batch = [queues["batch"] for queues in minutes if "batch" in queues]
    assert sum(ended.total("retried") + ended.total("failed") for ended in batch) == 1
