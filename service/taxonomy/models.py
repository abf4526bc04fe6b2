"""Models that were trained: which there are, which one counts."""

from typing import Any

from sqlalchemy import func, select, update

from service.database import ReadSession, Session
from service.errors import NotFound
from service.outbox import emit
from service.security.accounts import Account
from service.taxonomy.events import ModelActivated
from service.taxonomy.state import advance
from service.taxonomy.tables import ClassificationModel, TaxonomyState


async def trained(session: ReadSession, limit: int, offset: int) -> tuple[int, list[dict[str, Any]]]:
    """Return how many models were trained, and a page of them, newest first; one of them is active, or none yet."""
    columns = [column for column in ClassificationModel.__table__.c if column.name not in ("parameters", "input_hash")]
    active = await session.scalar(select(TaxonomyState.model))
    total = await session.scalar(select(func.count()).select_from(ClassificationModel))
    newest = select(*columns).order_by(ClassificationModel.version.desc()).limit(limit).offset(offset)
    rows = (await session.execute(newest)).mappings()
    return total or 0, [{**row, "active": row["version"] == active} for row in rows]


async def activate(session: Session, account: Account, number: int) -> None:
    """Go by another model that was trained, or by none (0: centroids); the reconciler has all predicted anew by it."""
    version = await advance(session)
    if number and await session.get(ClassificationModel, number) is None:
        raise NotFound(what="model", id=number)
    state = update(TaxonomyState).where(TaxonomyState.version == version, TaxonomyState.model != number)
    if (await session.execute(state.values(model=number).returning(TaxonomyState.id))).all():
        emit(session, ModelActivated(model=number, user_id=account.id), audience=None)


async def newest_input(session: ReadSession) -> str | None:
    """Return the hash of what the newest model has learnt from."""
    newest = select(ClassificationModel.input_hash).order_by(ClassificationModel.version.desc()).limit(1)
    return await session.scalar(newest)
