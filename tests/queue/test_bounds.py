"""Tasks that are held back: so many at a time, so many in a time, one after the other."""

import asyncio
import time
from collections import Counter, defaultdict
from typing import Any

from service.queue import Bound, Task, actor, queue_status, send
from service.queue.broker import PharosBroker
from tests.queue.conftest import NORMAL, Work, dispatch, letters, until


class Gauge:
    """Counts what runs at a time, and the most that did."""

    def __init__(self) -> None:
        self.now: Counter[str] = Counter()
        self.most: Counter[str] = Counter()

    async def run(self, *names: str, seconds: float = 0.01) -> None:
        self.now.update(names)
        for name in names:
            self.most[name] = max(self.most[name], self.now[name])
        await asyncio.sleep(seconds)
        self.now.subtract(names)


async def test_so_many_run_at_a_time_over_all_workers(working: Work, store: Any) -> None:
    task, gauge = Task("narrow", NORMAL, bounds=(Bound(3),)), Gauge()

    @actor(task)
    async def work(n: int) -> None:
        await gauge.run("all")

    await send([dispatch(task, n=n) for n in range(40)])
    async with working() as one, working() as other:
        await until(lambda: one.processed + other.processed == 40)
    assert gauge.most["all"] == 3
    assert await store.exists("dramatiq:held:narrow:0", "dramatiq:parked:narrow:0") == 0


async def test_so_many_of_each_key_run_at_a_time_and_the_others_go_on(working: Work) -> None:
    task, gauge = Task("polite", NORMAL, key="host", bounds=(Bound(1, per_key=True), Bound(5))), Gauge()

    @actor(task)
    async def work(host: str) -> None:
        await gauge.run("all", host)

    async with working(concurrency=16) as engine:
        for _ in range(4):
            await send([dispatch(task, host=f"host {n % 8}") for n in range(8)])
            await until(lambda: engine.processed >= 1)
        await until(lambda: not gauge.now.total() and engine.processed >= 8)
    assert gauge.most.pop("all") <= 5
    assert set(gauge.most.values()) == {1}


async def test_no_more_than_so_many_start_in_any_span(working: Work) -> None:
    task, starts = Task("slow", NORMAL, bounds=(Bound(5, seconds=0.4),)), list[float]()

    @actor(task)
    async def work(n: int) -> None:
        starts.append(time.monotonic())

    await send([dispatch(task, n=n) for n in range(15)])
    async with working() as engine:
        await until(lambda: engine.processed == 15)
    spans = [later - sooner for sooner, later in zip(starts, starts[5:], strict=False)]
    assert min(spans) > 0.35  # by Redis's clock 0.4; how late one starts differs
    assert starts[-1] - starts[0] < 2


async def test_what_is_held_back_waits_without_taking_room(working: Work) -> None:
    narrow, free, over = Task("narrow", NORMAL, bounds=(Bound(1),)), Task("free", NORMAL), asyncio.Event()

    @actor(narrow)
    async def wait(n: int) -> None:
        await over.wait()

    @actor(free)
    async def work(n: int) -> None: ...

    await send([dispatch(narrow, n=n) for n in range(20)])
    await send([dispatch(free, n=n) for n in range(20)])
    async with working(concurrency=2) as engine:
        await until(lambda: engine.processed == 20)
        [queue] = [queue for queue in await queue_status() if queue.name == "default"]
        assert (queue.running, queue.waiting) == (1, 19)
        over.set()
        await until(lambda: engine.processed == 40)


async def test_a_place_is_given_back_by_what_fails_or_is_handed_back(working: Work, store: Any) -> None:
    task, runs = Task("narrow", NORMAL, bounds=(Bound(1),), retries=1, backoff=0.01), Counter[int]()
    hang = asyncio.Event()

    @actor(task)
    async def work(n: int) -> None:
        runs[n] += 1
        if n == 0:
            raise OSError("twice")
        if n == 1 and runs[1] == 1:
            await hang.wait()

    await send([dispatch(task, n=0), dispatch(task, n=1), dispatch(task, n=2)])
    async with working():
        await until(lambda: runs[1] == 1)
    async with working() as engine:
        await until(lambda: engine.processed == 3)
    assert runs == {0: 2, 1: 2, 2: 1}
    assert [letter.name for letter in await letters()] == ["narrow"]
    assert await store.exists("dramatiq:held:narrow:0") == 0


async def test_ordered_tasks_of_a_key_run_in_the_order_of_their_sending(working: Work, store: Any) -> None:
    task, runs = (
        Task("step", NORMAL, key="chain", ordered=True, retries=3, backoff=0.01),
        defaultdict[str, list[int]](list),
    )
    failed: set[tuple[str, int]] = set()

    @actor(task)
    async def work(chain: str, n: int) -> None:
        await asyncio.sleep(0.001 * (7 - n % 7))
        if n % 5 == 3 and (chain, n) not in failed:
            failed.add((chain, n))
            raise OSError("once")
        runs[chain].append(n)

    await send([dispatch(task, chain=chain, n=n) for n in range(20) for chain in "abc"])
    async with working() as one, working() as other:
        await until(lambda: one.processed + other.processed == 60)
    assert runs == {chain: list(range(20)) for chain in "abc"}
    assert await store.exists(*(f"dramatiq:line:step/{chain}" for chain in "abc")) == 0


async def test_an_ordered_task_that_is_given_up_lets_the_next_go(working: Work) -> None:
    task, runs = Task("step", NORMAL, key="chain", ordered=True, retries=0), list[int]()

    @actor(task)
    async def work(chain: str, n: int) -> None:
        runs.append(n)
        if n == 0:
            raise OSError("no")

    await send(
        [dispatch(task, chain="a", n=0), dispatch(task, chain="a", n=1, after=0.05), dispatch(task, chain="a", n=2)]
    )
    async with working() as engine:
        await until(lambda: engine.processed == 3)
    assert runs == [0, 1, 2]
    assert len(await letters()) == 1


async def test_an_emptied_queue_leaves_nobody_waiting(broker: PharosBroker, working: Work, store: Any) -> None:
    task, runs = Task("step", NORMAL, key="chain", ordered=True), list[int]()

    @actor(task)
    async def work(chain: str, n: int) -> None:
        runs.append(n)

    await send([dispatch(task, chain="a", n=n) for n in range(3)])
    await asyncio.to_thread(broker.flush, "default")
    assert await store.keys("dramatiq:*[!e]") == []
    await send([dispatch(task, chain="a", n=4)])
    async with working() as engine:
        await until(lambda: engine.processed == 1)
    assert runs == [4]
