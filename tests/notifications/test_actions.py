"""A row for each cause and person, grouped, as people want it, and gone when it is old."""

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import func, select, text

from service.bus import bus
from service.database import reading, transaction
from service.event_log import EventRow
from service.hooks import TABLE
from service.notifications import actions, preferences
from service.notifications.concerned import Facts
from service.notifications.listening import notify
from service.notifications.tables import NotificationCause
from service.outbox import Relay, emit
from service.quality.events import QualityDegraded
from service.queue.task import Dispatch
from service.security.accounts import Account
from tests.notifications.conftest import DAY, emitted, facts, happened, of
from tests.search.conftest import add

pytestmark = pytest.mark.integration


async def ready(account: Account, title: str, at: datetime = DAY) -> Facts:
    id = await add(account, title, f"All about {title}.")
    return facts("indexing.completed", account.id, at, document_id=uuid4(), resource_id=id, user_id=account.id)


async def test_one_cause_is_told_once(ada: Account) -> None:
    event = await ready(ada, "Lenses")
    await happened(event, event)
    await asyncio.gather(*(happened(event) for _ in range(4)))
    assert [told["count"] for told in await of(ada)] == [1]
    [told] = await emitted()
    assert (told.audience, told.data["user_id"], told.data["kind"]) == (ada.id, str(ada.id), "document_ready")
    assert (told.data["title"], told.subject) == ("“Lenses” is ready", UUID(told.data["notification_id"]))


async def test_a_deleted_one_is_not_told_again(ada: Account) -> None:
    event = await ready(ada, "Lenses")
    await happened(event)
    async with transaction() as session:
        await actions.remove(session, ada, (await of(ada))[0]["id"])
    await happened(event)
    assert await of(ada) == []


async def test_many_at_once_are_one_row_with_a_count(ada: Account, ben: Account) -> None:
    events = [await ready(ada, f"Book {number}") for number in range(12)]
    await asyncio.gather(*(happened(event) for event in events), happened(await ready(ben, "Other")))
    [told] = await of(ada)
    assert (told["count"], told["title"], told["link"]) == (12, "12 documents are ready", "/ui/")
    assert told["message"].startswith("“Book ")
    assert told["message"].endswith("” and 9 more")
    assert [one["count"] for one in await of(ben)] == [1]
    counts = {row.data["title"] for row in await emitted() if row.audience == ada.id}
    assert len(counts) == 12


async def test_what_is_read_does_not_grow(ada: Account) -> None:
    await happened(await ready(ada, "Lenses"))
    async with transaction() as session:
        await actions.mark_read(session, ada, (await of(ada))[0]["id"])
    await happened(await ready(ada, "Ships"), await ready(ada, "Tides"))
    newest, oldest = await of(ada)
    assert (oldest["title"], oldest["read"], newest["count"], newest["read"]) == ("“Lenses” is ready", True, 2, False)


async def test_another_day_is_another_row(ada: Account) -> None:
    await happened(await ready(ada, "Lenses"), await ready(ada, "Ships", DAY + timedelta(days=1)))
    assert [told["count"] for told in await of(ada)] == [1, 1]


async def test_what_somebody_does_not_want_is_not_told_later_either(ada: Account) -> None:
    event = await ready(ada, "Lenses")
    for wanted in (False, True):
        async with transaction() as session:
            await preferences.write(session, ada, {"document_ready": wanted})
        await happened(event)
    assert await of(ada) == []
    assert await emitted() == []
    await happened(await ready(ada, "Ships"))
    assert len(await of(ada)) == 1


async def test_old_ones_are_cut_when_they_were_read(ada: Account) -> None:
    for title in ("Old and read", "Read", "Old"):
        await happened(await ready(ada, title, DAY + timedelta(days=len(title))))
    async with transaction() as session:
        for id in [told["id"] for told in await of(ada) if "ead" in told["title"].split("”")[0][1:]]:
            await actions.mark_read(session, ada, id)
        old = "UPDATE notifications SET updated_at = now() - interval '91 days', read_at = read_at - interval '91 days'"
        await session.execute(text(f"{old} WHERE names[1] LIKE 'Old%'"))
        await session.execute(text("UPDATE notification_causes SET told_at = now() - interval '91 days'"))
    async with transaction() as session:
        assert await actions.cut(session) == 1
    assert {told["title"] for told in await of(ada)} == {"“Read” is ready", "“Old” is ready"}
    async with reading() as session:
        assert await session.scalar(select(func.count()).select_from(NotificationCause)) == 0


async def logged(name: str, age: timedelta, **data: object) -> UUID:
    async with transaction() as session:
        row = EventRow(
            id=uuid4(), name=name, version=1, data=data, priority=50, correlation_id="c", cause=None, audience=None,
            subject=None, bulk=False, timestamp=datetime.now(UTC) - age,
        )  # fmt: skip
        session.add(row)
    return row.id


async def test_what_the_listeners_missed_is_found_in_the_log_once(ada: Account) -> None:
    id = str(await add(ada, "Lenses", "Glass bends light."))
    fell = {"resource_id": id, "score": 0.4, "previous": 0.7}
    await logged("quality.degraded", timedelta(minutes=5), **fell)
    await logged("quality.degraded", timedelta(seconds=5), **fell)  # its listener may still be at it
    await logged("quality.degraded", timedelta(hours=3), **fell)
    await logged("quality.degraded", timedelta(minutes=5), **fell | {"resource_id": str(uuid4())})  # concerns nobody
    for found in (1, 0):
        async with transaction() as session:
            assert await actions.tell_missed(session) == found
    assert [told["count"] for told in await of(ada)] == [1]
    async with reading() as session:
        assert await session.scalar(select(func.count()).select_from(NotificationCause)) == 2


async def test_the_bus_tells_of_what_is_committed(ada: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    """From an event through the relay to the event of its notification, which has the first as its cause."""
    id = await add(ada, "Lenses", "Glass bends light.")
    async with transaction() as session:
        cause = emit(session, QualityDegraded(resource_id=id, score=0.4, previous=0.7), audience=None)

    async def nowhere(dispatches: object) -> None: ...

    async def silent() -> None: ...

    def route(envelope: object) -> list[Dispatch]:
        return []

    TABLE.listen(bus)
    assert notify in bus.get_listeners(QualityDegraded)
    relay = Relay(bus, route, nowhere, silent)
    while await relay.drain():
        pass
    assert [told["title"] for told in await of(ada)] == ["“Lenses” lost quality"]
    async with reading() as session:
        [event] = await session.scalars(select(EventRow).where(EventRow.name == "user.notification"))
    assert (event.cause, event.audience) == (cause, ada.id)
