"""The rows that only this slice changes."""

from uuid import UUID, uuid4

from sqlalchemy import ForeignKey, Index, Text
from sqlalchemy.orm import Mapped, mapped_column

from service.database import Base


class Citation(Base):
    """Something a resource points to: an identifier, a link, or an entry of its reference list."""

    __tablename__ = "citations"
    __table_args__ = (
        Index("ix_citations_resource_id", "resource_id", "position"),
        Index("ix_citations_kind_value", "kind", "value"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    resource_id: Mapped[UUID] = mapped_column(ForeignKey("resources.id", ondelete="CASCADE"))
    position: Mapped[int]
    kind: Mapped[str] = mapped_column(Text)  # doi, arxiv, isbn, pmid, url, reference
    value: Mapped[str] = mapped_column(Text)  # normalised
    text: Mapped[str] = mapped_column(Text)  # as it stands in the source
