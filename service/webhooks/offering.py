"""From an event to deliveries, each made once; and the sweep that finds what was missed."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import delete, func, literal, or_, select
from sqlalchemy.dialects.postgresql import insert

from service.database import ReadSession, Session
from service.event_log import SHOWN, EventRow, shown
from service.events import Envelope, origin
from service.outbox import emit
from service.security.tables import User
from service.tasks import DELIVER
from service.web import encoded
from service.webhooks.events import WebhookDeliveryRequested
from service.webhooks.patterns import OWN, names
from service.webhooks.tables import Webhook, WebhookDelivery

LOOK_BACK = timedelta(hours=2)  # in which a listener may have missed an event
SETTLED = timedelta(minutes=1)  # after which it should have heard it, and a task should have begun
KEPT = timedelta(days=30)  # of deliveries
AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Told:
    """An event as it is sent, whether the bus carries it or the log kept it."""

    id: UUID
    name: str
    audience: UUID | None
    facts: dict[str, Any]
    bulk: bool

    @classmethod
    def of(cls, source: Envelope | EventRow) -> "Told":
        """Take it from either; both give the same text."""
        if isinstance(source, EventRow):
            return cls(source.id, source.name, source.audience, shown(source), source.bulk)
        event = source.event
        own = {"name": event.name.value, "version": event.version, "priority": int(event.priority)}
        own |= {"data": event.model_dump(mode="json")}
        facts = {field: own[field] if field in own else getattr(source, field) for field in SHOWN}
        return cls(source.id, event.name.value, source.audience, facts, source.bulk)

    @property
    def is_own(self) -> bool:
        """Whether it is about deliveries: to tell of these would never end."""
        return self.name.startswith(OWN) or self.facts["data"].get("task_name") == DELIVER.name

    @property
    def body(self) -> str:
        """The JSON that is sent."""
        return encoded(self.facts).decode()


async def deliver_to(session: Session, webhook_id: UUID, user_id: UUID, told: Told) -> UUID | None:
    """Make the delivery of an event to a webhook and ask for it; None where it was made before, or that is gone."""
    facts = {"id": uuid4(), "webhook_id": webhook_id, "event_id": told.id, "event": told.name, "body": told.body}
    columns = WebhookDelivery.__table__.c
    still_there = select(*(literal(value, columns[name].type) for name, value in facts.items()))
    made = (
        insert(WebhookDelivery)
        .from_select(list(facts), still_there.where(Webhook.id == webhook_id))
        .on_conflict_do_nothing()
        .returning(WebhookDelivery.id)
    )
    delivery_id = await session.scalar(made)
    if delivery_id is not None:
        ask(session, delivery_id, webhook_id, user_id)
    return delivery_id


def ask(session: Session, delivery_id: UUID, webhook_id: UUID, user_id: UUID) -> UUID:
    """Emit that a delivery is to be made; returns the event's id."""
    return emit(session, WebhookDeliveryRequested(delivery_id=delivery_id, webhook_id=webhook_id), audience=user_id)


async def sweep(session: Session) -> dict[str, int]:
    """Make what no listener made, ask again for what no task began, delete what is old; return how much of each."""
    return {
        "webhooks_missed": await _offer_missed(session),
        "webhooks_undelivered": await _ask_again(session),
        "webhooks_forgotten": await _cut(session),
    }


async def _enabled(session: ReadSession) -> list[Webhook]:
    active = select(Webhook).join(User, User.id == Webhook.user_id)
    return list(await session.scalars(active.where(Webhook.enabled_at.is_not(None), User.disabled_at.is_(None))))


async def _offer_missed(session: Session) -> int:
    found = 0
    for webhook in await _enabled(session):
        known = select(WebhookDelivery.id).where(
            WebhookDelivery.webhook_id == webhook.id, WebhookDelivery.event_id == EventRow.id
        )
        missed = (
            select(EventRow)
            .where(
                EventRow.timestamp.between(func.now() - LOOK_BACK, func.now() - SETTLED),
                EventRow.timestamp >= _since(webhook),
                EventRow.name.in_(names(webhook.events)),
                or_(EventRow.audience.is_(None), EventRow.audience == webhook.user_id),
                EventRow.data["task_name"].astext.is_distinct_from(DELIVER.name),
                ~known.exists(),
            )
            .order_by(EventRow.position)
            .limit(AT_ONCE)
        )
        for row in (await session.scalars(missed)).all():
            with origin(row.correlation_id, row.id, bulk=True):
                found += await deliver_to(session, webhook.id, webhook.user_id, Told.of(row)) is not None
    return found


def _since(webhook: Webhook) -> datetime:
    """Return from when on a webhook is told: since it was switched on, or subscribes to what it does."""
    assert webhook.enabled_at is not None
    return max(webhook.enabled_at, webhook.updated_at)


async def _ask_again(session: Session) -> int:
    waiting = (
        select(WebhookDelivery.id, Webhook.id.label("webhook_id"), Webhook.user_id)
        .join(Webhook, Webhook.id == WebhookDelivery.webhook_id)
        .where(
            WebhookDelivery.status == "waiting",
            WebhookDelivery.due_at < func.now() - SETTLED,
            Webhook.enabled_at.is_not(None),
        )
        .order_by(WebhookDelivery.due_at)
        .limit(AT_ONCE)
    )
    rows = (await session.execute(waiting)).all()
    for row in rows:
        ask(session, row.id, row.webhook_id, row.user_id)
    return len(rows)


async def _cut(session: Session) -> int:
    old = select(WebhookDelivery.id).where(WebhookDelivery.created_at < func.now() - KEPT).limit(10 * AT_ONCE)
    gone = delete(WebhookDelivery).where(WebhookDelivery.id.in_(old)).returning(WebhookDelivery.id)
    return len((await session.scalars(gone)).all())
