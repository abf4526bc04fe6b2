"""The event bus: who is called, in which order, and what a bad listener costs the others."""

import asyncio
from uuid import uuid4

import pytest
from structlog.testing import capture_logs

from service.bus import EventBus, Handler
from service.events import Envelope, Event, current_origin
from service.hooks import HOOKS, On, Table
from service.ingestion.events import IngestionStarted
from service.queue.task import Dispatch, Task
from service.resources.events import ResourceContentChanged, ResourceDeleted, ResourceUpdated
from service.tasks import EMBED, INDEX, INGEST, INVALIDATE


def updated(title: str = "x") -> Envelope:
    event = ResourceUpdated(resource_id=uuid4(), changed_fields=[title], user_id=None)
    return Envelope(event, correlation_id="request-1")


async def test_sync_and_async_listeners_are_called_in_order_of_registration() -> None:
    bus, heard = EventBus(), []

    async def second(envelope: Envelope) -> None:
        await asyncio.sleep(0)
        heard.append(2)

    bus.on(ResourceUpdated, lambda envelope: heard.append(1))
    bus.on(ResourceUpdated, second)
    bus.on(Event, lambda envelope: heard.append(3))
    bus.on(ResourceDeleted, lambda envelope: heard.append(4))
    await bus.emit(updated())
    assert heard == [1, 2, 3]


async def test_off_and_get_listeners() -> None:
    bus = EventBus()

    def one(envelope: Envelope) -> None: ...
    def all_of_them(envelope: Envelope) -> None: ...

    bus.on(ResourceUpdated, one)
    bus.on(ResourceUpdated, one)
    bus.on(Event, all_of_them)
    assert bus.get_listeners(ResourceUpdated) == [one, all_of_them]
    bus.off(ResourceUpdated, one)
    bus.off(ResourceUpdated, one)
    assert bus.get_listeners(ResourceUpdated) == [all_of_them]


def breaks(envelope: Envelope) -> None:
    raise ValueError("no")


async def breaks_at_once(envelope: Envelope) -> None:
    raise ValueError("no")


async def breaks_later(envelope: Envelope) -> None:
    await asyncio.sleep(0)
    raise ValueError("no")


@pytest.mark.parametrize("broken", [breaks, breaks_at_once, breaks_later])
async def test_a_failing_listener_is_counted_and_logged_and_costs_the_others_nothing(broken: Handler) -> None:
    bus, heard = EventBus(), []
    bus.on(ResourceUpdated, broken)
    bus.on(ResourceUpdated, heard.append)
    with capture_logs() as logs:
        await bus.emit(updated())
    assert len(heard) == 1
    assert bus.statistics[broken].failures == 1
    assert "ValueError" in logs[0]["error"]


async def test_a_hanging_listener_is_cut_off() -> None:
    bus, heard = EventBus(limit=0.05), []

    async def hangs(envelope: Envelope) -> None:
        await asyncio.Event().wait()

    bus.on(ResourceUpdated, hangs)
    bus.on(ResourceUpdated, heard.append)
    with capture_logs() as logs:
        await bus.emit(updated())
    assert len(heard) == 1
    assert bus.statistics[hangs].failures == 1
    assert logs[0]["event"] == "listener failed"


async def test_a_listener_that_waits_again_and_again_runs_to_its_end_before_the_next_is_called() -> None:
    bus, heard = EventBus(), []

    async def waits(envelope: Envelope) -> None:
        for number in range(3):
            await asyncio.sleep(0)
            await asyncio.sleep(0.001)
            heard.append(number)

    bus.on(ResourceUpdated, waits)
    bus.on(ResourceUpdated, lambda envelope: heard.append("next"))
    await bus.emit(updated())
    assert heard == [0, 1, 2, "next"]
    assert bus.statistics[waits].failures == 0


async def test_what_is_awaited_may_be_no_coroutine() -> None:
    bus, heard = EventBus(limit=0.05), []

    def later(envelope: Envelope) -> asyncio.Future[None]:
        future = asyncio.get_running_loop().create_future()
        asyncio.get_running_loop().call_soon(future.set_result, None)
        future.add_done_callback(heard.append)
        return future

    def never(envelope: Envelope) -> asyncio.Future[None]:
        return asyncio.get_running_loop().create_future()

    bus.on(ResourceUpdated, later)
    bus.on(ResourceUpdated, never)
    with capture_logs():
        await bus.emit(updated())
    assert len(heard) == 1
    assert (bus.statistics[later].failures, bus.statistics[never].failures) == (0, 1)


