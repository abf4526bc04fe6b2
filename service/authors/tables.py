"""The rows that only this slice changes.

An author whose every resource is gone is removed by the reconciler.
"""

from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy import DateTime, ForeignKey, Index, Text, func, text
from sqlalchemy.orm import Mapped, mapped_column

from service.database import Base

_AUTHOR = "authors.id"


class Author(Base):
    """A person or an organisation; its names are the fullest that shared resources have, if any does."""

    __tablename__ = "authors"
    __table_args__ = (Index("ix_authors_key", "key"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    name: Mapped[str] = mapped_column(Text)
    sort_name: Mapped[str] = mapped_column(Text)
    key: Mapped[str] = mapped_column(Text)
    kind: Mapped[str] = mapped_column(Text)  # person, organisation
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())


class AuthorVariant(Base):
    """A name under which an author is known; ways to write the same one are one variant."""

    __tablename__ = "author_variants"
    __table_args__ = (Index("ix_author_variants_key", "key", "author_id"),)

    author_id: Mapped[UUID] = mapped_column(ForeignKey(_AUTHOR, ondelete="CASCADE"), primary_key=True)
    heading: Mapped[str] = mapped_column(Text, primary_key=True)
    key: Mapped[str] = mapped_column(Text)
    written: Mapped[str] = mapped_column(Text)


class AuthorLink(Base):
    """An author of a resource: how the name is written there, and why it is this author."""

    __tablename__ = "author_links"
    __table_args__ = (
        Index("ix_author_links_author_id", "author_id", "resource_id", postgresql_include=["sort_name"]),
        Index("ix_author_links_key", "key"),
        Index("ix_author_links_orcid", "orcid", postgresql_where=text("orcid IS NOT NULL")),
        Index("ix_author_links_folded", "folded", postgresql_using="gin", postgresql_ops={"folded": "gin_trgm_ops"}),
    )

    resource_id: Mapped[UUID] = mapped_column(ForeignKey("resources.id", ondelete="CASCADE"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    author_id: Mapped[UUID] = mapped_column(ForeignKey(_AUTHOR, ondelete="CASCADE"))
    written: Mapped[str] = mapped_column(Text)
    name: Mapped[str] = mapped_column(Text)
    sort_name: Mapped[str] = mapped_column(Text)
    folded: Mapped[str] = mapped_column(Text)
    heading: Mapped[str] = mapped_column(Text)
    key: Mapped[str] = mapped_column(Text)
    fullness: Mapped[int]
    orcid: Mapped[str | None] = mapped_column(Text)
    basis: Mapped[str] = mapped_column(Text)  # identifier, coauthor, subject, name, new, hand


class AuthorDistinction(Base):
    """Two authors that somebody said are not the same."""

    __tablename__ = "author_distinctions"

    one_id: Mapped[UUID] = mapped_column(ForeignKey(_AUTHOR, ondelete="CASCADE"), primary_key=True)
    other_id: Mapped[UUID] = mapped_column(ForeignKey(_AUTHOR, ondelete="CASCADE"), primary_key=True)


class AuthorReading(Base):
    """What the links of a resource were made from."""

    __tablename__ = "author_readings"

    resource_id: Mapped[UUID] = mapped_column(ForeignKey("resources.id", ondelete="CASCADE"), primary_key=True)
    input_hash: Mapped[str] = mapped_column(Text)
    read_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
