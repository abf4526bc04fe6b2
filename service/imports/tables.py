"""The rows that only this slice changes."""

from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import DateTime, ForeignKey, Index, Integer, Text, func, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from service.database import Base

Time = DateTime(timezone=True)


class Import(Base):
    """One file that somebody wants in the library; `state` is pending, adding, completed, failed or cancelled."""

    __tablename__ = "imports"
    __table_args__ = (
        Index("ix_imports_owner_id_created_at", "owner_id", "created_at"),
        Index("ix_imports_original", "original"),
        Index("ix_imports_unfinished", "updated_at", postgresql_where=text("state IN ('pending', 'adding')")),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    owner_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    filename: Mapped[str] = mapped_column(Text)
    original: Mapped[str | None] = mapped_column(Text, default=None)  # storage key; None once it is read
    format: Mapped[str] = mapped_column(Text)  # auto until the file is read
    collection_id: Mapped[UUID | None] = mapped_column(ForeignKey("collections.id", ondelete="SET NULL"), default=None)
    private: Mapped[bool] = mapped_column(default=False)
    tags: Mapped[list[str]] = mapped_column(ARRAY(Text), default=list)
    state: Mapped[str] = mapped_column(Text, default="pending")
    total: Mapped[int] = mapped_column(Integer, default=0)
    task_id: Mapped[UUID | None] = mapped_column(default=None)
    error: Mapped[str | None] = mapped_column(Text, default=None)
    created_at: Mapped[datetime] = mapped_column(Time, server_default=func.now())
    updated_at: Mapped[datetime] = mapped_column(Time, server_default=func.now(), onupdate=func.now())
    finished_at: Mapped[datetime | None] = mapped_column(Time, default=None)


class ImportEntry(Base):
    """What a file says of one thing, or what was wrong in a line of it; `state` is pending, added, merged or failed."""

    __tablename__ = "import_entries"
    __table_args__ = (
        Index("ix_import_entries_pending", "import_id", "ordinal", postgresql_where=text("state = 'pending'")),
        Index("ix_import_entries_failed", "import_id", "ordinal", postgresql_where=text("state = 'failed'")),
        Index("ix_import_entries_resource_id", "resource_id"),
    )

    import_id: Mapped[UUID] = mapped_column(ForeignKey("imports.id", ondelete="CASCADE"), primary_key=True)
    ordinal: Mapped[int] = mapped_column(Integer, primary_key=True)
    line: Mapped[int] = mapped_column(Integer)
    shown: Mapped[str] = mapped_column(Text)  # by which a person recognises it
    entry: Mapped[dict[str, Any] | None] = mapped_column(JSONB, default=None)  # None: nothing was read, or it is done
    state: Mapped[str] = mapped_column(Text, server_default="pending")
    reason: Mapped[str | None] = mapped_column(Text, default=None)
    resource_id: Mapped[UUID | None] = mapped_column(ForeignKey("resources.id", ondelete="SET NULL"), default=None)


class ImportSource(Base):
    """By what an account's imports know a resource again: its address, its DOI, or the hash of what it says."""

    __tablename__ = "import_sources"
    __table_args__ = (Index("ix_import_sources_resource_id", "resource_id"),)

    owner_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    key: Mapped[str] = mapped_column(Text, primary_key=True)
    resource_id: Mapped[UUID] = mapped_column(ForeignKey("resources.id", ondelete="CASCADE"))


class ImportHighlight(Base):
    """A passage that somebody had marked elsewhere; `tried_in` is the hash of the text that it was looked for in."""

    __tablename__ = "import_highlights"
    __table_args__ = (Index("ix_import_highlights_waiting", "resource_id", postgresql_where=text("NOT placed")),)

    resource_id: Mapped[UUID] = mapped_column(ForeignKey("resources.id", ondelete="CASCADE"), primary_key=True)
    owner_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    quote_hash: Mapped[str] = mapped_column(Text, primary_key=True)
    quote: Mapped[str] = mapped_column(Text)
    note: Mapped[str] = mapped_column(Text, default="")
    tags: Mapped[list[str]] = mapped_column(ARRAY(Text), default=list)
    colour: Mapped[str | None] = mapped_column(Text, default=None)
    placed: Mapped[bool] = mapped_column(default=False)
    tried_in: Mapped[str | None] = mapped_column(Text, default=None)


class Bibliography(Base):
    """What a bibliography said of a resource, as CSL-JSON: the fields for which a resource has no column."""

    __tablename__ = "bibliographies"

    resource_id: Mapped[UUID] = mapped_column(ForeignKey("resources.id", ondelete="CASCADE"), primary_key=True)
    csl: Mapped[dict[str, Any]] = mapped_column(JSONB)
