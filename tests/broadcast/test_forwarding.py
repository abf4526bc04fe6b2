"""From the commit to listeners: everything, once, in order, whatever happens to Redis and to processes."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Any
from uuid import UUID, uuid4

import orjson
import pytest
import redis.asyncio
from sqlalchemy import delete, text

from service import queue
from service.broadcast import BroadcastEvent, EventConsumer, EventPublisher, forwarding
from service.broadcast.forwarding import Forwarder
from service.broadcast.names import OUTSIDE, STREAM
from service.broadcast.wire import decode
from service.bus import EventBus
from service.database import reading, transaction
from service.documents.events import DocumentUploaded
from service.event_log import EventRow, last_events, shown
from service.events import Event, origin
from service.outbox import Relay, emit
from service.queue.events import (
    BackgroundTaskCompleted,
    BackgroundTaskFailed,
    BackgroundTaskRetry,
    BackgroundTaskStarted,
)
from service.queue.link import BrokerAway
from service.queue.requeue import TaskRequeued
from service.resources.events import ResourceUpdated
from service.settings import Settings, settings
from tests.queue.conftest import until

pytestmark = pytest.mark.integration

SOMEBODY = UUID(int=7)


async def sent(dispatches: Sequence[Any]) -> None: ...


async def quiet() -> None: ...


@pytest.fixture
async def store(pharos: Settings) -> AsyncIterator["redis.asyncio.Redis"]:
    async with queue.connected(), redis.asyncio.Redis.from_url(pharos.broker_url or "") as client:
        yield client


def relay(ring: Any = quiet) -> Relay:
    return Relay(EventBus(), lambda envelope: (), sent, ring)


def updated() -> ResourceUpdated:
    return ResourceUpdated(resource_id=uuid4(), changed_fields=["tags"], user_id=None)


async def carry(*events: Event, audience: UUID | None = None) -> list[UUID]:
    async with transaction() as session:
        ids = [emit(session, event, audience=audience) for event in events]
    while await relay().drain():
        pass
    return ids


async def told(store: "redis.asyncio.Redis") -> list[BroadcastEvent]:
    return [decode(fields[b"event"], outside=False) for _, fields in await store.xrange(STREAM)]


async def test_an_event_is_told_as_the_history_shows_it(store: "redis.asyncio.Redis") -> None:
    forwarder = Forwarder()
    await forwarder.forward()  # Redis is empty: from now on
    async with store.pubsub() as channels:
        await channels.psubscribe("pharos_events:*")
        await channels.get_message(timeout=5)
        with origin("request-7", uuid4()):
            await carry(updated())
        assert await forwarder.forward() == 1
        message = await channels.get_message(timeout=5)
    assert message is not None
    assert message["channel"] == b"pharos_events:resource.updated"
    async with reading() as session:
        [row] = await last_events(session, 10)
    expected = shown(row) | {"audience": None}
    assert orjson.loads(message["data"]) == orjson.loads(orjson.dumps(expected, default=str, option=orjson.OPT_UTC_Z))
    [event] = await told(store)
    assert (event.event_id, event.correlation_id, event.source) == (str(row.id), "request-7", "pharos")


async def test_the_relay_wakes_it_and_everything_arrives_in_order(store: "redis.asyncio.Redis") -> None:
    heard: list[str] = []
    consumer = EventConsumer(settings().broker_url)
    consumer.subscribe("resource.*", lambda event: heard.append(event.event_id))
    async with forwarding.forwarding(quiet) as ring, relay(ring).running(), consumer:
        await until(lambda: store.exists(forwarding.POSITION))
        ids: list[UUID] = []
        for _ in range(12):
            async with transaction() as session:
                ids += [emit(session, updated(), audience=None) for _ in range(100)]
        await until(lambda: len(heard) == 1200)
    assert heard == list(map(str, ids))
    assert [event.event_id for event in await told(store)] == heard


async def test_several_processes_tell_each_event_once(store: "redis.asyncio.Redis") -> None:
    forwarders = [Forwarder() for _ in range(4)]
    await forwarders[0].forward()
    ids: list[UUID] = []

    async def on(forwarder: Forwarder) -> None:
        while await store.xlen(STREAM) < 1500:
            await forwarder.forward()

    async def write() -> None:
        for _ in range(30):
            ids.extend(await carry(*[updated() for _ in range(50)]))

    async with asyncio.timeout(60):
        await asyncio.gather(write(), *map(on, forwarders))
    assert [event.event_id for event in await told(store)] == list(map(str, ids))


async def test_while_redis_is_away_the_relay_goes_on_and_nothing_is_left_out(
    store: "redis.asyncio.Redis", monkeypatch: pytest.MonkeyPatch
) -> None:
    there = settings().broker_url
    assert there is not None
    await Forwarder().forward()
    heard: list[str] = []
    consumer = EventConsumer(there)
    consumer.subscribe_to_all_events(lambda event: heard.append(event.event_id))
    monkeypatch.setenv("PHAROS_BROKER_URL", "redis://127.0.0.1:1/0")
    settings.cache_clear()
    with pytest.raises(BrokerAway):
        await Forwarder().forward()
    async with consumer, forwarding.forwarding(quiet) as ring, relay(ring).running():
        async with transaction() as session:
            ids = [emit(session, updated(), audience=None) for _ in range(700)]

        async def logged() -> bool:
            async with reading() as session:
                return len(await last_events(session, 1000)) == 700

        await until(logged)
        assert heard == []
        monkeypatch.setenv("PHAROS_BROKER_URL", there)
        settings.cache_clear()
        await until(lambda: len(heard) == 700)
    assert heard == list(map(str, ids))


async def test_what_a_process_left_that_ended_after_its_commit_is_told_by_another(
    store: "redis.asyncio.Redis", monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(forwarding, "POLL", 0.05)
    await Forwarder().forward()
    async with forwarding.forwarding(quiet):
        ids = await carry(updated())  # by a relay that wakes nobody
        await until(lambda: store.xlen(STREAM))
    assert [event.event_id for event in await told(store)] == list(map(str, ids))


async def test_an_emptied_redis_gets_the_last_hour_back_and_only_durable_readers_hear_of_it(
    store: "redis.asyncio.Redis", monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(forwarding, "BATCH", 40)
    old = await carry(updated())
    async with transaction() as session:
        await session.execute(text("UPDATE events SET timestamp = now() - interval '2 hours'"))
    ids = await carry(*[updated() for _ in range(100)])
    while await Forwarder().forward():
        pass
    await store.flushdb()
    async with store.pubsub() as channels:
        await channels.psubscribe("pharos_events:*")
        await channels.get_message(timeout=5)
        while await Forwarder().forward():
            pass
        ids += await carry(updated())
        assert await Forwarder().forward() == 1
        message = await channels.get_message(timeout=5)
    assert message is not None
    assert orjson.loads(message["data"])["id"] == str(ids[-1])
    events = [event.event_id for event in await told(store)]
    assert events == list(map(str, ids))
    assert str(old[0]) not in events


async def test_not_more_than_so_many_come_back(store: "redis.asyncio.Redis", monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forwarding, "RECALLED_MOST", 30)
    ids = await carry(*[updated() for _ in range(100)])
    while await Forwarder().forward():
        pass
    assert [event.event_id for event in await told(store)] == list(map(str, ids[-30:]))


async def test_a_database_that_is_an_older_one_is_followed_again(store: "redis.asyncio.Redis") -> None:
    await carry(updated())
    await Forwarder().forward()
    await store.set(forwarding.POSITION, 10**15)
    ids = await carry(updated())
    while await Forwarder().forward():
        pass
    assert (await told(store))[-1].event_id == str(ids[0])


async def test_an_emptied_log_is_no_reason_to_begin_anew(store: "redis.asyncio.Redis") -> None:
    await carry(updated())
    async with asyncio.timeout(10):
        while await Forwarder().forward():
            pass
        async with transaction() as session:
            await session.execute(delete(EventRow))
        while await Forwarder().forward():
            pass
    [id] = await carry(updated())
    while await Forwarder().forward():
        pass
    assert (await told(store))[-1].event_id == str(id)


async def test_the_stream_is_bounded(store: "redis.asyncio.Redis", monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PHAROS_EVENTS_BROADCAST_KEPT", "200")
    settings.cache_clear()
    await Forwarder().forward()
    await carry(*[updated() for _ in range(1000)])
    while await Forwarder().forward():
        pass
    assert 200 <= await store.xlen(STREAM) < 400  # Redis cuts whole nodes of a hundred


async def test_a_private_event_names_who_may_see_it(store: "redis.asyncio.Redis") -> None:
    await Forwarder().forward()
    uploaded = DocumentUploaded(resource_id=uuid4(), document_id=uuid4(), user_id=SOMEBODY, filename="a.pdf", size=7)
    await carry(uploaded, audience=SOMEBODY)
    await Forwarder().forward()
    [event] = await told(store)
    assert (event.audience, event.user_id, event.document_id) == (
        str(SOMEBODY), str(SOMEBODY), str(uploaded.document_id)
    )  # fmt: skip


async def test_the_arguments_of_requeued_tasks_stay_inside(store: "redis.asyncio.Redis") -> None:
    await Forwarder().forward()
    requeued = TaskRequeued(
        letter_id=uuid4(), task="t", queue="default", arguments={"secret": "canary"}, positional=[], options={}
    )
    await carry(requeued, updated(), audience=SOMEBODY)
    assert await Forwarder().forward() == 2
    assert [event.event_type for event in await told(store)] == ["resource.updated"]


TASK = {"task_id": "t", "task_name": "ingest_resource", "queue": "documents", "attempts": 1}


async def test_of_a_persons_task_its_status_is_told_without_a_row_of_its_own(store: "redis.asyncio.Redis") -> None:
    await Forwarder().forward()
    mine = [
        BackgroundTaskStarted(**TASK),
        BackgroundTaskRetry(**TASK, error="away", delay_seconds=3),
        BackgroundTaskCompleted(**TASK, duration_seconds=1.5),
        BackgroundTaskFailed(**TASK, error="broken", reason="permanent"),
        BackgroundTaskFailed(**TASK, error="cancelled", reason="cancelled"),
    ]
    ids = await carry(*mine, audience=SOMEBODY)
    await carry(BackgroundTaskFailed(**TASK, error="ValueError", reason="permanent"))  # nobody asked for it
    assert await Forwarder().forward() == 6
    events = [event for event in await told(store) if event.event_type == "task.status.update"]
    assert [(event.status, event.progress, event.message) for event in events] == [
        ("started", 0, ""), ("retrying", None, "away"), ("completed", 100, ""), ("failed", None, "broken"),
        ("cancelled", None, "cancelled"),
    ]  # fmt: skip
    assert {(event.task_id, event.task_type, event.user_id, event.audience) for event in events} == {
        ("t", "ingest_resource", str(SOMEBODY), str(SOMEBODY))
    }
    assert [event.cause for event in events] == list(map(str, ids))
    async with reading() as session:
        assert {row.name for row in await last_events(session, 100)} == {event.name for event in mine}
    first = [event.event_id for event in events]
    await store.flushdb()
    await Forwarder().forward()
    events = [event for event in await told(store) if event.event_type == "task.status.update"]
    assert [event.event_id for event in events] == first  # a repeat is recognised


async def test_nothing_from_outside_enters_pharos(store: "redis.asyncio.Redis") -> None:
    """Not even where it says that it concerns an account or a task, or comes from Pharos."""
    heard: list[BroadcastEvent] = []
    bus = EventBus()
    bus.on(Event, lambda envelope: heard.append(envelope))
    url = settings().broker_url
    carrier = Relay(bus, lambda envelope: (), sent, quiet)
    with EventPublisher(url) as publisher:
        async with forwarding.forwarding(quiet) as ring:
            carrier.ring = ring
            publisher.publish_user_notification(SOMEBODY, "Hello", "there")
            publisher.publish_task_completed("t", SOMEBODY, "ingest_resource")
            publisher.publish_document_uploaded(SOMEBODY, uuid4(), "a.pdf", 1)
            await until(lambda: store.xlen(OUTSIDE))
            async with transaction() as session:
                emit(session, updated(), audience=None)
            while await carrier.drain():
                pass
            await until(lambda: store.xlen(STREAM))
    async with reading() as session:
        assert [row.name for row in await last_events(session, 100)] == ["resource.updated"]
    assert [event.event_type for event in await told(store)] == ["resource.updated"]
    assert len(heard) == 1