async def test_a_listener_that_is_cut_off_can_still_clean_up() -> None:
    bus, heard = EventBus(limit=0.05), []

    async def hangs(envelope: Envelope) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            heard.append("cleaned up")

    bus.on(ResourceUpdated, hangs)
    with capture_logs() as logs:
        await bus.emit(updated())
    assert heard == ["cleaned up"]
    assert "TimeoutError" in logs[0]["error"]


async def test_whoever_cancels_the_emitter_cancels_the_listener_that_it_waits_for() -> None:
    bus, heard, started = EventBus(), [], asyncio.Event()

    async def hangs(envelope: Envelope) -> None:
        started.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            heard.append("cancelled")
            raise

    bus.on(ResourceUpdated, hangs)
    bus.on(ResourceUpdated, heard.append)
    emitting = asyncio.create_task(bus.emit(updated()))
    await started.wait()
    emitting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await emitting
    assert heard == ["cancelled"]


async def test_over_a_tenth_of_a_second_counts_as_slow() -> None:
    bus = EventBus()

    async def slow(envelope: Envelope) -> None:
        await asyncio.sleep(0.11)

    bus.on(ResourceUpdated, slow)
    with capture_logs() as logs:
        await bus.emit(updated())
    assert bus.statistics[slow].slow == 1
    assert logs[0]["event"] == "slow listener"


async def test_listeners_run_after_the_tasks_were_sent_and_know_the_cause() -> None:
    bus, order = EventBus(), []
    envelope = updated()

    async def send(dispatches: list[Dispatch]) -> None:
        order.append([dispatch.task for dispatch in dispatches])

    bus.on(ResourceUpdated, lambda _: order.append(current_origin()))
    await bus.publish([envelope], Table(HOOKS).route, send)
    assert order[0] == [INDEX, INVALIDATE]
    assert (order[1].correlation_id, order[1].cause) == ("request-1", envelope.id)


async def test_where_sending_fails_no_listener_was_called() -> None:
    bus, heard = EventBus(), []

    async def send(dispatches: list[Dispatch]) -> None:
        raise ConnectionError("away")

    bus.on(ResourceUpdated, heard.append)
    with pytest.raises(ConnectionError):
        await bus.publish([updated()], Table(HOOKS).route, send)
    assert heard == []


def test_a_row_with_a_condition_is_skipped_where_it_does_not_hold() -> None:
    table = Table([On(ResourceUpdated, INDEX, when=lambda event: event.changed_fields == ["title"])])
    assert len(list(table.route(updated("title")))) == 1
    assert list(table.route(updated("tags"))) == []


def test_keys_make_one_task_for_each_value() -> None:
    recenter = Task("recenter", INDEX.queue, 0, 10, "collection_id")
    table = Table([On(ResourceDeleted, recenter, 5, 30, keys="collection_ids")])
    ids = [uuid4(), uuid4()]
    gone = Envelope(ResourceDeleted(resource_id=uuid4(), title="x", collection_ids=ids), correlation_id="c")
    dispatches = list(table.route(gone))
    assert [dispatch.arguments for dispatch in dispatches] == [{"collection_id": str(id)} for id in ids]
    assert len({dispatch.message_id for dispatch in dispatches}) == 2


def test_functions_in_the_table_listen_on_the_bus() -> None:
    bus = EventBus()

    def forget(envelope: Envelope) -> None: ...

    Table([On(ResourceUpdated, forget)]).listen(bus)
    assert bus.get_listeners(ResourceUpdated) == [forget]


def test_the_contract_of_the_seeds_stands_in_the_table() -> None:
    """Queue, priority, retries and delay, as the design's contract says them."""
    rows = {(row.event, row.run): row for row in HOOKS}
    embed, index = rows[ResourceContentChanged, EMBED], rows[ResourceUpdated, INDEX]
    assert (embed.after, EMBED.queue.name, EMBED.queue.priority, EMBED.retries) == (5, "high_priority", 7, 3)
    assert (index.after, INDEX.queue.name, INDEX.queue.priority, INDEX.retries) == (1, "urgent", 9, 3)
    assert (rows[IngestionStarted, INGEST].after, INGEST.queue.name, INGEST.queue.priority) == (0, "documents", 5)
