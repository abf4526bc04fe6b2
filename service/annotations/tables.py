"""The rows that only this slice changes."""

from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy import DateTime, ForeignKey, Index, Text, func
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from service.database import Base

Time = DateTime(timezone=True)


class Annotation(Base):
    """A passage that somebody marked: what was marked, and where it is in the present text.

    `quote`, `prefix`, `suffix` and `position` are what was marked; only the maker changes them. `start`, `end` and
    `similarity` are derived from these and from the text with the hash `anchored_in`. Offsets count code points.
    """

    __tablename__ = "annotations"
    __table_args__ = (
        Index("ix_annotations_owner_id_resource_id", "owner_id", "resource_id"),
        Index("ix_annotations_resource_id", "resource_id", "anchored_in"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    owner_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    resource_id: Mapped[UUID] = mapped_column(ForeignKey("resources.id", ondelete="CASCADE"))
    quote: Mapped[str] = mapped_column(Text)
    prefix: Mapped[str] = mapped_column(Text)
    suffix: Mapped[str] = mapped_column(Text)
    position: Mapped[int]
    start: Mapped[int | None]  # None: orphaned, the passage is not in the present text
    end: Mapped[int | None]
    similarity: Mapped[float]  # of the present passage to the quote: 1 the same, 0 orphaned
    anchored_in: Mapped[str] = mapped_column(Text)
    note: Mapped[str] = mapped_column(Text, default="")
    tags: Mapped[list[str]] = mapped_column(ARRAY(Text), default=list)
    colour: Mapped[str] = mapped_column(Text, default="yellow")
    version: Mapped[int] = mapped_column(default=1, server_default="1")  # of what its maker writes
    created_at: Mapped[datetime] = mapped_column(Time, server_default=func.now())
    updated_at: Mapped[datetime] = mapped_column(Time, server_default=func.now())
