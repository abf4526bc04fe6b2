"""Verbs of the review queue: what people should look at, and what they said."""

from typing import Any, Literal
from uuid import UUID

from sqlalchemy import func, select, update

from service.database import ReadSession, Session
from service.errors import NotFound
from service.quality.tables import QualityReview
from service.resources import actions as resources
from service.resources.tables import Resource, visible
from service.security.accounts import Account

Kind = Literal["degraded", "outlier"]
Decision = Literal["confirmed", "dismissed"]


class NothingToReview(NotFound):
    """No review of resource {id} is open: nobody found anything, or it is settled."""


async def listed(
    session: ReadSession, account: Account, *, settled: bool, kind: Kind | None, limit: int, offset: int
) -> tuple[int, list[dict[str, Any]]]:
    """Return how many reviews of what the account may see are open (or settled), and a page of them, newest first."""
    chosen = (
        select(QualityReview, Resource.title)
        .join(Resource, Resource.id == QualityReview.resource_id)
        .where(
            visible(account), QualityReview.settled_at.is_not(None) if settled else QualityReview.settled_at.is_(None)
        )
    )
    if kind is not None:
        chosen = chosen.where(QualityReview.kind == kind)
    total = await session.scalar(select(func.count()).select_from(chosen.subquery()))
    order = (QualityReview.opened_at.desc(), QualityReview.resource_id, QualityReview.kind)
    rows = (await session.execute(chosen.order_by(*order).limit(limit).offset(offset))).all()
    return total or 0, [
        {column.key: getattr(review, column.key) for column in QualityReview.__table__.c} | {"title": title}
        for review, title in rows
    ]


async def settle(
    session: Session, account: Account, resource_id: UUID, decision: Decision, *, kind: Kind | None, note: str | None
) -> list[str]:
    """Settle the open reviews of a resource, or the one of a kind; returns the kinds. Raises NotFound."""
    await resources.read(session, account, resource_id)
    chosen = (
        update(QualityReview)
        .where(QualityReview.resource_id == resource_id, QualityReview.settled_at.is_(None))
        .values(settled_at=func.now(), settled_by=account.id, decision=decision, note=note)
        .returning(QualityReview.kind)
        .execution_options(synchronize_session=False)
    )
    if kind is not None:
        chosen = chosen.where(QualityReview.kind == kind)
    kinds = sorted(await session.scalars(chosen))
    if not kinds:
        raise NothingToReview(id=resource_id)
    return kinds
