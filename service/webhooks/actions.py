"""Verbs of webhooks: make, list, change, delete, test, send again."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import func, select

from service.database import ReadSession, Session
from service.errors import Conflict, NotFound
from service.events import Envelope
from service.outbox import emit
from service.security.accounts import Account
from service.security.addresses import literal
from service.security.destinations import check_addresses, check_url, configured_allowlist, host_of, port_of
from service.security.network import resolve
from service.webhooks.events import WebhookChanged, WebhookTested
from service.webhooks.offering import Told, ask, deliver_to
from service.webhooks.signing import new_secret
from service.webhooks.subscriptions import subscriptions
from service.webhooks.tables import Webhook, WebhookDelivery, WebhookSecret

MOST = 50  # of one account


class TooMany(Conflict):
    """You have {most} webhooks, which is as many as there may be: delete one first."""


class SwitchedOff(Conflict):
    """This webhook is switched off: switch it on first."""


class StillWaiting(Conflict):
    """This delivery has not ended: it is tried by itself."""


async def check_address(url: str) -> str:
    """Return an address that may be told things; BadUrl where Pharos may not go there, as far as it can be known now.

    A host that has no address yet may get one; each delivery checks again.
    """
    target, allow = check_url(url), configured_allowlist()
    host, port = host_of(target), port_of(target)
    if literal(host) is None:
        try:
            found = [address for text in await resolve(host, port) if (address := literal(text)) is not None]
        except OSError:
            found = []
        check_addresses(host, port, found, allow)
    return str(target)


async def listed(session: ReadSession, account: Account, limit: int, offset: int) -> tuple[int, Sequence[Webhook]]:
    """Return how many webhooks the account has, and a page of them, the newest first."""
    mine = select(Webhook).where(Webhook.user_id == account.id)
    total = await session.scalar(select(func.count()).select_from(mine.subquery()))
    order = (Webhook.created_at.desc(), Webhook.id)
    return total or 0, (await session.scalars(mine.order_by(*order).limit(limit).offset(offset))).all()


async def read(session: ReadSession, account: Account, id: UUID) -> Webhook:
    """Return one of the account's; NotFound otherwise."""
    found = await session.scalar(select(Webhook).where(Webhook.id == id, Webhook.user_id == account.id))
    if found is None:
        raise NotFound(what="webhook", id=id)
    return found


async def create(
    session: Session, account: Account, url: str, events: Sequence[str], secret: str | None
) -> tuple[Webhook, str]:
    """Make a webhook; return it and its secret, which nobody is shown again."""
    number = await session.scalar(select(func.count()).where(Webhook.user_id == account.id))
    if (number or 0) >= MOST:
        raise TooMany(most=MOST)
    webhook = Webhook(id=uuid4(), user_id=account.id, url=url, events=list(events))
    session.add(webhook)
    await session.flush()
    kept = secret or new_secret()
    session.add(WebhookSecret(webhook_id=webhook.id, secret=kept))
    await session.flush()
    await session.refresh(webhook)
    _announce(session, webhook.id, account)
    return webhook, kept


async def change(session: Session, account: Account, id: UUID, fields: Mapping[str, Any]) -> Webhook:
    """Set what is given; switching one on forgets its failures."""
    webhook = await _lock(session, account, id)
    for name in ("url", "events"):
        if name in fields:
            setattr(webhook, name, fields[name])
    if "secret" in fields:
        kept = await session.get(WebhookSecret, id)
        assert kept is not None
        kept.secret = fields["secret"]
    if "enabled" in fields and fields["enabled"] != (webhook.enabled_at is not None):
        webhook.enabled_at = func.now() if fields["enabled"] else None
        webhook.failures, webhook.disabled_reason = 0, None
    webhook.updated_at = func.now()
    await session.flush()
    await session.refresh(webhook)
    _announce(session, id, account)
    return webhook


async def remove(session: Session, account: Account, id: UUID) -> None:
    """Delete a webhook with its deliveries."""
    await session.delete(await _lock(session, account, id))
    _announce(session, id, account)


async def test(session: Session, account: Account, id: UUID) -> UUID:
    """Ask for a delivery that only says that it arrives; returns its id."""
    webhook = await _lock(session, account, id)
    if webhook.enabled_at is None:
        raise SwitchedOff
    event = WebhookTested(webhook_id=id)
    told = Told.of(Envelope.of(event, account.id))
    emit(session, event, audience=account.id)
    made = await deliver_to(session, id, account.id, told)
    assert made is not None
    return made


async def deliveries(
    session: ReadSession, account: Account, id: UUID, *, status: str | None, limit: int, offset: int
) -> tuple[int, Sequence[WebhookDelivery]]:
    """Return how many deliveries a webhook has, and a page of them, the newest first."""
    await read(session, account, id)
    of_it = select(WebhookDelivery).where(WebhookDelivery.webhook_id == id)
    if status is not None:
        of_it = of_it.where(WebhookDelivery.status == status)
    total = await session.scalar(select(func.count()).select_from(of_it.subquery()))
    order = (WebhookDelivery.created_at.desc(), WebhookDelivery.id.desc())
    return total or 0, (await session.scalars(of_it.order_by(*order).limit(limit).offset(offset))).all()


async def delivery(session: ReadSession, account: Account, id: UUID) -> tuple[WebhookDelivery, Webhook]:
    """Return a delivery of one of the account's webhooks; NotFound otherwise."""
    mine = select(WebhookDelivery, Webhook).join(Webhook, Webhook.id == WebhookDelivery.webhook_id)
    found = (await session.execute(mine.where(WebhookDelivery.id == id, Webhook.user_id == account.id))).one_or_none()
    if found is None:
        raise NotFound(what="delivery", id=id)
    return found[0], found[1]


async def send_again(session: Session, account: Account, id: UUID) -> WebhookDelivery:
    """Ask once more for a delivery that has ended, with all its tries."""
    found, webhook = await delivery(session, account, id)
    if webhook.enabled_at is None:
        raise SwitchedOff
    await session.refresh(found, with_for_update=True)
    if found.status == "waiting":
        raise StillWaiting
    found.status, found.attempts, found.due_at = "waiting", 0, func.now()
    found.error = found.response_code = found.duration_ms = None
    await session.flush()
    await session.refresh(found)
    ask(session, id, webhook.id, account.id)
    return found


async def _lock(session: Session, account: Account, id: UUID) -> Webhook:
    mine = select(Webhook).where(Webhook.id == id, Webhook.user_id == account.id)
    found = await session.scalar(mine.with_for_update())
    if found is None:
        raise NotFound(what="webhook", id=id)
    return found


def _announce(session: Session, id: UUID, account: Account) -> None:
    emit(session, WebhookChanged(webhook_id=id), audience=account.id)
    session.after_commit.append(subscriptions.forget)
