"""One attempt after the other, against receivers that behave and receivers that do not."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import orjson
import pytest
from sqlalchemy import func, select, text, update

from service.database import reading, transaction
from service.event_log import EventRow
from service.events import Envelope, Event
from service.notifications.listening import notify
from service.notifications.tables import Notification
from service.outbox import OutboxRow
from service.queue.events import BackgroundTaskFailed
from service.resources.events import ResourceCreated
from service.security.accounts import Account
from service.security.egress import Limits
from service.webhooks import actions, delivering
from service.webhooks.delivering import PAUSES, GivenUp, NotDelivered
from service.webhooks.events import WebhookChanged, WebhookDisabled
from service.webhooks.listening import offer
from service.webhooks.offering import sweep
from service.webhooks.signing import signature
from service.webhooks.tables import Webhook, WebhookDelivery
from tests.webhooks.receiver import Receiver

pytestmark = pytest.mark.integration


async def hook(account: Account, url: str, *events: str) -> tuple[UUID, str]:
    async with transaction() as session:
        webhook, secret = await actions.create(session, account, url, events or ("resource.*",), None)
    return webhook.id, secret


def created(audience: UUID | None = None) -> Envelope:
    return Envelope.of(ResourceCreated(resource_id=uuid4(), title="A lamp", source="content"), audience)


async def rows(**where: Any) -> Sequence[WebhookDelivery]:
    async with reading() as session:
        found = select(WebhookDelivery).filter_by(**where).order_by(WebhookDelivery.created_at, WebhookDelivery.id)
        return (await session.scalars(found)).all()


async def the_row() -> WebhookDelivery:
    [row] = await rows()
    return row


async def run(delivery_id: UUID) -> None:
    """Do what the task does."""
    async with transaction() as session:
        taken = await delivering.take(session, delivery_id)
    if taken is None:
        return
    outcome = await delivering.send(taken)
    async with transaction() as session:
        await delivering.settle(session, taken, outcome)
    delivering.judge(taken, outcome)


async def let_pass(**of: Any) -> None:
    """Let the pause before the next attempt pass."""
    async with transaction() as session:
        await session.execute(update(WebhookDelivery).filter_by(**of).values(due_at=func.now() - timedelta(hours=1)))


async def test_an_event_arrives_signed(ada: Account, receiver: Receiver) -> None:
    id, secret = await hook(ada, receiver.url)
    event = created()
    await offer(event)
    row = await the_row()
    await run(row.id)
    [heard] = receiver.heard
    assert orjson.loads(heard.body) == {
        "id": str(event.id), "name": "resource.created", "version": 1, "data": event.event.model_dump(mode="json"),
        "timestamp": event.timestamp.isoformat().replace("+00:00", "Z"), "priority": int(event.event.priority),
        "correlation_id": event.correlation_id, "cause": None,
    }  # fmt: skip
    assert (heard.headers["x-pharos-event"], heard.headers["x-pharos-delivery"]) == ("resource.created", str(row.id))
    expected = signature(secret, heard.headers["x-pharos-timestamp"], heard.body)
    assert heard.headers["x-pharos-signature"] == expected
    row = await the_row()
    assert (row.status, row.attempts, row.response_code, row.error, row.webhook_id) == ("delivered", 1, 200, None, id)
    assert row.duration_ms is not None


async def test_an_event_is_delivered_once_however_often_it_is_carried(ada: Account, receiver: Receiver) -> None:
    await hook(ada, receiver.url)
    event = created()
    await offer(event)
    await offer(event)
    row = await the_row()
    await run(row.id)
    await run(row.id)
    assert len(receiver.heard) == 1


async def test_nobody_is_told_of_what_is_anothers(ada: Account, ben: Account, receiver: Receiver) -> None:
    hers, _ = await hook(ada, receiver.url, "*")
    his, _ = await hook(ben, receiver.url, "*")
    await offer(created(audience=ada.id))
    assert [row.webhook_id for row in await rows()] == [hers]
    await offer(created())
    assert {row.webhook_id for row in await rows()} == {hers, his}


@pytest.mark.parametrize(
    ("patterns", "told"),
    [
        (["resource.created"], True), (["resource.*"], True), (["*"], True),
        (["resource.updated", "resource.created"], True),
        (["resource.updated"], False), (["ingestion.*"], False),
    ],
)  # fmt: skip
async def test_only_what_is_subscribed_to(ada: Account, receiver: Receiver, patterns: list[str], told: bool) -> None:
    await hook(ada, receiver.url, *patterns)
    await offer(created())
    assert bool(await rows()) is told


async def test_deliveries_are_never_told_of(ada: Account, receiver: Receiver) -> None:
    id, _ = await hook(ada, receiver.url, "*")
    failed = {"task_id": "1", "queue": "batch", "attempts": 9, "error": "NotDelivered", "reason": "exhausted"}
    own: list[Event] = [
        WebhookChanged(webhook_id=id),
        WebhookDisabled(webhook_id=id, user_id=ada.id, reason="gone"),
        BackgroundTaskFailed(task_name="deliver_webhook", **failed),
    ]
    for event in own:
        await offer(Envelope.of(event))
    assert await rows() == []
    await offer(Envelope.of(BackgroundTaskFailed(task_name="another", **failed)))
    assert len(await rows()) == 1


async def test_500_then_200(ada: Account, receiver: Receiver) -> None:
    id, _ = await hook(ada, receiver.url)
    receiver.answers = [500, 200]
    await offer(created())
    row = await the_row()
    with pytest.raises(NotDelivered) as raised:
        await run(row.id)
    assert (raised.value.transient, raised.value.context["retry_after"]) == (True, PAUSES[0])
    row = await the_row()
    assert (row.status, row.response_code, row.attempts) == ("waiting", 500, 1)
    await run(row.id)  # too early: nothing is sent
    assert len(receiver.heard) == 1
    await let_pass()
    await run(row.id)
    row = await the_row()
    assert (row.status, row.response_code, row.attempts, row.error) == ("delivered", 200, 2, None)
    assert receiver.heard[0].body == receiver.heard[1].body
    async with reading() as session:
        webhook = await session.get_one(Webhook, id)
    assert webhook.failures == 0


async def test_after_about_a_day_it_is_given_up(ada: Account, receiver: Receiver) -> None:
    await hook(ada, receiver.url)
    receiver.answers = [503]
    await offer(created())
    row = await the_row()
    for _ in PAUSES:
        with pytest.raises(NotDelivered):
            await run(row.id)
        await let_pass()
    with pytest.raises(GivenUp):
        await run(row.id)
    row = await the_row()
    assert (row.status, row.attempts) == ("failed", len(PAUSES) + 1)
    assert 20 * 3600 < sum(PAUSES) < 26 * 3600


async def test_a_slow_one_is_not_waited_for(ada: Account, receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delivering, "LIMITS", Limits(connect=5, total=0.2))
    await hook(ada, receiver.url)
    receiver.slow = True
    await offer(created())
    with pytest.raises(NotDelivered, match=r"within 0\.2 s"):
        await run((await the_row()).id)
    assert (await the_row()).status == "waiting"


async def test_one_that_hangs_up_half_way_has_not_been_told(ada: Account, receiver: Receiver) -> None:
    await hook(ada, receiver.url)
    receiver.broken = True
    await offer(created())
    with pytest.raises(NotDelivered):
        await run((await the_row()).id)


async def test_a_redirect_is_not_followed(ada: Account, receiver: Receiver) -> None:
    await hook(ada, receiver.url)
    receiver.answers, receiver.headers = [302], {"Location": "http://169.254.169.254/latest/meta-data"}
    await offer(created())
    with pytest.raises(NotDelivered, match="redirect"):
        await run((await the_row()).id)
    assert len(receiver.heard) == 1
    assert (await the_row()).response_code == 302


async def test_an_address_that_became_private_is_not_reached(
    ada: Account, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    await hook(ada, receiver.url)
    await offer(created())
    monkeypatch.setenv("PHAROS_EGRESS_ALLOW", "")
    from service.settings import settings

    settings.cache_clear()
    with pytest.raises(GivenUp):
        await run((await the_row()).id)
    row = await the_row()
    assert (row.status, receiver.heard) == ("failed", [])
    assert "PHAROS_EGRESS_ALLOW" in (row.error or "")


async def disabled() -> tuple[bool, str | None]:
    async with reading() as session:
        [webhook] = (await session.scalars(select(Webhook))).all()
    return webhook.enabled_at is None, webhook.disabled_reason


async def test_410_switches_it_off_and_tells_its_owner(ada: Account, receiver: Receiver) -> None:
    await hook(ada, receiver.url)
    receiver.answers = [410]
    await offer(created())
    await offer(created())
    first, second = await rows()
    await run(first.id)
    off, reason = await disabled()
    assert off
    assert "410" in (reason or "")
    await run(second.id)  # what waited is not sent any more
    assert len(receiver.heard) == 1
    assert {row.status for row in await rows()} == {"failed"}
    async with reading() as session:
        [told] = (await session.scalars(select(OutboxRow).where(OutboxRow.name == "webhook.disabled"))).all()
    assert told.audience == ada.id
    await notify(Envelope(Event.registry[told.name].model_validate(told.data), "x", None, told.audience, id=told.id))
    async with reading() as session:
        [notification] = (await session.scalars(select(Notification))).all()
    assert (notification.kind, notification.user_id) == ("webhook_disabled", ada.id)
    assert "/hook" not in notification.names[0]  # an address may hold a secret


async def test_twenty_failures_in_a_row_switch_it_off(ada: Account, receiver: Receiver) -> None:
    id, _ = await hook(ada, receiver.url)
    receiver.answers = [500]
    async with transaction() as session:
        await session.execute(update(Webhook).values(failures=delivering.MOST_FAILURES - 2))
    for expected in (False, True):
        await offer(created())
        [row] = await rows(status="waiting", attempts=0)
        with pytest.raises(NotDelivered):
            await run(row.id)
        assert (await disabled())[0] is expected
    async with transaction() as session:
        webhook = await actions.change(session, ada, id, {"enabled": True})
    assert (webhook.failures, webhook.disabled_reason) == (0, None)


async def test_the_sweep_asks_again_for_what_redis_lost(ada: Account, receiver: Receiver) -> None:
    await hook(ada, receiver.url)
    await offer(created())
    async with transaction() as session:
        await session.execute(text("DELETE FROM outbox"))  # carried, and the queue emptied then
    async with transaction() as session:
        assert (await sweep(session))["webhooks_undelivered"] == 0  # a moment ago: it is surely on its way
    await let_pass()
    async with transaction() as session:
        assert (await sweep(session))["webhooks_undelivered"] == 1
    async with reading() as session:
        [told] = (await session.scalars(select(OutboxRow))).all()
    assert told.name == "webhook.delivery_requested"
    assert told.data["delivery_id"] == str((await the_row()).id)


async def test_the_sweep_finds_what_no_listener_heard(ada: Account, ben: Account, receiver: Receiver) -> None:
    hers, _ = await hook(ada, receiver.url)
    await hook(ben, receiver.url)
    async with transaction() as session:
        hour = func.now() - timedelta(hours=1)
        await session.execute(update(Webhook).values(enabled_at=hour, updated_at=hour))
        for minutes, audience in ((90, None), (30, ada.id), (0, None)):  # before it was made; missed; on its way
            event = created(audience)
            session.add(
                EventRow(
                    id=event.id, name=event.event.name, version=1, data=event.event.model_dump(mode="json"),
                    priority=50, correlation_id="x", cause=None, audience=audience, subject=None, bulk=False,
                    timestamp=func.now() - timedelta(minutes=minutes),
                )
            )  # fmt: skip
    for expected in (1, 0):
        async with transaction() as session:
            assert (await sweep(session))["webhooks_missed"] == expected
    assert (await the_row()).webhook_id == hers


async def test_what_is_old_is_forgotten(ada: Account, receiver: Receiver) -> None:
    await hook(ada, receiver.url)
    await offer(created())
    async with transaction() as session:
        await session.execute(update(WebhookDelivery).values(created_at=func.now() - timedelta(days=31)))
    async with transaction() as session:
        assert (await sweep(session))["webhooks_forgotten"] == 1


async def test_who_may_not_sign_in_is_told_nothing(ada: Account, receiver: Receiver) -> None:
    await hook(ada, receiver.url)
    await offer(created())
    async with transaction() as session:
        await session.execute(text("UPDATE users SET disabled_at = now()"))
    await run((await the_row()).id)
    assert receiver.heard == []


async def test_the_secret_is_in_no_text(ada: Account, receiver: Receiver) -> None:
    _, secret = await hook(ada, receiver.url)
    await offer(created())
    async with transaction() as session:
        taken = await delivering.take(session, (await the_row()).id)
    assert taken is not None
    assert secret == taken.secret
    assert secret not in repr(taken)
