"""The rows that only this slice changes, each private to its user."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import DateTime, ForeignKey, Index, func
from sqlalchemy.orm import Mapped, mapped_column

from service.database import Base


class Separated(Base):
    """A resource that a user says is no duplicate of any other of the same separation."""

    __tablename__ = "separations"
    __table_args__ = (
        Index("ix_separations_user_id", "user_id", "resource_id"),
        Index("ix_separations_resource_id", "resource_id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)  # of the separation: the same for all that are in it
    resource_id: Mapped[UUID] = mapped_column(ForeignKey("resources.id", ondelete="CASCADE"), primary_key=True)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    separated_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
