"""How far each ingestion is. Only this slice changes these rows."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import DateTime, ForeignKey, Index, SmallInteger, Text, func, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from service.database import Base

Time = DateTime(timezone=True)


class Ingestion(Base):
    """One resource's way in: what it comes from, who works on it, how it ended.

    `address` is the canonical URL of a shared page, the owner and the URL of a private one, the hash of an upload:
    unique, so that the same thing enters once.
    """

    __tablename__ = "ingestions"
    __table_args__ = (
        Index("uq_ingestions_address", "address", unique=True),
        Index("ix_ingestions_unfinished", "updated_at", postgresql_where=text("state IN ('pending', 'processing')")),
        Index("ix_ingestions_batch_id", "batch_id"),
        Index("ix_ingestions_original", "original"),
    )

    resource_id: Mapped[UUID] = mapped_column(ForeignKey("resources.id", ondelete="CASCADE"), primary_key=True)
    address: Mapped[str | None] = mapped_column(Text, default=None)
    source: Mapped[str] = mapped_column(Text)  # url, upload or content
    url: Mapped[str | None] = mapped_column(Text, default=None)
    filename: Mapped[str | None] = mapped_column(Text, default=None)
    declared_type: Mapped[str | None] = mapped_column(Text, default=None)
    original: Mapped[str | None] = mapped_column(Text, default=None)  # storage key of the bytes
    given_title: Mapped[str | None] = mapped_column(Text, default=None)  # outranks what is extracted
    as_read: Mapped[dict[str, Any]] = mapped_column(JSONB, default=dict, server_default="{}")  # metadata, the last time
    batch_id: Mapped[UUID | None] = mapped_column(default=None)
    task_id: Mapped[UUID | None] = mapped_column(default=None)
    state: Mapped[str] = mapped_column(Text, default="pending")  # pending, processing, completed, failed
    from_step: Mapped[str] = mapped_column(Text, default="fetched")
    attempts: Mapped[int] = mapped_column(SmallInteger, default=0)
    leased_by: Mapped[UUID | None] = mapped_column(default=None)  # the event that the holding task was started by
    leased_until: Mapped[datetime | None] = mapped_column(Time, default=None)
    error: Mapped[str | None] = mapped_column(Text, default=None)
    error_type: Mapped[str | None] = mapped_column(Text, default=None)
    created_at: Mapped[datetime] = mapped_column(Time, server_default=func.now())
    updated_at: Mapped[datetime] = mapped_column(Time, server_default=func.now(), onupdate=func.now())
    started_at: Mapped[datetime | None] = mapped_column(Time, default=None)
    finished_at: Mapped[datetime | None] = mapped_column(Time, default=None)


class IngestionStep(Base):
    """One step that ingestion itself does; `indexed` and `embedded` are told by the search slice's own rows."""

    __tablename__ = "ingestion_steps"

    resource_id: Mapped[UUID] = mapped_column(ForeignKey("resources.id", ondelete="CASCADE"), primary_key=True)
    name: Mapped[str] = mapped_column(Text, primary_key=True)  # fetched, extracted, stored
    state: Mapped[str] = mapped_column(Text)  # running, retrying, completed, failed
    started_at: Mapped[datetime] = mapped_column(Time)
    finished_at: Mapped[datetime | None] = mapped_column(Time, default=None)
    error: Mapped[str | None] = mapped_column(Text, default=None)


class CitationReading(Base):
    """Which text of a resource citations were found in, of those that people gave."""

    __tablename__ = "citation_readings"

    resource_id: Mapped[UUID] = mapped_column(ForeignKey("resources.id", ondelete="CASCADE"), primary_key=True)
    input_hash: Mapped[str] = mapped_column(Text)


class Signature(Base):
    """The MinHash of a text in four bands: near-duplicates share at least one of them."""

    __tablename__ = "signatures"
    __table_args__ = tuple(Index(f"ix_signatures_band{n}", f"band{n}") for n in range(4))

    resource_id: Mapped[UUID] = mapped_column(ForeignKey("resources.id", ondelete="CASCADE"), primary_key=True)
    band0: Mapped[int]
    band1: Mapped[int]
    band2: Mapped[int]
    band3: Mapped[int]
