"""The rows that only this slice changes."""

from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy import ColumnElement, DateTime, ForeignKey, Index, Text, func, or_, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from service.database import Base
from service.security.accounts import Account

Time = DateTime(timezone=True)


class Resource(Base):
    """A web page, a document or a note: metadata, text, and how far its ingestion is."""

    __tablename__ = "resources"
    __table_args__ = (
        Index("ix_resources_created_at", "created_at", "id"),
        Index("ix_resources_owner_id_created_at", "owner_id", "created_at"),
        Index("ix_resources_canonical_url", "canonical_url"),
        Index("ix_resources_content_hash", "content_hash"),
        Index("ix_resources_updated_at", "updated_at"),
        Index("ix_resources_title", text("to_tsvector('simple'::regconfig, title)"), postgresql_using="gin"),
        Index("ix_resources_private", "owner_id", postgresql_where=text("private")),
        Index(
            "ix_resources_near_duplicate_of",
            "near_duplicate_of",
            postgresql_where=text("near_duplicate_of IS NOT NULL"),
        ),
        Index("ix_resources_unfinished", "status", postgresql_where=text("status <> 'completed'")),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    owner_id: Mapped[UUID] = mapped_column(ForeignKey("users.id"))
    private: Mapped[bool] = mapped_column(default=False)
    title: Mapped[str] = mapped_column(Text)
    description: Mapped[str | None] = mapped_column(Text, default=None)
    url: Mapped[str | None] = mapped_column(Text, default=None)
    canonical_url: Mapped[str | None] = mapped_column(Text, default=None)
    site: Mapped[str | None] = mapped_column(Text, default=None)
    type: Mapped[str] = mapped_column(Text, default="note")
    media_type: Mapped[str | None] = mapped_column(Text, default=None)
    language: Mapped[str | None] = mapped_column(Text, default=None)  # ISO 639-1
    authors: Mapped[list[str]] = mapped_column(ARRAY(Text), default=list)
    subjects: Mapped[list[str]] = mapped_column(ARRAY(Text), default=list)
    tags: Mapped[list[str]] = mapped_column(ARRAY(Text), default=list)
    identifiers: Mapped[list[str]] = mapped_column(ARRAY(Text), default=list, server_default="{}")  # doi:10.1000/182
    published_at: Mapped[datetime | None] = mapped_column(Time, default=None)
    content: Mapped[str] = mapped_column(Text, default="")  # clean text
    content_html: Mapped[str | None] = mapped_column(Text, default=None)  # cleaned, for reading
    content_hash: Mapped[str | None] = mapped_column(Text, default=None)  # SHA-256 of `content`, hex
    word_count: Mapped[int] = mapped_column(default=0)
    status: Mapped[str] = mapped_column(Text, default="pending")  # pending, processing, completed, failed
    version: Mapped[int] = mapped_column(default=1)
    duplicate_of: Mapped[UUID | None] = mapped_column(ForeignKey("resources.id", ondelete="SET NULL"), default=None)
    near_duplicate_of: Mapped[UUID | None] = mapped_column(
        ForeignKey("resources.id", ondelete="SET NULL"), default=None
    )
    created_at: Mapped[datetime] = mapped_column(Time, server_default=func.now())
    updated_at: Mapped[datetime] = mapped_column(Time, server_default=func.now())

    @property
    def audience(self) -> UUID | None:
        """Who alone may hear of it: the owner of a private resource; None: everyone."""
        return self.owner_id if self.private else None


def visible(account: Account) -> ColumnElement[bool]:
    """Return the condition under which this account may see a resource."""
    return visible_to(account.id)


def visible_to(account_id: UUID | ColumnElement[UUID]) -> ColumnElement[bool]:
    """Return the condition under which the account of that id may see a resource."""
    return or_(Resource.private.is_(False), Resource.owner_id == account_id)
