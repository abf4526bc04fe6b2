"""One attempt to deliver: taken, sent without a session, and what follows from the answer."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from time import perf_counter
from uuid import UUID

from sqlalchemy import func, select, update

from service.database import Session
from service.errors import PharosError
from service.outbox import emit
from service.security.destinations import BadUrl
from service.security.egress import Egress, Fetched, FetchError, HttpRefused, Limits
from service.security.tables import User
from service.webhooks.events import WebhookDisabled
from service.webhooks.signing import signature
from service.webhooks.tables import Webhook, WebhookDelivery, WebhookSecret

LIMITS = Limits(connect=5, total=10)
LARGEST = 100_000  # bytes of an answer, of which nothing is kept
PAUSES = (60, 300, 900, 3600, 2 * 3600, 4 * 3600, 8 * 3600, 8 * 3600)  # seconds between attempts: about a day
LEASE = timedelta(seconds=60)  # longer than an attempt may take
EARLY = timedelta(seconds=5)  # that the queue's clock may be ahead of the database's
MOST_FAILURES = 20
GONE = 410


class NotDelivered(PharosError):
    """The webhook {webhook_id} was not reached: {reason}. It is tried again."""

    transient = True


class GivenUp(PharosError):
    """The webhook {webhook_id} was not reached: {reason}. It is not tried again."""


@dataclass(frozen=True, slots=True)
class Taken:
    """A delivery that is attempted now."""

    id: UUID
    webhook_id: UUID
    url: str
    event: str
    body: bytes
    attempts: int
    secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an attempt came to: `error` None where it arrived, `transient` where it may arrive later."""

    code: int | None
    duration_ms: int
    error: str | None = None
    transient: bool = True


async def take(session: Session, delivery_id: UUID) -> Taken | None:
    """Take a delivery for `LEASE`; None where it is not waiting, not due, held, or its webhook is switched off."""
    taken = await session.scalar(
        update(WebhookDelivery)
        .where(
            WebhookDelivery.id == delivery_id,
            WebhookDelivery.status == "waiting",
            WebhookDelivery.due_at <= func.now() + EARLY,
            WebhookDelivery.webhook_id.in_(
                select(Webhook.id)
                .join(User, User.id == Webhook.user_id)
                .where(Webhook.enabled_at.is_not(None), User.disabled_at.is_(None))
            ),
        )
        .values(attempts=WebhookDelivery.attempts + 1, attempted_at=func.now(), due_at=func.now() + LEASE)
        .returning(WebhookDelivery)
    )
    if taken is None:
        return None
    to = select(Webhook.url, WebhookSecret.secret).join(WebhookSecret, WebhookSecret.webhook_id == Webhook.id)
    url, secret = (await session.execute(to.where(Webhook.id == taken.webhook_id))).one()
    return Taken(taken.id, taken.webhook_id, url, taken.event, taken.body.encode(), taken.attempts, secret)


async def send(taken: Taken) -> Outcome:
    """Send it; never raises what the receiver does."""
    timestamp = str(int(datetime.now(UTC).timestamp()))
    headers = {
        "X-Pharos-Event": taken.event,
        "X-Pharos-Delivery": str(taken.id),
        "X-Pharos-Timestamp": timestamp,
        "X-Pharos-Signature": signature(taken.secret, timestamp, taken.body),
    }
    began = perf_counter()
    fault: PharosError | None = None
    answer: Fetched | None = None
    async with Egress(limits=LIMITS) as egress:
        try:
            answer = await egress.post(taken.url, taken.body, headers, max_bytes=LARGEST)
        except (FetchError, BadUrl) as error:
            fault = error
    took = round(1000 * (perf_counter() - began))
    if answer is not None:
        return Outcome(answer.status, took)
    assert fault is not None
    code: int | None = fault.context["code"] if isinstance(fault, HttpRefused) else None
    # A receiver that is being repaired answers 404 or 302, too; only an address that may not be reached stays so.
    return Outcome(code, took, _said(fault, code), transient=not isinstance(fault, BadUrl) and code != GONE)


def _said(fault: PharosError, code: int | None) -> str:
    if code is not None and 300 <= code < 400:
        return f"It answered {code}, a redirect, which is not followed: give the address that it leads to."
    return fault.detail


async def settle(session: Session, taken: Taken, outcome: Outcome) -> None:
    """Write down what an attempt came to; a receiver that is gone, or fails too often, is switched off."""
    over = not outcome.transient or taken.attempts > len(PAUSES)
    status = "delivered" if outcome.error is None else "failed" if over else "waiting"
    kept = {"response_code": outcome.code, "duration_ms": outcome.duration_ms, "error": outcome.error}
    if status == "waiting":
        kept |= {"due_at": func.now() + timedelta(seconds=PAUSES[taken.attempts - 1])}
    mine = update(WebhookDelivery).where(WebhookDelivery.id == taken.id, WebhookDelivery.attempts == taken.attempts)
    if await session.scalar(mine.values(status=status, **kept).returning(WebhookDelivery.id)) is None:
        return  # somebody else has taken it since, or it is gone
    webhook = await session.get(Webhook, taken.webhook_id, with_for_update=True)
    if webhook is None:
        return
    webhook.failures = 0 if outcome.error is None else webhook.failures + 1
    if outcome.code == GONE:
        await disable(session, webhook, "The receiver answered 410 Gone.")
    elif webhook.failures >= MOST_FAILURES and webhook.enabled_at is not None:
        await disable(session, webhook, f"{MOST_FAILURES} attempts failed in a row; the last one: {outcome.error}")


async def disable(session: Session, webhook: Webhook, reason: str) -> None:
    """Switch a webhook off and tell its owner; what waits is not sent any more."""
    webhook.enabled_at, webhook.disabled_reason = None, reason
    await session.flush()
    waiting = update(WebhookDelivery).where(
        WebhookDelivery.webhook_id == webhook.id, WebhookDelivery.status == "waiting"
    )
    await session.execute(waiting.values(status="failed", error="The webhook was switched off before it was sent."))
    told = WebhookDisabled(webhook_id=webhook.id, user_id=webhook.user_id, reason=reason)
    emit(session, told, audience=webhook.user_id)


def judge(taken: Taken, outcome: Outcome) -> None:
    """Raise NotDelivered, with the pause, where it is to be tried again; GivenUp where it never arrived."""
    if outcome.error is None or outcome.code == GONE:
        return
    if not outcome.transient or taken.attempts > len(PAUSES):
        raise GivenUp(webhook_id=taken.webhook_id, reason=outcome.error)
    pause = PAUSES[taken.attempts - 1]
    raise NotDelivered(webhook_id=taken.webhook_id, reason=outcome.error, retry_after=pause)
