"""The rows that only this slice changes, each private to its user."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, DateTime, ForeignKey, Index, Text, func
from sqlalchemy.orm import Mapped, mapped_column

from service.database import Base
from service.readings.progress import State

Time = DateTime(timezone=True)


class Reading(Base):
    """A resource that an account wants to read, reads, or has read; `progress` is where it was last, 0 to 1."""

    __tablename__ = "readings"
    __table_args__ = (
        CheckConstraint("state IN ('unread', 'reading', 'read', 'archived')", name="state"),
        CheckConstraint("progress BETWEEN 0 AND 1", name="progress"),
        Index("ix_readings_user_id_updated_at", "user_id", "updated_at", "resource_id"),
        Index("ix_readings_user_id_state", "user_id", "state", "updated_at", "resource_id"),
        Index("ix_readings_resource_id", "resource_id"),
    )

    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    resource_id: Mapped[UUID] = mapped_column(ForeignKey("resources.id", ondelete="CASCADE"), primary_key=True)
    state: Mapped[State] = mapped_column(Text)
    progress: Mapped[float]
    added_at: Mapped[datetime] = mapped_column(Time, server_default=func.now())
    updated_at: Mapped[datetime] = mapped_column(Time, server_default=func.now())
    finished_at: Mapped[datetime | None] = mapped_column(Time)
