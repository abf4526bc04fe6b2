"""From a row in PostgreSQL to a message in Redis: neither lost nor doubled, whenever the process between them dies."""

import asyncio
import sys
from pathlib import Path
from uuid import UUID, uuid4

import orjson
import pytest
import redis.asyncio
from sqlalchemy import func, insert, select, text

from service import outbox, queue
from service.bus import EventBus
from service.database import reading, transaction
from service.events import Envelope
from service.hooks import TABLE
from service.outbox import OutboxRow, Relay
from service.queue import Dispatch, Task
from service.queue.dead_letters import Which, retry
from service.queue.requeue import TaskRequeued
from service.queue.tables import DeadLetter
from service.tasks import REQUEUE
from tests.queue.conftest import NORMAL, SOMEBODY, letters
from tests.queue.requeuer import nobody_listens

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("broker")]

ROOT = Path(__file__).parents[2]
KILLS, LETTERS = 6, 600


async def bury(count: int) -> list[UUID]:
    """Write dead letters that are numbered from 0."""
    rows = [
        {"task_id": f"task {n}", "name": "numbered", "queue": "default", "arguments": {"n": n}, "exception": "OSError",
         "attempts": 4, "reason": "exhausted"}
        for n in range(count)
    ]  # fmt: skip
    async with transaction() as session:
        return list(await session.scalars(insert(DeadLetter).returning(DeadLetter.id), rows))


async def left() -> tuple[int, int]:
    """Return how many letters and how many events are there."""
    async with reading() as session:
        events = await session.scalar(select(func.count()).select_from(OutboxRow))
    return len(await letters()), events or 0


@pytest.mark.faults
async def test_killed_at_any_moment_it_neither_loses_nor_doubles(store: redis.asyncio.Redis) -> None:
    await bury(LETTERS)
    interrupted = list[tuple[int, int]]()
    for kill in range(KILLS):
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.queue.requeuer", cwd=ROOT, stdout=asyncio.subprocess.PIPE
        )
        assert process.stdout is not None
        begun = int(await process.stdout.readline())
        while (await left())[0] > begun - 40 - 7 * kill:
            await asyncio.sleep(0.003)
        process.kill()
        assert await process.wait() == -9
        interrupted.append(await left())
        async with transaction() as session:  # what the dead process had claimed would be free after its lease
            await session.execute(text("UPDATE outbox SET claimed_until = NULL"))
    assert interrupted[-1][0] > 0, "it was done before it was killed: nothing was shown"
    assert any(events for _, events in interrupted), "no kill came between the commit and the message"
    async with transaction() as session:
        await retry(session, Which(), REQUEUE, (), SOMEBODY)
    relay = Relay(EventBus(), TABLE.route, queue.send, nobody_listens)
    while await relay.drain():
        pass
    assert await left() == (0, 0)
    sent = [await store.hget("dramatiq:default.msgs", id) for id in await store.lrange("dramatiq:default", 0, -1)]
    assert sorted(orjson.loads(body)["kwargs"]["n"] for body in sent) == list(range(LETTERS))


async def test_a_relay_that_dies_between_message_and_settling_makes_no_second_task(
    store: redis.asyncio.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    [id] = await bury(1)
    async with transaction() as session:
        retried = await retry(session, Which(ids=[id]), REQUEUE, (), SOMEBODY)
    monkeypatch.setattr(outbox, "LEASE", 0)
    relay = Relay(EventBus(), TABLE.route, queue.send, nobody_listens)
    with monkeypatch.context() as dying:
        dying.setattr(outbox, "_SETTLE", outbox._RELEASE)  # pyright: ignore[reportPrivateUsage]
        for _ in range(3):
            assert await relay.drain() == 1
    assert await relay.drain() == 1
    assert await store.lrange("dramatiq:default", 0, -1) == [str(retried.tasks[0])]


async def test_two_who_retry_the_same_letter_make_one_task(store: redis.asyncio.Redis) -> None:
    [id] = await bury(1)

    async def attempt() -> int:
        async with transaction() as session:
            return len((await retry(session, Which(ids=[id]), REQUEUE, (), SOMEBODY)).tasks)

    assert sum(await asyncio.gather(*(attempt() for _ in range(5)))) == 1
    assert await left() == (0, 1)


async def test_what_is_rolled_back_leaves_the_letter(store: redis.asyncio.Redis) -> None:
    [id] = await bury(1)

    async def interrupted() -> None:
        async with transaction() as session:
            await retry(session, Which(ids=[id]), REQUEUE, (), SOMEBODY)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await interrupted()
    assert await left() == (1, 0)


def test_the_table_turns_the_event_into_the_task_that_it_names() -> None:
    known = next(iter(REQUEUE.tasks.values()))
    for name, task in ((known.name, known), ("guest", Task("guest", NORMAL))):
        event = TaskRequeued(
            letter_id=uuid4(), task=name, queue="default", arguments={"resource_id": "x"}, positional=[1],
            options={"pipe_target": None},
        )  # fmt: skip
        envelope = Envelope(event, "request 1", bulk=True)
        assert list(TABLE.route(envelope)) == [
            Dispatch(
                task, {"resource_id": "x"}, envelope.id, bulk=True, correlation_id="request 1", positional=[1],
                options={"pipe_target": None},
            )
        ]  # fmt: skip
