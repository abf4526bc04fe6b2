"""The rows that only this slice changes."""

from datetime import datetime
from hashlib import sha256
from uuid import UUID, uuid4

from sqlalchemy import CheckConstraint, DateTime, ForeignKey, Index, LargeBinary, Text, UniqueConstraint, func, text
from sqlalchemy.orm import Mapped, mapped_column

from service.database import Base

Time = DateTime(timezone=True)
LONGEST_KEY = 1000  # bytes; PostgreSQL indexes 2,700 at most


def key_of(given: str) -> str:
    """Return a text that an index can hold: itself, or its SHA-256 where it is long."""
    return given if len(given.encode()) <= LONGEST_KEY else f"sha256:{sha256(given.encode()).hexdigest()}"


class Feed(Base):
    """A feed that somebody follows; `next_at` is also until when a look at it holds it, `polls` numbers the looks."""

    __tablename__ = "feeds"
    __table_args__ = (
        UniqueConstraint("user_id", "canonical_url"),
        Index("ix_feeds_next_at", "next_at"),
        Index("ix_feeds_host_next_at", "host", "next_at"),
        Index("ix_feeds_collection_id", "collection_id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    collection_id: Mapped[UUID | None] = mapped_column(ForeignKey("collections.id", ondelete="SET NULL"))
    url: Mapped[str] = mapped_column(Text)
    canonical_url: Mapped[str] = mapped_column(Text)
    host: Mapped[str] = mapped_column(Text)  # with the port where it is not the scheme's own
    given_title: Mapped[str | None] = mapped_column(Text)
    read_title: Mapped[str | None] = mapped_column(Text)
    site_url: Mapped[str | None] = mapped_column(Text)
    folder: Mapped[str | None] = mapped_column(Text)  # as OPML has it
    private: Mapped[bool] = mapped_column(server_default="false", default=False)
    paused: Mapped[bool] = mapped_column(server_default="false", default=False)
    interval: Mapped[int]  # seconds
    etag: Mapped[str | None] = mapped_column(Text)
    last_modified: Mapped[str | None] = mapped_column(Text)
    taken: Mapped[int] = mapped_column(server_default="0", default=0)  # entries that became resources
    polls: Mapped[int] = mapped_column(server_default="0", default=0)
    failures: Mapped[int] = mapped_column(server_default="0", default=0)  # in a row
    error: Mapped[str | None] = mapped_column(Text)
    checked_at: Mapped[datetime | None] = mapped_column(Time)
    changed_at: Mapped[datetime | None] = mapped_column(Time)
    next_at: Mapped[datetime] = mapped_column(Time, server_default=func.now())
    created_at: Mapped[datetime] = mapped_column(Time, server_default=func.now())

    @property
    def title(self) -> str:
        """What it is called: by who follows it, else by itself."""
        return self.given_title or self.read_title or self.url


class FeedEntry(Base):
    """An entry that was seen in a feed, by its guid and by its canonical address; without a resource where `skipped`
    says why, or where that was deleted; `left_at` is when the feed was first seen without it."""

    __tablename__ = "feed_entries"
    __table_args__ = (
        UniqueConstraint("feed_id", "canonical_url"),
        Index("ix_feed_entries_feed_id_seen_at", "feed_id", "seen_at"),
        Index("ix_feed_entries_resource_id", "resource_id"),
        Index("ix_feed_entries_left_at", "left_at", postgresql_where=text("left_at IS NOT NULL")),
    )

    feed_id: Mapped[UUID] = mapped_column(ForeignKey("feeds.id", ondelete="CASCADE"), primary_key=True)
    guid: Mapped[str] = mapped_column(Text, primary_key=True)
    canonical_url: Mapped[str | None] = mapped_column(Text)
    resource_id: Mapped[UUID | None] = mapped_column(ForeignKey("resources.id", ondelete="SET NULL"))
    title: Mapped[str | None] = mapped_column(Text)
    url: Mapped[str | None] = mapped_column(Text)
    skipped: Mapped[str | None] = mapped_column(Text)
    published_at: Mapped[datetime | None] = mapped_column(Time)
    seen_at: Mapped[datetime] = mapped_column(Time, server_default=func.now())
    left_at: Mapped[datetime | None] = mapped_column(Time)


class FeedHost(Base):
    """A host that asked to be left alone until then."""

    __tablename__ = "feed_hosts"

    host: Mapped[str] = mapped_column(Text, primary_key=True)
    not_before: Mapped[datetime] = mapped_column(Time)


class FeedLink(Base):
    """A secret address under which a collection or a saved search of its maker's can be followed; kept as its hash."""

    __tablename__ = "feed_links"
    __table_args__ = (
        CheckConstraint("(collection_id IS NULL) <> (saved_search_id IS NULL)", name="target"),
        Index("ix_feed_links_user_id", "user_id"),
        Index("ix_feed_links_collection_id", "collection_id"),
        Index("ix_feed_links_saved_search_id", "saved_search_id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    collection_id: Mapped[UUID | None] = mapped_column(ForeignKey("collections.id", ondelete="CASCADE"))
    saved_search_id: Mapped[UUID | None] = mapped_column(ForeignKey("saved_searches.id", ondelete="CASCADE"))
    key: Mapped[str] = mapped_column(Text, unique=True)
    digest: Mapped[bytes] = mapped_column(LargeBinary)
    created_at: Mapped[datetime] = mapped_column(Time, server_default=func.now())
    used_at: Mapped[datetime | None] = mapped_column(Time)
