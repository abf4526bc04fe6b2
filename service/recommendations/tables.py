"""The rows that only this slice changes, each private to its user."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, DateTime, ForeignKey, Identity, Index, Text, UniqueConstraint, func
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, REAL
from sqlalchemy.orm import Mapped, mapped_column

from service.database import Base

_USER, _RESOURCE = "users.id", "resources.id"
Time = DateTime(timezone=True)


class Interaction(Base):
    """A person touched a resource. `event_id` is the event that told of it: carried twice, it counts once."""

    __tablename__ = "interactions"
    __table_args__ = (
        Index("ix_interactions_user_id", "user_id", "id"),
        Index("ix_interactions_resource_id", "resource_id", "id"),
        UniqueConstraint("event_id", "resource_id"),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    user_id: Mapped[UUID] = mapped_column(ForeignKey(_USER, ondelete="CASCADE"))
    resource_id: Mapped[UUID] = mapped_column(ForeignKey(_RESOURCE, ondelete="CASCADE"))
    interaction_type: Mapped[str] = mapped_column(Text)
    strength: Mapped[float]  # 0 to 1
    rating: Mapped[int | None]  # 1 to 5
    dwell_seconds: Mapped[float | None]
    event_id: Mapped[UUID | None]
    created_at: Mapped[datetime] = mapped_column(Time, server_default=func.now())


class InteractionCount(Base):
    """How many interactions a user ever had. It never falls, whatever is deleted: every tenth comes once."""

    __tablename__ = "interaction_counts"

    user_id: Mapped[UUID] = mapped_column(ForeignKey(_USER, ondelete="CASCADE"), primary_key=True)
    total: Mapped[int]
    began_at: Mapped[datetime] = mapped_column(Time, server_default=func.now())  # anew after the user has it forgotten
    last_at: Mapped[datetime] = mapped_column(Time, server_default=func.now())


class RecommendationProfile(Base):
    """What a user's interactions say; `total` of them were there when it was made."""

    __tablename__ = "recommendation_profiles"

    user_id: Mapped[UUID] = mapped_column(ForeignKey(_USER, ondelete="CASCADE"), primary_key=True)
    input_hash: Mapped[str] = mapped_column(Text)
    total: Mapped[int]
    resources: Mapped[int]  # that it was made from
    centre: Mapped[list[float] | None] = mapped_column(ARRAY(REAL))  # unit vector; None: nothing has a meaning yet
    subjects: Mapped[dict[str, Any]] = mapped_column(JSONB)  # name: weight, 0 to 1
    authors: Mapped[dict[str, Any]] = mapped_column(JSONB)
    computed_at: Mapped[datetime] = mapped_column(Time, server_default=func.now())


class DismissedRecommendation(Base):
    """A resource that a user does not want to be recommended."""

    __tablename__ = "dismissed_recommendations"
    __table_args__ = (Index("ix_dismissed_recommendations_resource_id", "resource_id"),)

    user_id: Mapped[UUID] = mapped_column(ForeignKey(_USER, ondelete="CASCADE"), primary_key=True)
    resource_id: Mapped[UUID] = mapped_column(ForeignKey(_RESOURCE, ondelete="CASCADE"), primary_key=True)
    dismissed_at: Mapped[datetime] = mapped_column(Time, server_default=func.now())
