"""Verbs of digests: read and choose, ask for an address and confirm it, stop, find who is due."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from secrets import token_urlsafe
from typing import Any, cast
from urllib.parse import urlencode
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import insert

from service.database import ReadSession, Session
from service.digests.events import DigestDue
from service.digests.hours import Frequency, following
from service.digests.signing import Purpose, matches, signature
from service.digests.tables import Digest, DigestLetter
from service.errors import Conflict, NotFound
from service.outbox import emit
from service.security.accounts import Account
from service.security.tables import User

LINK_LASTS = timedelta(days=2)
SETTLED = timedelta(minutes=1)  # after which what was told is committed
KEPT = timedelta(days=90)  # of letters
AT_ONCE = 500
FIELDS = ("frequency", "weekday", "hour", "timezone", "address", "asked_address", "next_at", "stopped_reason")


class LinkNotGood(NotFound):
    """This link is not good any more. Ask for a new one where you set up your e-mails."""


class NoAddress(Conflict):
    """There is no address of yours that you have confirmed."""


@dataclass(frozen=True, slots=True)
class Link:
    """What a link in a letter says of itself."""

    user_id: UUID
    signature: str
    address: str = ""
    expires: int = 0


async def read(session: ReadSession, account: Account) -> dict[str, Any]:
    """Return how the account is told by e-mail, and what became of the last letter."""
    found = await session.get(Digest, account.id)
    chosen = {name: getattr(found, name) for name in FIELDS} if found else _unset()
    newest = (
        select(DigestLetter).where(DigestLetter.user_id == account.id).order_by(DigestLetter.period.desc()).limit(1)
    )
    letter = await session.scalar(newest)
    shown = ("period", "state", "count", "sent_at", "error", "attempts")
    return chosen | {"last": {name: getattr(letter, name) for name in shown} if letter else None}


def _unset() -> dict[str, Any]:
    return {name: None for name in FIELDS} | {"frequency": "off", "weekday": 1, "hour": 7, "timezone": "UTC"}


async def change(session: Session, account: Account, fields: Mapping[str, Any]) -> None:
    """Set how often and when; the first letter tells of what comes from now on."""
    row = await _own(session, account.id)
    if row.frequency == "off":
        row.told_until = await session.scalar(select(func.now())) or row.told_until
    for name, value in fields.items():
        setattr(row, name, value)
    row.failures, row.stopped_reason = 0, None
    _schedule(row)


async def ask_address(session: Session, account: Account, address: str) -> str:
    """Keep an address until its owner confirms it; return the query of the link that does."""
    row = await _own(session, account.id)
    row.asked_address = address
    expires = int((datetime.now(UTC) + LINK_LASTS).timestamp())
    signed = signature(row.secret, "confirm", account.id, address, expires)
    return urlencode({"account": account.id, "address": address, "expires": expires, "signature": signed})


async def check(session: ReadSession, link: Link, purpose: Purpose) -> Digest:
    """Return whose link it is; LinkNotGood where it was not made here, is too old, or another address was asked for."""
    row = await session.get(Digest, link.user_id)
    if row is None:
        raise LinkNotGood
    right = signature(row.secret, purpose, link.user_id, link.address, link.expires)
    too_old = purpose == "confirm" and link.expires < datetime.now(UTC).timestamp()
    if not matches(link.signature, right) or too_old:
        raise LinkNotGood
    if purpose == "confirm" and link.address not in (row.asked_address, row.address):
        raise LinkNotGood
    return row


async def confirm(session: Session, link: Link) -> None:
    """Send letters to the address of the link from now on."""
    await check(session, link, "confirm")
    row = await _own(session, link.user_id)
    row.address, row.asked_address = link.address, None
    row.failures, row.stopped_reason = 0, None
    _schedule(row)


async def stop(session: Session, user_id: UUID) -> None:
    """Send no more letters, also none of those that wait."""
    row = await _own(session, user_id)
    row.frequency = "off"
    _schedule(row)


async def forget_address(session: Session, account: Account) -> None:
    """Send no more letters, and know no address."""
    row = await _own(session, account.id)
    row.frequency, row.address, row.asked_address, row.secret = "off", None, None, token_urlsafe(32)
    _schedule(row)


async def announce_due(session: Session, now: datetime | None = None) -> int:
    """Make the letters whose hour has come, once each, and emit digest.due for all to be tried; returns how many."""
    now = now or datetime.now(UTC)
    due = select(Digest).where(Digest.next_at <= now).order_by(Digest.next_at).limit(AT_ONCE)
    for row in await session.scalars(due.with_for_update(skip_locked=True)):
        letter = {"user_id": row.user_id, "period": row.next_at, "since": row.told_until, "until": now - SETTLED}
        await session.execute(insert(DigestLetter).values(letter).on_conflict_do_nothing())
        old = delete(DigestLetter).where(DigestLetter.user_id == row.user_id, DigestLetter.created_at < now - KEPT)
        await session.execute(old)
        _schedule(row, now)
    waiting = select(DigestLetter.id, DigestLetter.user_id).where(
        DigestLetter.state == "waiting", DigestLetter.due_at <= now
    )
    rows = (await session.execute(waiting.order_by(DigestLetter.due_at).limit(AT_ONCE))).all()
    for row in rows:
        emit(session, DigestDue(letter_id=row.id, user_id=row.user_id), audience=row.user_id)
    return len(rows)


async def recipient(session: ReadSession, account: Account) -> Digest:
    """Return where letters of the account go; NoAddress where nothing is confirmed."""
    row = await session.get(Digest, account.id)
    if row is None or row.address is None:
        raise NoAddress
    return row


async def username(session: ReadSession, user_id: UUID) -> str:
    """Return whose library account it is."""
    return await session.scalar(select(User.username).where(User.id == user_id)) or ""


async def _own(session: Session, user_id: UUID) -> Digest:
    made = insert(Digest).values(user_id=user_id, secret=token_urlsafe(32)).on_conflict_do_nothing()
    await session.execute(made)
    row = await session.get(Digest, user_id, with_for_update=True, populate_existing=True)
    assert row is not None
    return row


def _schedule(row: Digest, now: datetime | None = None) -> None:
    frequency = cast("Frequency", row.frequency if row.address else "off")
    row.next_at = following(frequency, row.weekday, row.hour, ZoneInfo(row.timezone), now or datetime.now(UTC))
