"""The rows that only this slice changes."""

from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy import BigInteger, DateTime, ForeignKey, Index, Text, func
from sqlalchemy.orm import Mapped, mapped_column

from service.database import Base


class Document(Base):
    """An uploaded file: its name, its size, where its bytes are."""

    __tablename__ = "documents"
    __table_args__ = (Index("ix_documents_owner_id_created_at", "owner_id", "created_at"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    resource_id: Mapped[UUID] = mapped_column(ForeignKey("resources.id", ondelete="CASCADE"), unique=True)
    owner_id: Mapped[UUID] = mapped_column(ForeignKey("users.id"))
    filename: Mapped[str] = mapped_column(Text)
    subject: Mapped[str | None] = mapped_column(Text, default=None)
    size: Mapped[int] = mapped_column(BigInteger)  # bytes
    original: Mapped[str] = mapped_column(Text)  # storage key
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
