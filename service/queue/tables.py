"""What the queue keeps in PostgreSQL: the tasks that a person asked for, and those that failed for good."""

from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import DateTime, Index, Integer, Text, func, literal_column, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from service.database import Base


class DeadLetter(Base):
    """A task that failed for good, with everything that is needed to understand it and to send it again."""

    __tablename__ = "dead_letters"
    __table_args__ = (
        Index("ix_dead_letters_queue_failed_at", "queue", "failed_at"),
        Index(
            "ix_dead_letters_words",
            "exception",
            literal_column("(arguments::text)").label("arguments"),
            literal_column("(positional::text)").label("positional"),
            postgresql_using="gin",
            postgresql_ops=dict.fromkeys(("exception", "arguments", "positional"), "gin_trgm_ops"),
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    task_id: Mapped[str] = mapped_column(Text, unique=True)  # a stock producer may use any text
    name: Mapped[str] = mapped_column(Text, index=True)
    queue: Mapped[str] = mapped_column(Text)
    arguments: Mapped[dict[str, Any]] = mapped_column(JSONB)
    positional: Mapped[list[Any]] = mapped_column(JSONB, server_default=text("'[]'"))
    options: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default=text("'{}'"))
    exception: Mapped[str] = mapped_column(Text)
    traceback: Mapped[str | None] = mapped_column(Text)
    attempts: Mapped[int] = mapped_column(Integer)
    reason: Mapped[str] = mapped_column(Text)
    failed_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now(), index=True)


class AcceptedTask(Base):
    """A task that a person asked for, from the request on; how it ended stays when Redis has forgotten it."""

    __tablename__ = "tasks"
    __table_args__ = (
        Index("ix_tasks_owner_id_created_at", "owner_id", "created_at"),
        Index("ix_tasks_created_at", "created_at"),
        Index("ix_tasks_name_created_at", "name", "created_at"),
        Index("ix_tasks_open", "created_at", postgresql_where=text("status IS NULL")),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(Text)
    queue: Mapped[str] = mapped_column(Text)
    owner_id: Mapped[UUID]
    correlation_id: Mapped[str | None] = mapped_column(Text)  # of the request
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    cancelled_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    status: Mapped[str | None] = mapped_column(Text)  # how it ended
    attempts: Mapped[int] = mapped_column(Integer, server_default="0")
    started_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    ended_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    result: Mapped[Any | None] = mapped_column(JSONB(none_as_null=True))
    error: Mapped[str | None] = mapped_column(Text)
