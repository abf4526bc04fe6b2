"""The outbox: what commits is carried on, once where it can be, again where it must be."""

import asyncio
from collections.abc import Sequence
from uuid import UUID, uuid4

import pytest
from sqlalchemy import func, select, text
from structlog.testing import capture_logs

from service.bus import EventBus
from service.database import reading, transaction
from service.errors import Unavailable
from service.event_log import EventRow, history
from service.events import Envelope, Event, origin
from service.outbox import OutboxRow, Relay, backlog, emit, envelope_of
from service.queue.task import Dispatch
from service.search.events import SearchIndexStale

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("pharos")]


class Sent:
    """Stands where the queue would: remembers what was sent, or refuses."""

    def __init__(self) -> None:
        self.batches: list[list[Dispatch]] = []
        self.away = False

    async def __call__(self, dispatches: list[Dispatch]) -> None:
        if self.away:
            raise Unavailable("the broker is away")
        self.batches.append(list(dispatches))

    @property
    def message_ids(self) -> list[UUID]:
        return [dispatch.message_id for batch in self.batches for dispatch in batch]


async def quiet() -> None: ...


def relay(sent: Sent, bus: EventBus | None = None) -> Relay:
    def route(envelope: Envelope) -> list[Dispatch]:
        from service.hooks import TABLE

        return list(TABLE.route(envelope))

    return Relay(bus or EventBus(), route, sent, quiet)


async def change(count: int = 1, audience: UUID | None = None) -> list[UUID]:
    async with transaction() as session:
        return [emit(session, SearchIndexStale(resource_id=uuid4()), audience=audience) for _ in range(count)]


async def waiting() -> int:
    async with reading() as session:
        return (await backlog(session))[0]


async def test_events_commit_with_the_change_or_not_at_all() -> None:
    async def fails() -> None:
        async with transaction() as session:
            emit(session, SearchIndexStale(resource_id=uuid4()), audience=None)
            raise RuntimeError("the change fails")

    with pytest.raises(RuntimeError):
        await fails()
    assert await waiting() == 0
    await change()
    assert await waiting() == 1


async def test_an_event_is_sent_then_logged_and_leaves_the_outbox() -> None:
    sent = Sent()
    (event_id,) = await change()
    assert await relay(sent).drain() == 1
    assert len(sent.message_ids) == 1
    assert await waiting() == 0
    async with reading() as session:
        assert await session.scalar(select(EventRow.id)) == event_id


async def test_the_log_keeps_the_order_of_a_transaction_and_where_it_came_from() -> None:
    cause = uuid4()
    with origin("request-7", cause, bulk=True):
        ids = await change(50)
    await relay(Sent()).drain()
    async with reading() as session:
        rows = await history(session, uuid4(), limit=1000)
    assert [row.id for row in rows] == ids
    assert {(row.correlation_id, row.cause, row.bulk) for row in rows} == {("request-7", cause, True)}


async def test_while_the_broker_is_away_events_wait_and_nobody_hears_of_them() -> None:
    sent, heard = Sent(), []
    bus = EventBus()
    bus.on(Event, heard.append)
    carrier = relay(sent, bus)
    await change(3)
    sent.away = True
    with pytest.raises(Unavailable):
        await carrier.drain()
    assert (await waiting(), heard) == (3, [])
    sent.away = False
    assert await carrier.drain() == 3
    assert len(heard) == 3


async def test_a_batch_repeated_after_a_crash_asks_for_the_same_messages() -> None:
    """The crash: everything was sent, the batch was not settled, the lease runs out."""
    first, second = Sent(), Sent()
    await change(2)

    class Crash(Exception): ...

    async def crash(batch: list[Dispatch]) -> None:
        await first(batch)
        raise Crash

    with pytest.raises(Crash):
        await Relay(EventBus(), relay(first).route, crash, quiet).drain()
    await relay(second).drain()
    assert first.message_ids == second.message_ids
    async with reading() as session:
        assert await session.scalar(select(func.count()).select_from(EventRow)) == 2


async def test_a_leased_batch_is_left_alone_until_the_lease_is_over() -> None:
    await change()
    async with transaction() as session:
        await session.execute(text("UPDATE outbox SET claimed_until = now() + interval '15 seconds'"))
    assert await relay(Sent()).drain() == 0
    async with transaction() as session:
        await session.execute(text("UPDATE outbox SET claimed_until = now() - interval '1 second'"))
    assert await relay(Sent()).drain() == 1


async def test_two_relays_share_the_work_without_sending_twice() -> None:
    one, two = Sent(), Sent()
    await change(300)
    await asyncio.gather(relay(one).drain(), relay(two).drain(), relay(one).drain(), relay(two).drain())
    while await waiting():
        await relay(one).drain()
    ids = one.message_ids + two.message_ids
    assert len(ids) == len(set(ids)) == 300


async def test_a_commit_wakes_the_relay_of_its_process() -> None:
    sent = Sent()
    async with relay(sent).running():
        await asyncio.sleep(0)  # the relay looks once, and sleeps
        await change()
        async with asyncio.timeout(0.9):
            while len(sent.message_ids) < 1:
                await asyncio.sleep(0.01)
    assert len(sent.message_ids) == 1


async def test_an_error_that_nobody_foresaw_ends_no_relay(monkeypatch: pytest.MonkeyPatch) -> None:
    sent, errors = Sent(), 0

    async def mistaken(dispatches: Sequence[Dispatch]) -> None:
        nonlocal errors
        errors += 1
        if errors < 3:
            raise ValueError("a mistake")
        await sent(list(dispatches))

    monkeypatch.setattr("service.outbox.POLL", 0.05)
    one = relay(sent)
    one.send = mistaken
    with capture_logs() as logs:
        async with one.running():
            await change()
            async with asyncio.timeout(5):
                while await waiting():
                    await asyncio.sleep(0.01)
    assert len(sent.message_ids) == 1
    told = [(entry["log_level"], entry["error"]) for entry in logs if entry["event"] == "relay waits"]
    assert told == [("critical", "a mistake")] * 2


async def test_private_events_are_for_their_owner_only() -> None:
    owner = uuid4()
    await change(1, audience=owner)
    await relay(Sent()).drain()
    async with reading() as session:
        assert len(await history(session, owner)) == 1
        assert len(await history(session, uuid4())) == 0


async def test_an_event_of_an_unknown_kind_is_logged_and_blocks_nothing() -> None:
    sent = Sent()
    await change()
    async with transaction() as session:
        await session.execute(text("UPDATE outbox SET name = 'resource.from_the_future'"))
    await change()
    assert await relay(sent).drain() == 2
    assert len(sent.message_ids) == 1
    assert await waiting() == 0


async def test_what_was_committed_is_validated_when_it_is_read() -> None:
    (event_id,) = await change()
    async with reading() as session:
        row = (await session.execute(select(OutboxRow.__table__))).mappings().one()
    assert envelope_of(row).id == event_id
