"""The rows that only this slice changes."""

from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy import ColumnElement, DateTime, ForeignKey, Index, Text, and_, cast, func, or_, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import InstrumentedAttribute, Mapped, mapped_column

from service.database import Base
from service.security.accounts import Account

Time = DateTime(timezone=True)
FEW_TAGS = 10  # so many, of 64 characters each, find room in an index

# An index holds no text of more than 2,700 bytes, and a name may be longer.
HASHES = """CREATE OR REPLACE FUNCTION pharos_hashes(texts text[]) RETURNS integer[]
    LANGUAGE sql IMMUTABLE PARALLEL SAFE STRICT
    RETURN (SELECT coalesce(array_agg(hashtext(one)), '{}') FROM unnest(texts) AS one)"""
_SHOWN = ("private", "owner_id")  # what decides who may see a row
_GROUPED = ("id", "created_at", *_SHOWN)  # what duplicates are found by


class Resource(Base):
    """A web page, a document or a note: metadata, text, and how far its ingestion is."""

    __tablename__ = "resources"
    __table_args__ = (
        Index("ix_resources_created_at", "created_at", "id", postgresql_include=[*_SHOWN, "status"]),
        Index("ix_resources_language", "language", "created_at", postgresql_include=_SHOWN),
        Index("ix_resources_published_at", "published_at", "id"),
        Index("ix_resources_latest", text("published_at DESC NULLS LAST"), "id"),
        Index("ix_resources_title_start", text("left(title, 100)")),
        Index("ix_resources_type", "type", postgresql_using="hash"),
        Index(
            "ix_resources_found_by",
            "title",
            "tags",
            text("pharos_hashes(authors)"),
            text("pharos_hashes(subjects)"),
            postgresql_using="gin",
            postgresql_ops={"title": "gin_trgm_ops"},
        ),
        Index(
            "ix_resources_tags",
            *_SHOWN,
            postgresql_include=["tags"],
            postgresql_where=text(f"cardinality(tags) BETWEEN 1 AND {FEW_TAGS}"),
        ),
        Index("ix_resources_many_tags", "owner_id", postgresql_where=text(f"cardinality(tags) > {FEW_TAGS}")),
        Index("ix_resources_owner_id_created_at", "owner_id", "created_at"),
        Index("ix_resources_canonical_url", "canonical_url", postgresql_include=_GROUPED),
        Index("ix_resources_content_hash", "content_hash", postgresql_include=_GROUPED),
        Index("ix_resources_updated_at", "updated_at"),
        Index("ix_resources_title", text("to_tsvector('simple'::regconfig, title)"), postgresql_using="gin"),
        Index("ix_resources_private", "owner_id", "id", postgresql_where=text("private")),
        Index("ix_resources_duplicate_of", "duplicate_of", postgresql_where=text("duplicate_of IS NOT NULL")),
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


def holds(texts: InstrumentedAttribute[list[str]], one: str) -> ColumnElement[bool]:
    """Return the condition under which authors, or subjects, have this one among them; an index serves it."""
    alike = func.pharos_hashes(texts).op("@>", is_comparison=True)(func.pharos_hashes(cast([one], ARRAY(Text))))
    return and_(alike, texts.contains([one]))


def visible(account: Account) -> ColumnElement[bool]:
    """Return the condition under which this account may see a resource."""
    return visible_to(account.id)


def visible_to(account_id: UUID | ColumnElement[UUID]) -> ColumnElement[bool]:
    """Return the condition under which the account of that id may see a resource."""
    return or_(Resource.private.is_(False), Resource.owner_id == account_id)
