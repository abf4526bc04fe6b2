"""The rows that only this slice changes."""

from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy import BigInteger, DateTime, Float, ForeignKey, Index, Integer, Text, func
from sqlalchemy.dialects.postgresql import JSONB
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


class QueueMinute(Base):
    """What a queue was like at the end of a minute, and what ended in it; the depth is missing where nobody looked."""

    __tablename__ = "queue_minutes"

    minute: Mapped[datetime] = mapped_column(DateTime(timezone=True), primary_key=True)  # its beginning
    queue: Mapped[str] = mapped_column(Text, primary_key=True)
    waiting: Mapped[int | None] = mapped_column(Integer)
    scheduled: Mapped[int | None] = mapped_column(Integer)
    running: Mapped[int | None] = mapped_column(Integer)
    oldest_age_s: Mapped[float | None] = mapped_column(Float)
    succeeded: Mapped[int] = mapped_column(Integer)
    failed: Mapped[int] = mapped_column(Integer)
    retried: Mapped[int] = mapped_column(Integer)
    tasks: Mapped[dict[str, dict[str, int]]] = mapped_column(JSONB)  # how many, by name and status
    durations: Mapped[dict[str, int]] = mapped_column(JSONB)  # how many runs, by bucket of `queue.durations`
