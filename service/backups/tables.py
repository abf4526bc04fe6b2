"""The rows that only this slice changes."""

from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy import BigInteger, DateTime, Index, Text, func
from sqlalchemy.orm import Mapped, mapped_column

from service.database import Base


class Backup(Base):
    """A backup that the timetable asked for; whoever holds the lease takes it."""

    __tablename__ = "backups"
    __table_args__ = (Index("ix_backups_requested_at", "requested_at"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    requested_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    leased_until: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    ended_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    file: Mapped[str | None] = mapped_column(Text)  # its name
    size: Mapped[int | None] = mapped_column(BigInteger)  # bytes
    error: Mapped[str | None] = mapped_column(Text)
