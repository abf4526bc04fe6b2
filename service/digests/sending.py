"""One attempt to send a letter: taken, sent without a session, and what follows from it."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, cast
from uuid import UUID

from sqlalchemy import func, select, update

from service.database import Session
from service.digests import letters, mail
from service.digests.signing import signature
from service.digests.tables import Digest, DigestLetter
from service.notifications.kinds import Kind
from service.notifications.tables import Notification
from service.notifications.wording import link, message, title
from service.security.tables import User

LEASE = timedelta(minutes=5)  # longer than an attempt may take
PAUSES = (300, 900, 3600, 4 * 3600, 8 * 3600)  # seconds between attempts: about half a day
MOST_SHOWN = 30  # notifications in one letter; of more it says how many
MOST_FAILURES = 3  # letters in a row that were given up; then no more are made


@dataclass(frozen=True, slots=True)
class Taken:
    """A letter that is sent now."""

    id: UUID
    user_id: UUID
    address: str
    username: str
    created_at: datetime
    attempts: int
    count: int
    items: list[dict[str, Any]]
    signature: str = field(repr=False)  # of the link that stops the letters


async def take(session: Session, letter_id: UUID) -> Taken | None:
    """Take a letter for `LEASE`; None where it is not waiting, not due, not wanted any more, or has nothing to say."""
    row = await session.scalar(
        update(DigestLetter)
        .where(DigestLetter.id == letter_id, DigestLetter.state == "waiting", DigestLetter.due_at <= func.now())
        .values(attempts=DigestLetter.attempts + 1, due_at=func.now() + LEASE)
        .returning(DigestLetter)
    )
    if row is None:
        return None
    of = select(Digest.address, Digest.frequency, Digest.secret, User.username, User.disabled_at)
    to = (await session.execute(of.join(User, User.id == Digest.user_id).where(Digest.user_id == row.user_id))).one()
    if to.address is None or to.frequency == "off" or to.disabled_at is not None:
        row.state, row.error = "failed", "It was switched off before it was sent."
        return None
    fresh = (
        Notification.user_id == row.user_id,
        Notification.read_at.is_(None),
        Notification.updated_at > row.since,
        Notification.updated_at <= row.until,
    )
    count = row.count = await session.scalar(select(func.count()).select_from(Notification).where(*fresh)) or 0
    if not count:
        row.state = "empty"
        await _told(session, row.user_id, row.until)
        return None
    newest = select(Notification).where(*fresh).order_by(Notification.updated_at.desc(), Notification.id)
    items = [_shown(one) for one in await session.scalars(newest.limit(MOST_SHOWN))]
    stops = signature(to.secret, "unsubscribe", row.user_id, to.address)
    return Taken(
        row.id, row.user_id, to.address, to.username, row.created_at, row.attempts, count, items, stops
    )  # fmt: skip


def _shown(row: Notification) -> dict[str, Any]:
    kind = cast("Kind", row.kind)
    return {
        "title": title(kind, row.count, row.names),
        "message": message(kind, row.count, row.names, row.detail),
        "link": link(kind, row.count, row.group_key, row.link),
    }


async def send(taken: Taken) -> mail.NotSent | mail.Refused | mail.NoMailServer | None:
    """Send it; return what the mail server had against it."""
    letter = letters.digest(
        taken.id,
        taken.user_id,
        taken.address,
        taken.username,
        taken.created_at,
        taken.count,
        taken.items,
        taken.signature,
    )
    try:
        await mail.send(letter)
    except (mail.NotSent, mail.Refused, mail.NoMailServer) as error:
        return error
    return None


async def settle(session: Session, taken: Taken, fault: mail.NotSent | mail.Refused | mail.NoMailServer | None) -> str:
    """Write down what an attempt came to, and return the letter's state; who is refused too often gets no more."""
    over = isinstance(fault, mail.Refused) or taken.attempts > len(PAUSES)
    state = "sent" if fault is None else "failed" if over else "waiting"
    kept: dict[str, Any] = {"state": state, "error": fault and fault.detail}
    if state == "sent":
        kept |= {"sent_at": func.now()}
    elif state == "waiting":
        kept |= {"due_at": func.now() + timedelta(seconds=PAUSES[taken.attempts - 1])}
    mine = update(DigestLetter).where(
        DigestLetter.id == taken.id, DigestLetter.state == "waiting", DigestLetter.attempts == taken.attempts
    )
    row = await session.scalar(mine.values(kept).returning(DigestLetter))
    if row is None:
        return "taken"  # somebody else has taken it since
    if state == "sent":
        await _told(session, taken.user_id, row.until)
    elif state == "failed":
        await _failed(session, taken.user_id, fault.detail if fault else "")
    return state


async def _told(session: Session, user_id: UUID, until: datetime) -> None:
    mine = update(Digest).where(Digest.user_id == user_id)
    await session.execute(mine.values(told_until=func.greatest(Digest.told_until, until), failures=0))


async def _failed(session: Session, user_id: UUID, reason: str) -> None:
    row = await session.get(Digest, user_id, with_for_update=True)
    if row is None:
        return
    row.failures += 1
    if row.failures >= MOST_FAILURES:
        row.frequency, row.next_at, row.stopped_reason = "off", None, reason
