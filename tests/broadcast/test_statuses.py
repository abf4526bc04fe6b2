"""`task.status.update` while a task runs: told from the worker, to those who listen, at most four times a second."""

import asyncio
import time
from collections.abc import AsyncIterator
from uuid import UUID, uuid4

import pytest
from sqlalchemy import func, select

from service.broadcast import BroadcastEvent, EventConsumer
from service.broadcast.forwarding import Forwarder
from service.broadcast.names import STREAM
from service.bus import EventBus
from service.database import reading, transaction
from service.event_log import EventRow
from service.outbox import Relay
from service.queue import Task, actor, progress
from service.queue.ledger import accept, send_on
from service.settings import settings
from tests.queue.conftest import NORMAL, Work, broker, dispatch, store, until, working

__all__ = ["broker", "store", "working"]
pytestmark = pytest.mark.integration

WORK = Task("work", NORMAL)
SOMEBODY = UUID(int=7)


async def quiet() -> None: ...


@pytest.fixture
async def heard(broker: object) -> AsyncIterator[list[tuple[float, BroadcastEvent]]]:
    heard: list[tuple[float, BroadcastEvent]] = []
    consumer = EventConsumer(settings().broker_url)
    consumer.subscribe_to_task_events(lambda event: heard.append((time.monotonic(), event)))
    async with consumer:
        yield heard


async def carry() -> None:
    forwarder = Forwarder()
    while await Relay(EventBus(), lambda envelope: (), send_on, quiet).drain():
        pass
    while await forwarder.forward():
        pass


async def test_a_persons_task_is_told_from_its_beginning_to_its_end(
    working: Work, heard: list[tuple[float, BroadcastEvent]]
) -> None:
    await carry()

    @actor(WORK)
    async def work() -> None:
        for n in range(1, 401):
            progress(n, 400, f"item {n}")
            await asyncio.sleep(0.002)

    asked, other = dispatch(WORK), dispatch(WORK)
    async with transaction() as session:
        await accept(session, SOMEBODY, WORK, asked.message_id)
    async with working() as engine:
        await send_on([asked, other])
        await until(lambda: engine.processed == 2, 30)
        await carry()
        await until(lambda: {"started", "completed"} <= {event.status for _, event in heard})
    events = [event for _, event in heard]
    assert {event.task_id for event in events} == {str(asked.message_id)}
    assert {(event.user_id, event.audience, event.task_type) for event in events} == {
        (str(SOMEBODY), str(SOMEBODY), "work")
    }
    during = [(at, event) for at, event in heard if event.status == "processing"]
    assert len(during) >= 2
    assert len(during) <= (during[-1][0] - during[0][0]) * 4 + 2
    assert [event.progress for _, event in during] == sorted(event.progress for _, event in during)
    assert (during[-1][1].progress, during[-1][1].message) == (100, "item 400")
    async with reading() as session:
        names = (await session.scalars(select(EventRow.name).order_by(EventRow.position))).all()
        assert names == ["background_task.started", "background_task.completed"]


async def test_progress_is_in_no_stream_and_no_row(
    working: Work, heard: list[tuple[float, BroadcastEvent]], store: object
) -> None:
    await carry()

    @actor(WORK)
    async def work() -> None:
        progress(1, 0)
        progress(7, None, "x" * 5000)

    asked = dispatch(WORK)
    async with transaction() as session:
        await accept(session, uuid4(), WORK, asked.message_id)
    async with working() as engine:
        await send_on([asked])
        await until(lambda: engine.processed == 1)
        await until(lambda: heard)
    assert (heard[-1][1].progress, heard[-1][1].message) == (None, "x" * 2000)
    assert await store.exists(STREAM) == 0  # type: ignore[attr-defined]
    async with reading() as session:
        assert await session.scalar(select(func.count()).select_from(EventRow)) == 0
