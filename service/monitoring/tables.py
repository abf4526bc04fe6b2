"""The rows that only this slice changes."""

from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy import BigInteger, DateTime, Float, ForeignKey, Index, Text, func
from sqlalchemy.orm import Mapped, mapped_column

from service.database import Base


class Alert(Base):
    """Something that whoever watches should look at; while it lasts `ended_at` is empty."""

    __tablename__ = "alerts"
    __table_args__ = (
        Index("ix_alerts_lasting", "kind", "account_id", unique=True, postgresql_where="ended_at IS NULL"),
        Index("ix_alerts_raised_at", "raised_at"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    kind: Mapped[str] = mapped_column(Text)  # of `patterns.MEASURES`
    account_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    found: Mapped[int] = mapped_column(BigInteger)  # the most that was seen in a window
    usual: Mapped[float] = mapped_column(Float)
    raised_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    seen_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    ended_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
