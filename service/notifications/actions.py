"""Verbs of notifications: tell people of an event, list, count, read, delete, cut."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, cast
from uuid import UUID, uuid4

from sqlalchemy import delete, func, select, update

from service.database import ReadSession, Session, Statement
from service.errors import NotFound
from service.event_log import EventRow
from service.events import origin
from service.notifications import wording
from service.notifications.concerned import Facts, Told, told
from service.notifications.events import UserNotification
from service.notifications.kinds import ASKED_FOR, CAUSES, Kind
from service.notifications.tables import NOBODY, Notification, NotificationCause
from service.outbox import emit
from service.security.accounts import Account

KEPT = timedelta(days=90)  # of what was read
LOOK_BACK = timedelta(hours=2)  # in which a listener may have missed an event
SETTLED = timedelta(minutes=1)  # after which it should have heard it
AT_ONCE = 500

# One per event and person: what the first statement does not insert is not told. A group that is read stays as it is.
_TELL = Statement(
    """WITH cause AS (
        INSERT INTO notification_causes (event_id, user_id)
        SELECT :event_id, id FROM users WHERE id = :user_id
        ON CONFLICT DO NOTHING RETURNING user_id)
    INSERT INTO notifications AS known (id, user_id, kind, group_key, names, detail, link)
    SELECT :id, user_id, CAST(:kind AS text), CAST(:group_key AS text), ARRAY[CAST(:name AS text)],
        CAST(:detail AS text), CAST(:link AS text)
    FROM cause WHERE coalesce((SELECT wanted FROM notification_preferences p
                               WHERE p.user_id = cause.user_id AND p.kind = :kind), :by_default)
    ON CONFLICT (user_id, kind, group_key) WHERE read_at IS NULL DO UPDATE SET
        count = known.count + 1, names = (excluded.names || known.names)[1:3],
        detail = excluded.detail, link = excluded.link, updated_at = clock_timestamp()
    RETURNING id, count, names, detail"""
)


async def tell(session: Session, facts: Facts) -> int:
    """Tell everybody whom an event concerns, each once however often it is carried on; returns how many."""
    people = await told(session, facts)
    for one in people:
        rows = await session.fetch(
            _TELL,
            event_id=facts.id,
            user_id=one.user_id,
            id=uuid4(),
            kind=one.kind,
            group_key=one.group_key,
            name=one.name,
            detail=one.detail,
            link=one.link,
            by_default=one.kind not in ASKED_FOR,
        )
        if rows:
            _announce(session, one, rows[0])
    return len(people)


def _announce(session: Session, one: Told, row: Any) -> None:
    title = wording.title(one.kind, row["count"], row["names"])
    message = wording.message(one.kind, row["count"], row["names"], row["detail"])
    event = UserNotification(
        notification_id=row["id"], user_id=one.user_id, kind=one.kind, title=title, message=message
    )
    emit(session, event, audience=one.user_id)


async def tell_missed(session: Session) -> int:
    """Tell of events in the log that no listener told of: its process died, or it took too long; returns how many."""
    known = select(NotificationCause.event_id).where(NotificationCause.event_id == EventRow.id)
    missed = (
        select(EventRow)
        .where(
            EventRow.timestamp.between(func.now() - LOOK_BACK, func.now() - SETTLED),
            EventRow.name.in_(CAUSES),
            ~known.exists(),
        )
        .order_by(EventRow.position)
        .limit(AT_ONCE)
    )
    found = 0
    for row in (await session.scalars(missed)).all():
        with origin(row.correlation_id, row.id, bulk=row.bulk):
            people = await tell(session, Facts.of(row))
        found += people
        if not people:  # so that it is looked at once only
            session.add(NotificationCause(event_id=row.id, user_id=NOBODY))
    return found


def shown(row: Notification) -> dict[str, Any]:
    """Return a notification as it is answered."""
    kind = cast("Kind", row.kind)
    return {
        "id": row.id,
        "kind": kind,
        "title": wording.title(kind, row.count, row.names),
        "message": wording.message(kind, row.count, row.names, row.detail),
        "link": wording.link(kind, row.count, row.group_key, row.link),
        "count": row.count,
        "read": row.read_at is not None,
        "created_at": row.created_at,
        "updated_at": row.updated_at,
        "read_at": row.read_at,
    }


async def browse(
    session: ReadSession, account: Account, *, unread: bool | None, kind: Kind | None, limit: int, offset: int
) -> tuple[int, Sequence[Notification]]:
    """Return how many of the account's notifications match, and a page of them, the last changed first."""
    mine = select(Notification).where(Notification.user_id == account.id)
    if unread is not None:
        mine = mine.where(Notification.read_at.is_(None) if unread else Notification.read_at.is_not(None))
    if kind is not None:
        mine = mine.where(Notification.kind == kind)
    total = await session.scalar(select(func.count()).select_from(mine.subquery()))
    order = (Notification.updated_at.desc(), Notification.id.desc())
    return total or 0, (await session.scalars(mine.order_by(*order).limit(limit).offset(offset))).all()


async def count_unread(session: ReadSession, account: Account) -> int:
    """Return how many the account has not read."""
    unread = (Notification.user_id == account.id, Notification.read_at.is_(None))
    return await session.scalar(select(func.count()).select_from(Notification).where(*unread)) or 0


async def mark_read(session: Session, account: Account, id: UUID) -> Notification:
    """Mark one as read, once; NotFound where it is not the account's."""
    mine = select(Notification).where(Notification.id == id, Notification.user_id == account.id)
    found = await session.scalar(mine.with_for_update())
    if found is None:
        raise NotFound(what="notification", id=id)
    if found.read_at is None:
        found.read_at = await session.scalar(select(func.now()))
    return found


async def mark_all_read(session: Session, account: Account) -> int:
    """Mark all of the account's as read; returns how many were not."""
    unread = update(Notification).where(Notification.user_id == account.id, Notification.read_at.is_(None))
    return len((await session.scalars(unread.values(read_at=func.now()).returning(Notification.id))).all())


async def remove(session: Session, account: Account, id: UUID) -> None:
    """Delete one; NotFound where it is not the account's."""
    mine = delete(Notification).where(Notification.id == id, Notification.user_id == account.id)
    if await session.scalar(mine.returning(Notification.id)) is None:
        raise NotFound(what="notification", id=id)


async def cut(session: Session) -> int:
    """Delete what was read `KEPT` ago, and what says that an event was told that long ago; returns how many."""
    old = delete(Notification).where(Notification.read_at < func.now() - KEPT).returning(Notification.id)
    gone = len((await session.scalars(old)).all())
    await session.execute(delete(NotificationCause).where(NotificationCause.told_at < func.now() - KEPT))
    return gone
