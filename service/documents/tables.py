"""The rows that only this slice changes."""

from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    DateTime,
    ForeignKey,
    Index,
    Text,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from service.database import Base
from service.resources.tables import Resource

Time = DateTime(timezone=True)
# Of the cutting: another one makes every passage stale, and needs `pharos_document_status` written anew by a migration.
PASSAGES_VERSION = "passages/1"

_USER = "users.id"
_RESOURCE = "resources.id"


class StudySubject(Base):
    """What somebody studies: one of the drawers that an account puts its documents into."""

    __tablename__ = "study_subjects"
    __table_args__ = (UniqueConstraint("owner_id", "folded"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    owner_id: Mapped[UUID] = mapped_column(ForeignKey(_USER, ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(Text)
    folded: Mapped[str] = mapped_column(Text)  # the name without case and accents: unique for its owner
    colour: Mapped[str] = mapped_column(Text)  # one of `subjects.COLOURS`
    position: Mapped[int]
    created_at: Mapped[datetime] = mapped_column(Time, server_default=func.now())


class Document(Base):
    """An uploaded file: its name, its size, where its bytes are, and from which text what is derived was made.

    The three hashes are compared with `INPUT` of the present text; so none of them can call old passages new. `status`
    follows from them and from the resource: triggers write it (migration 0026), whoever changes either.
    """

    __tablename__ = "documents"
    __table_args__ = (
        Index("ix_documents_owner_id_created_at", "owner_id", "created_at", postgresql_include=["resource_id"]),
        Index("ix_documents_created_at", "created_at", "id"),
        Index("ix_documents_status", "status", "created_at", "id", postgresql_include=["resource_id"]),
        Index("ix_documents_subject_id", "subject_id"),
        Index("ix_documents_original", "original"),
        Index("ix_documents_filename", func.lower(text("filename")), "id"),
        Index("ix_documents_size", "size", "id"),
        Index("ix_documents_unsearchable", "resource_id", postgresql_where=text("failed_hash IS NOT NULL")),
        Index(
            "ix_documents_filename_words",
            "filename",
            postgresql_using="gin",
            postgresql_ops={"filename": "gin_trgm_ops"},
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    resource_id: Mapped[UUID] = mapped_column(ForeignKey(_RESOURCE, ondelete="CASCADE"), unique=True)
    owner_id: Mapped[UUID] = mapped_column(ForeignKey(_USER))
    filename: Mapped[str] = mapped_column(Text)
    subject_id: Mapped[UUID | None] = mapped_column(ForeignKey("study_subjects.id", ondelete="SET NULL"), default=None)
    category: Mapped[str | None] = mapped_column(Text, default=None)
    size: Mapped[int] = mapped_column(BigInteger)  # bytes
    original: Mapped[str] = mapped_column(Text)  # storage key
    pages: Mapped[int | None] = mapped_column(default=None)  # None where the format has none
    passages_hash: Mapped[str | None] = mapped_column(Text, default=None)  # what its passages were cut from
    ready_hash: Mapped[str | None] = mapped_column(Text, default=None)  # what its words and meaning are found by
    failed_hash: Mapped[str | None] = mapped_column(Text, default=None)  # what could not be indexed
    index_error: Mapped[str | None] = mapped_column(Text, default=None)
    status: Mapped[str] = mapped_column(Text, server_default="uploaded")  # uploaded, processing, ..., ready, failed
    created_at: Mapped[datetime] = mapped_column(Time, server_default=func.now())


class Passage(Base):
    """A part of a document's text that makes sense by itself; `start` and `end` count characters of the content."""

    __tablename__ = "passages"

    resource_id: Mapped[UUID] = mapped_column(ForeignKey(_RESOURCE, ondelete="CASCADE"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    heading: Mapped[list[str]] = mapped_column(ARRAY(Text))  # the path of headings above its first words
    start: Mapped[int]
    end: Mapped[int]
    tokens: Mapped[int]  # word pieces, about
    kind: Mapped[str] = mapped_column(Text)  # text, table or list
    content_hash: Mapped[str] = mapped_column(Text)  # of the content that it was cut from


class PartialUpload(Base):
    """A file that comes in pieces; its bytes so far are in a part of the storage that has its id for a name."""

    __tablename__ = "uploads"
    __table_args__ = (Index("ix_uploads_owner_id", "owner_id"), Index("ix_uploads_expires_at", "expires_at"))

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    owner_id: Mapped[UUID] = mapped_column(ForeignKey(_USER, ondelete="CASCADE"))
    filename: Mapped[str] = mapped_column(Text)
    declared_type: Mapped[str | None] = mapped_column(Text, default=None)
    size: Mapped[int] = mapped_column(BigInteger)  # bytes, as announced
    received: Mapped[int] = mapped_column(BigInteger, default=0)  # bytes that are on the disk
    sha256: Mapped[str | None] = mapped_column(Text, default=None)  # as announced, hex
    subject: Mapped[str | None] = mapped_column(Text, default=None)
    category: Mapped[str | None] = mapped_column(Text, default=None)
    private: Mapped[bool] = mapped_column(default=False)
    document_id: Mapped[UUID | None] = mapped_column(ForeignKey("documents.id", ondelete="CASCADE"), default=None)
    duplicate: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime] = mapped_column(Time, server_default=func.now())
    expires_at: Mapped[datetime] = mapped_column(Time)


INPUT: ColumnElement[str] = func.concat(PASSAGES_VERSION, " ", Resource.content_hash)
