"""Verbs of what a user does: touch a resource, wave a recommendation away and want it back."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import delete, func, select

from service.cache import forgetting
from service.database import ReadSession, Session, Statement
from service.errors import NotFound
from service.outbox import emit
from service.recommendations.events import InteractionTracked, InteractionType
from service.recommendations.strength import strength
from service.recommendations.tables import DismissedRecommendation
from service.resources.tables import Resource, visible
from service.security.accounts import Account

# The resource is locked before the count, so that neither it nor the user can go while this is written.
_TRACK = Statement(
    """WITH seen AS MATERIALIZED (
        SELECT r.id FROM resources r JOIN users u ON u.id = :account
        WHERE r.id = :resource AND u.disabled_at IS NULL AND (NOT r.private OR r.owner_id = :account)
        FOR KEY SHARE
    ),
    added AS (
        INSERT INTO interactions (user_id, resource_id, interaction_type, strength, rating, dwell_seconds, event_id)
        SELECT :account, id, CAST(:type AS text), CAST(:strength AS float), CAST(:rating AS int),
            CAST(:dwell AS float), CAST(:event AS uuid)
        FROM seen ON CONFLICT (event_id, resource_id) DO NOTHING RETURNING user_id
    )
    INSERT INTO interaction_counts (user_id, total) SELECT user_id, 1 FROM added
    ON CONFLICT (user_id) DO UPDATE SET total = interaction_counts.total + 1, last_at = now()
    RETURNING total"""
)
_DISMISS = Statement(
    """INSERT INTO dismissed_recommendations AS d (user_id, resource_id)
    SELECT :account, r.id FROM resources r
    WHERE r.id = :resource AND (NOT r.private OR r.owner_id = :account) FOR KEY SHARE
    ON CONFLICT (user_id, resource_id) DO UPDATE SET dismissed_at = d.dismissed_at RETURNING d.resource_id"""
)


async def track(
    session: Session,
    account_id: UUID,
    resource_id: UUID,
    interaction_type: InteractionType,
    *,
    rating: int | None = None,
    dwell_seconds: float | None = None,
    event_id: UUID | None = None,
) -> int | None:
    """Record that an account touched a resource, and return how many interactions it has had.

    None where `event_id` is recorded already, or there is no such active account or no such resource for it.
    """
    rows = await session.fetch(
        _TRACK,
        account=account_id,
        resource=resource_id,
        type=interaction_type,
        strength=strength(interaction_type, rating, dwell_seconds),
        rating=rating,
        dwell=dwell_seconds,
        event=event_id,
    )
    if not rows:
        return None
    total: int = rows[0]["total"]
    tracked = InteractionTracked(
        user_id=account_id, resource_id=resource_id, interaction_type=interaction_type, total_interactions=total
    )
    emit(session, tracked, audience=account_id)
    return total


async def dismiss(session: Session, account: Account, resource_id: UUID) -> None:
    """Never recommend a resource to this account again; twice is once. NotFound where it may not see it."""
    if not await session.fetch(_DISMISS, account=account.id, resource=resource_id):
        raise NotFound(what="resource", id=resource_id)
    forgetting.after(session, f"recommendations:{account.id}")


async def restore(session: Session, account: Account, resource_id: UUID) -> None:
    """Undo a dismissal; NotFound where there is none."""
    undone = delete(DismissedRecommendation).where(
        DismissedRecommendation.user_id == account.id, DismissedRecommendation.resource_id == resource_id
    )
    if not (await session.execute(undone.returning(DismissedRecommendation.resource_id))).all():
        raise NotFound(what="dismissed recommendation", id=resource_id)
    forgetting.after(session, f"recommendations:{account.id}")


async def dismissed(session: ReadSession, account: Account, limit: int, offset: int) -> tuple[int, Sequence[Any]]:
    """Return how many resources an account has dismissed, and one page of them, the last first."""
    those = (
        select(Resource.id, Resource.title, Resource.url, DismissedRecommendation.dismissed_at)
        .join(DismissedRecommendation, DismissedRecommendation.resource_id == Resource.id)
        .where(DismissedRecommendation.user_id == account.id, visible(account))
    )
    total = await session.scalar(select(func.count()).select_from(those.subquery()))
    order = those.order_by(DismissedRecommendation.dismissed_at.desc(), Resource.id)
    return total or 0, (await session.execute(order.limit(limit).offset(offset))).all()
