"""The event log: what was carried on, kept for history, timelines and replay (`PHAROS_EVENTS_KEPT_DAYS`)."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel
from sqlalchemy import BigInteger, DateTime, Identity, Index, SmallInteger, Text, select
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from service.database import Base, ReadSession


class EventColumns:
    """What the outbox and the log both hold."""

    id: Mapped[UUID]
    name: Mapped[str] = mapped_column(Text)
    version: Mapped[int] = mapped_column(SmallInteger)
    data: Mapped[dict[str, Any]] = mapped_column(JSONB)
    priority: Mapped[int] = mapped_column(SmallInteger)
    correlation_id: Mapped[str] = mapped_column(Text)
    cause: Mapped[UUID | None]
    audience: Mapped[UUID | None]
    subject: Mapped[UUID | None]
    bulk: Mapped[bool]
    timestamp: Mapped[datetime] = mapped_column(DateTime(timezone=True))


class EventRow(EventColumns, Base):
    """An event that was carried on: history, timelines, replay."""

    __tablename__ = "events"
    __table_args__ = (
        Index("ix_events_subject", "subject", "position"),
        Index("ix_events_name", "name", "position"),
        Index("ix_events_correlation_id", "correlation_id"),
        Index("ix_events_id", "id", unique=True),
        Index("ix_events_timestamp", "timestamp"),
    )

    position: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)


class EventView(BaseModel):
    """An event as it is answered; `cause` is the event that it followed from."""

    id: UUID
    name: str
    version: int
    data: dict[str, Any]
    timestamp: datetime
    priority: int
    correlation_id: str
    cause: UUID | None


SHOWN = tuple(EventView.model_fields)


def shown(row: EventRow) -> dict[str, Any]:
    """Return an event as everyone who may see it sees it."""
    return {field: getattr(row, field) for field in SHOWN}


async def history(
    session: ReadSession,
    account_id: UUID,
    *,
    limit: int = 100,
    name: str | None = None,
    correlation_id: str | None = None,
    subject: UUID | None = None,
    after: int | None = None,
) -> Sequence[EventRow]:
    """Return logged events that this account may see, oldest first: the last `limit`, or the first beyond `after`."""
    query = select(EventRow).where((EventRow.audience.is_(None)) | (EventRow.audience == account_id)).limit(limit)
    if name is not None:
        query = query.where(EventRow.name == name)
    if correlation_id is not None:
        query = query.where(EventRow.correlation_id == correlation_id)
    if subject is not None:
        query = query.where(EventRow.subject == subject)
    if after is not None:
        return (await session.scalars(query.where(EventRow.position > after).order_by(EventRow.position))).all()
    return (await session.scalars(query.order_by(EventRow.position.desc()))).all()[::-1]


async def last_events(session: ReadSession, limit: int) -> Sequence[EventRow]:
    """Return the last events, whoever may see them, oldest first."""
    return (await session.scalars(select(EventRow).order_by(EventRow.position.desc()).limit(limit))).all()[::-1]
