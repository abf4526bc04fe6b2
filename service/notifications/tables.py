"""The rows that only this slice changes."""

from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy import DateTime, ForeignKey, Index, Text, func, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from service.database import Base

Time = DateTime(timezone=True)


class Notification(Base):
    """What a person is told: `count` things of one kind, the last three by name; a group grows until it is read."""

    __tablename__ = "notifications"
    __table_args__ = (
        Index("ix_notifications_user_id_updated_at", "user_id", "updated_at", "id"),
        Index("ix_notifications_unread", "user_id", "kind", postgresql_where=text("read_at IS NULL")),
        Index(
            "uq_notifications_open", "user_id", "kind", "group_key",
            unique=True, postgresql_where=text("read_at IS NULL"),
        ),
        Index("ix_notifications_read_at", "read_at", postgresql_where=text("read_at IS NOT NULL")),
    )  # fmt: skip

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    kind: Mapped[str] = mapped_column(Text)
    group_key: Mapped[str | None] = mapped_column(Text)  # None: stands alone
    count: Mapped[int] = mapped_column(server_default="1")
    names: Mapped[list[str]] = mapped_column(ARRAY(Text))  # newest first
    detail: Mapped[str | None] = mapped_column(Text)  # of the newest
    link: Mapped[str | None] = mapped_column(Text)  # of the newest
    created_at: Mapped[datetime] = mapped_column(Time, server_default=func.now())
    updated_at: Mapped[datetime] = mapped_column(Time, server_default=func.now())
    read_at: Mapped[datetime | None] = mapped_column(Time)


class NotificationCause(Base):
    """An event that was told to a person, or to nobody (`NOBODY`): it is not told again, whatever became of the row."""

    __tablename__ = "notification_causes"
    __table_args__ = (Index("ix_notification_causes_told_at", "told_at"),)

    event_id: Mapped[UUID] = mapped_column(primary_key=True)
    user_id: Mapped[UUID] = mapped_column(primary_key=True)
    told_at: Mapped[datetime] = mapped_column(Time, server_default=func.now())


class NotificationPreference(Base):
    """Whether somebody wants to hear of a kind; without a row it is as `kinds.ASKED_FOR` says."""

    __tablename__ = "notification_preferences"

    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    kind: Mapped[str] = mapped_column(Text, primary_key=True)
    wanted: Mapped[bool]


NOBODY = UUID(int=0)
