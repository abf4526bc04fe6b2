"""The rows that only this slice changes."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, DateTime, ForeignKey, Identity, Index, Text, func, select, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from service.database import Base, ReadSession

_OWNER = "resources.id"
_NEWEST = ("opened_at", "resource_id", "kind")
Time = DateTime(timezone=True)


class Quality(Base):
    """How good a resource is: scores of 0 to 1 as they count, with what people corrected; `computed` without it."""

    __tablename__ = "quality"
    __table_args__ = (Index("ix_quality_overall", "overall", "resource_id"),)

    resource_id: Mapped[UUID] = mapped_column(ForeignKey(_OWNER, ondelete="CASCADE"), primary_key=True)
    overall: Mapped[float]
    accuracy: Mapped[float]
    completeness: Mapped[float]
    consistency: Mapped[float]
    timeliness: Mapped[float]
    relevance: Mapped[float]
    computed: Mapped[dict[str, float]] = mapped_column(JSONB)
    corrections: Mapped[dict[str, dict[str, Any]]] = mapped_column(JSONB, server_default="{}")  # value, user_id, at
    reasons: Mapped[dict[str, list[str]]] = mapped_column(JSONB)
    readability: Mapped[dict[str, float] | None] = mapped_column(JSONB(none_as_null=True))
    input_hash: Mapped[str] = mapped_column(Text)  # of everything it was computed from
    source_hash: Mapped[str] = mapped_column(Text)  # of the resource's own rows among that, as PostgreSQL computes it
    computed_at: Mapped[datetime] = mapped_column(Time, server_default=func.now())
    is_outlier: Mapped[bool] = mapped_column(server_default="false")


async def qualities_of(session: ReadSession, resource_ids: Iterable[UUID]) -> dict[UUID, float]:
    """Return how good each resource is of which that is known."""
    rows = await session.execute(
        select(Quality.resource_id, Quality.overall).where(Quality.resource_id.in_(resource_ids))
    )
    return {row.resource_id: row.overall for row in rows}


class QualityChange(Base):
    """What the scores were from a moment on."""

    __tablename__ = "quality_history"
    __table_args__ = (
        Index("ix_quality_history_resource_id_recorded_at", "resource_id", "recorded_at"),
        Index("ix_quality_history_recorded_at", "recorded_at"),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    resource_id: Mapped[UUID] = mapped_column(ForeignKey(_OWNER, ondelete="CASCADE"))
    recorded_at: Mapped[datetime] = mapped_column(Time, server_default=func.now())
    overall: Mapped[float]
    accuracy: Mapped[float]
    completeness: Mapped[float]
    consistency: Mapped[float]
    timeliness: Mapped[float]
    relevance: Mapped[float]


class QualityReview(Base):
    """A resource that a person should look at, once per kind of finding: degraded or outlier."""

    __tablename__ = "quality_reviews"
    __table_args__ = (
        Index("ix_quality_reviews_open", *_NEWEST, postgresql_where=text("settled_at IS NULL")),
        Index("ix_quality_reviews_settled", *_NEWEST, postgresql_where=text("settled_at IS NOT NULL")),
    )

    resource_id: Mapped[UUID] = mapped_column(ForeignKey(_OWNER, ondelete="CASCADE"), primary_key=True)
    kind: Mapped[str] = mapped_column(Text, primary_key=True)
    reasons: Mapped[list[str]] = mapped_column(JSONB)
    score: Mapped[float]  # overall, when it was found
    opened_at: Mapped[datetime] = mapped_column(Time, server_default=func.now())
    settled_at: Mapped[datetime | None] = mapped_column(Time)
    settled_by: Mapped[UUID | None]
    decision: Mapped[str | None] = mapped_column(Text)  # confirmed or dismissed
    note: Mapped[str | None] = mapped_column(Text)
