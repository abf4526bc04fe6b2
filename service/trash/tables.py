"""The rows that only this slice changes."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, DateTime, ForeignKey, Index, Text, func, or_
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from service.database import Base


class Trashed(Base):
    """A deleted resource: by what it is recognised, and all that `kept.py` names as `{table: [row, ...]}`."""

    __tablename__ = "trash"
    __table_args__ = (
        Index("ix_trash_deleted_at", "deleted_at", "id", postgresql_include=["private", "owner_id"]),
        Index("ix_trash_address", "address"),
        Index("ix_trash_originals", "originals", postgresql_using="gin"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)  # of the resource
    owner_id: Mapped[UUID] = mapped_column(ForeignKey("users.id"))
    private: Mapped[bool]
    title: Mapped[str] = mapped_column(Text)
    url: Mapped[str | None] = mapped_column(Text)
    type: Mapped[str] = mapped_column(Text)
    address: Mapped[str | None] = mapped_column(Text)  # of its ingestion: added again, it is restored
    originals: Mapped[list[str]] = mapped_column(ARRAY(Text))  # storage keys
    deleted_by: Mapped[UUID | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    deleted_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    rows: Mapped[dict[str, Any]] = mapped_column(JSONB)

    @property
    def audience(self) -> UUID | None:
        """Who alone may hear of it; None: everyone."""
        return self.owner_id if self.private else None


def visible_to(account_id: UUID) -> ColumnElement[bool]:
    """Return the condition under which an account sees something in the trash: the one for resources."""
    return or_(Trashed.private.is_(False), Trashed.owner_id == account_id)
