"""The rows that only this slice changes."""

from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy import CheckConstraint, DateTime, ForeignKey, Index, SmallInteger, Text, UniqueConstraint, func, text
from sqlalchemy.orm import Mapped, mapped_column

from service.database import Base

Time = DateTime(timezone=True)


class Digest(Base):
    """How often somebody wants letters, where to, and up to when they were told."""

    __tablename__ = "digests"
    __table_args__ = (
        CheckConstraint("frequency IN ('off', 'daily', 'weekly')", name="frequency"),
        Index("ix_digests_next_at", "next_at", postgresql_where=text("next_at IS NOT NULL")),
    )

    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    frequency: Mapped[str] = mapped_column(Text, server_default="off", default="off")
    weekday: Mapped[int] = mapped_column(SmallInteger, server_default="1", default=1)  # Monday is 1
    hour: Mapped[int] = mapped_column(SmallInteger, server_default="7", default=7)
    timezone: Mapped[str] = mapped_column(Text, server_default="UTC", default="UTC")
    address: Mapped[str | None] = mapped_column(Text)  # confirmed
    asked_address: Mapped[str | None] = mapped_column(Text)  # a letter with a link went there
    secret: Mapped[str] = mapped_column(Text)  # that links are signed with
    next_at: Mapped[datetime | None] = mapped_column(Time)  # of the next letter; None: off, or nothing is confirmed
    told_until: Mapped[datetime] = mapped_column(Time, server_default=func.now())
    failures: Mapped[int] = mapped_column(SmallInteger, server_default="0", default=0)  # letters given up in a row
    stopped_reason: Mapped[str | None] = mapped_column(Text)  # None unless it was switched off for its failures


class DigestLetter(Base):
    """One letter: of the notifications from `since` to `until`; `due_at` is also until when an attempt holds it."""

    __tablename__ = "digest_letters"
    __table_args__ = (
        CheckConstraint("state IN ('waiting', 'sent', 'empty', 'failed')", name="state"),
        UniqueConstraint("user_id", "period"),
        Index("ix_digest_letters_due_at", "due_at", postgresql_where=text("state = 'waiting'")),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    period: Mapped[datetime] = mapped_column(Time)  # when it was to be sent
    since: Mapped[datetime] = mapped_column(Time)
    until: Mapped[datetime] = mapped_column(Time)
    state: Mapped[str] = mapped_column(Text, server_default="waiting", default="waiting")
    count: Mapped[int | None]  # of the notifications in it
    attempts: Mapped[int] = mapped_column(SmallInteger, server_default="0", default=0)
    due_at: Mapped[datetime] = mapped_column(Time, server_default=func.now())
    error: Mapped[str | None] = mapped_column(Text)  # of the last attempt
    created_at: Mapped[datetime] = mapped_column(Time, server_default=func.now())
    sent_at: Mapped[datetime | None] = mapped_column(Time)
