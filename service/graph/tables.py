"""The rows that only this slice changes."""

from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy import DateTime, ForeignKey, Index, Text, func, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from service.database import Base


class Citation(Base):
    """Something a resource points to: an identifier, a link, or an entry of its reference list.

    Without `keys` it was not looked up yet. `target_id` has no foreign key: when its item goes, another one may fit.
    """

    __tablename__ = "citations"
    __table_args__ = (
        Index("ix_citations_resource_id", "resource_id", "position"),
        Index("ix_citations_keys", "keys", postgresql_using="gin"),
        Index("ix_citations_title", "title", postgresql_using="gin", postgresql_ops={"title": "gin_trgm_ops"}),
        Index("ix_citations_target_id", "target_id", postgresql_where=text("target_id IS NOT NULL")),
        Index("ix_citations_pending", "resource_id", postgresql_where=text("keys IS NULL")),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    resource_id: Mapped[UUID] = mapped_column(ForeignKey("resources.id", ondelete="CASCADE"))
    position: Mapped[int]
    kind: Mapped[str] = mapped_column(Text)  # doi, arxiv, isbn, pmid, url, reference
    value: Mapped[str] = mapped_column(Text)  # normalised
    text: Mapped[str] = mapped_column(Text)  # as it stands in the source
    keys: Mapped[list[str] | None] = mapped_column(ARRAY(Text))  # what it is recognised by
    title: Mapped[str | None] = mapped_column(Text)  # of an entry of a reference list, folded
    target_id: Mapped[UUID | None]  # the item that it means


class GraphNode(Base):
    """An item as citations may name it."""

    __tablename__ = "graph_nodes"
    __table_args__ = (
        Index("ix_graph_nodes_keys", "keys", postgresql_using="gin"),
        Index("ix_graph_nodes_title", "title", postgresql_using="gin", postgresql_ops={"title": "gin_trgm_ops"}),
    )

    resource_id: Mapped[UUID] = mapped_column(ForeignKey("resources.id", ondelete="CASCADE"), primary_key=True)
    input_hash: Mapped[str] = mapped_column(Text)
    keys: Mapped[list[str]] = mapped_column(ARRAY(Text))  # what it is recognised by, and its subjects
    title: Mapped[str | None] = mapped_column(Text)  # folded


class GraphRank(Base):
    """How important an item is: its PageRank; all of them sum to 1."""

    __tablename__ = "graph_ranks"
    __table_args__ = (Index("ix_graph_ranks_importance", "importance"),)

    resource_id: Mapped[UUID] = mapped_column(ForeignKey("resources.id", ondelete="CASCADE"), primary_key=True)
    importance: Mapped[float]


class GraphRanking(Base):
    """The one row that says which nodes and edges the ranks were computed from."""

    __tablename__ = "graph_rankings"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    input_hash: Mapped[str] = mapped_column(Text)
    computed_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
