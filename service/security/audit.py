"""The record of what decides who gets in and what they may do, and of what operators do to the machinery.

Written with the change it tells of, read by admins; what is done to the machinery also by operators.
"""

from collections.abc import Sequence
from typing import Final, Literal, get_args
from uuid import UUID

from sqlalchemy import func, insert, select

from service.database import ReadSession, Session
from service.events import current_origin
from service.security.tables import AuditEntry, User

Action = Literal[
    "signed_in", "sign_in_refused", "signed_out", "session_ended", "password_changed", "token_created",
    "token_revoked", "user_created", "user_changed", "invited", "invitation_withdrawn", "registered",
    "queue_paused", "queue_resumed", "task_cancelled", "letters_retried", "letters_discarded", "schedule_run",
]  # fmt: skip
ACTIONS: Final[tuple[Action, ...]] = get_args(Action)
OPERATIONS: Final[tuple[Action, ...]] = ACTIONS[ACTIONS.index("queue_paused") :]  # what is done to the machinery


async def record(
    session: Session, action: Action, by: UUID | None, about: UUID | None, address: str | None, **detail: object
) -> None:
    """Add an entry: `by` whom (None: somebody unknown), `about` which user, token, session or invitation.

    `detail` is JSON that may be shown: never a secret, nor what somebody typed where a name was asked for.
    """
    entry = {"action": action, "actor_id": by, "subject_id": about, "address": address, "detail": detail}
    await session.execute(insert(AuditEntry).values(entry | {"correlation_id": current_origin().correlation_id}))


async def operations(session: ReadSession, before: int | None, limit: int) -> Sequence[tuple[AuditEntry, str | None]]:
    """Return what was done to the machinery and by whom (None: gone since), newest first, beyond the entry `before`."""
    wanted = select(AuditEntry, User.username).outerjoin(User, User.id == AuditEntry.actor_id)
    wanted = wanted.where(AuditEntry.action.in_(OPERATIONS))
    if before is not None:
        wanted = wanted.where(AuditEntry.id < before)
    rows = await session.execute(wanted.order_by(AuditEntry.id.desc()).limit(limit))
    return [(row[0], row[1]) for row in rows]


async def entries(
    session: ReadSession, limit: int, offset: int, *, action: Action | None = None, user_id: UUID | None = None
) -> tuple[int, Sequence[AuditEntry]]:
    """Return how many entries there are, and some of them, newest first; of one action, by or about one user."""
    wanted = select(AuditEntry)
    if action is not None:
        wanted = wanted.where(AuditEntry.action == action)
    if user_id is not None:
        wanted = wanted.where((AuditEntry.actor_id == user_id) | (AuditEntry.subject_id == user_id))
    total = await session.scalar(select(func.count()).select_from(wanted.subquery()))
    newest_first = wanted.order_by(AuditEntry.id.desc()).limit(limit).offset(offset)
    return total or 0, (await session.scalars(newest_first)).all()
