"""The rows that only this slice changes: all derived, each with the hash of what it was made from."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    DDL,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    SmallInteger,
    Text,
    UniqueConstraint,
    event,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, TSVECTOR
from sqlalchemy.orm import Mapped, mapped_column

from service.database import Base
from service.inference import Vector
from service.search.languages import SETUP
from service.search.vectors import FullVector, HalfVector, SparseVector

_OWNER = "resources.id"
SHORT = 2  # letters of a word that what may follow is looked for


class SearchDocument(Base):
    """A resource by its words."""

    __tablename__ = "search_documents"
    __table_args__ = (
        # no pending list: it would make each search read what was written since the last vacuum
        Index("ix_search_documents_tsv", "tsv", postgresql_using="gin", postgresql_with={"fastupdate": "off"}),
        Index("ix_search_documents_configuration", "configuration"),
    )

    resource_id: Mapped[UUID] = mapped_column(ForeignKey(_OWNER, ondelete="CASCADE"), primary_key=True)
    configuration: Mapped[str] = mapped_column(Text)  # of its language; queries are read by the same
    input_hash: Mapped[str] = mapped_column(Text)
    tsv: Mapped[Any] = mapped_column(TSVECTOR)
    weights: Mapped[str | None] = mapped_column(SparseVector())  # of its terms; None until it is indexed again
    length: Mapped[float] = mapped_column(server_default="0")  # occurrences of terms, weighted by field
    labels: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default="{}")  # what facets count: `author:Ada`
    labels_hash: Mapped[str] = mapped_column(Text, server_default="")  # of its categories and quality among them
    truncated: Mapped[bool]  # the end of a very long text is not indexed
    indexed_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())


class SearchTerm(Base):
    """A term of the library, and how many texts have it."""

    __tablename__ = "search_terms"
    __table_args__ = ({"postgresql_with": {"fillfactor": "70"}},)  # the counts change in place

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    lexeme: Mapped[str] = mapped_column(Text(collation="C"), unique=True)
    documents: Mapped[int]


class SearchCorpus(Base):
    """The texts of one configuration together: how many, and how long."""

    __tablename__ = "search_corpora"

    configuration: Mapped[str] = mapped_column(Text, primary_key=True)
    documents: Mapped[int]
    length: Mapped[float]


class SearchWord(Base):
    """A word as somebody wrote it, to be suggested."""

    __tablename__ = "search_words"
    __table_args__ = (
        Index(
            "ix_search_words_word",
            "word",
            postgresql_using="gin",
            postgresql_ops={"word": "gin_trgm_ops"},
        ),
        Index("ix_search_words_term_id", "term_id"),
        Index(
            "ix_search_words_beginning",
            text(f"left(word, {SHORT})"),
            text("magnitude DESC"),
            "word",
            postgresql_include=["term_id"],
        ),
    )

    word: Mapped[str] = mapped_column(Text(collation="C"), primary_key=True)
    term_id: Mapped[int] = mapped_column(ForeignKey("search_terms.id", ondelete="CASCADE"))
    magnitude: Mapped[int] = mapped_column(SmallInteger, server_default="0")  # texts that have the term, as log2, about


class SavedSearch(Base):
    """A search that an account keeps: its fields as they are asked over HTTP."""

    __tablename__ = "saved_searches"
    __table_args__ = (UniqueConstraint("owner_id", "name"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    owner_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(Text)
    search: Mapped[dict[str, Any]] = mapped_column(JSONB)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    last_used_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


class Chunk(Base):
    """A passage of a resource by its meaning; `start` and `end` count characters of the content."""

    __tablename__ = "chunks"
    __table_args__ = (
        Index(
            "ix_chunks_embedding",
            "embedding",
            postgresql_using="hnsw",
            postgresql_ops={"embedding": "halfvec_cosine_ops"},
        ),
    )

    resource_id: Mapped[UUID] = mapped_column(ForeignKey(_OWNER, ondelete="CASCADE"), primary_key=True)
    ordinal: Mapped[int] = mapped_column(primary_key=True)
    start: Mapped[int]
    end: Mapped[int]
    text: Mapped[str] = mapped_column(Text)
    embedding: Mapped[Vector] = mapped_column(HalfVector())


class Embedding(Base):
    """A resource by its meaning as a whole."""

    __tablename__ = "embeddings"

    resource_id: Mapped[UUID] = mapped_column(ForeignKey(_OWNER, ondelete="CASCADE"), primary_key=True)
    input_hash: Mapped[str] = mapped_column(Text)
    model: Mapped[str] = mapped_column(Text)
    mean: Mapped[Vector | None] = mapped_column(FullVector())  # None: there is nothing to read
    chunk_count: Mapped[int]
    truncated: Mapped[bool]  # the end of a very long text is not embedded
    computed_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())


for statement in SETUP:
    event.listen(SearchDocument.__table__, "before_create", DDL(statement.replace("%", "%%")))
