"""The rows that only this slice changes."""

from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy import CheckConstraint, ColumnElement, DateTime, ForeignKey, Index, Text, func, or_, text
from sqlalchemy.orm import Mapped, aliased, mapped_column

from service.database import Base
from service.inference import Vector
from service.search.vectors import FullVector
from service.security.accounts import Account

Time = DateTime(timezone=True)


class Collection(Base):
    """Resources that somebody put together; `visibility` is private (its owner), shared (all accounts) or public."""

    __tablename__ = "collections"
    __table_args__ = (
        CheckConstraint("visibility IN ('private', 'shared', 'public')", name="visibility"),
        Index("ix_collections_owner_id_name", "owner_id", "name"),
        Index("ix_collections_parent_id", "parent_id"),
        Index("ix_collections_name", text("lower(name)"), "id"),
        Index("ix_collections_visibility", "visibility", "owner_id"),
        Index("ix_collections_name_words", "name", postgresql_using="gin", postgresql_ops={"name": "gin_trgm_ops"}),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    owner_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    parent_id: Mapped[UUID | None] = mapped_column(ForeignKey("collections.id", ondelete="SET NULL"), default=None)
    name: Mapped[str] = mapped_column(Text)
    description: Mapped[str | None] = mapped_column(Text, default=None)
    visibility: Mapped[str] = mapped_column(Text, default="private")
    version: Mapped[int] = mapped_column(default=1, server_default="1")  # of what PUT changes; not of its members
    created_at: Mapped[datetime] = mapped_column(Time, server_default=func.now())
    updated_at: Mapped[datetime] = mapped_column(Time, server_default=func.now())

    @property
    def audience(self) -> UUID | None:
        """Who alone may hear of it; None: everyone."""
        return self.owner_id if self.visibility == "private" else None


class CollectionResource(Base):
    """A resource in a collection."""

    __tablename__ = "collection_resources"
    __table_args__ = (Index("ix_collection_resources_resource_id", "resource_id"),)

    collection_id: Mapped[UUID] = mapped_column(ForeignKey("collections.id", ondelete="CASCADE"), primary_key=True)
    resource_id: Mapped[UUID] = mapped_column(ForeignKey("resources.id", ondelete="CASCADE"), primary_key=True)
    added_at: Mapped[datetime] = mapped_column(Time, server_default=func.now())


class CollectionEmbedding(Base):
    """A collection by its meaning: the unit mean of the unit vectors of `members` resources."""

    __tablename__ = "collection_embeddings"
    __table_args__ = (
        Index(
            "ix_collection_embeddings_mean",
            "mean",
            postgresql_using="hnsw",
            postgresql_ops={"mean": "vector_cosine_ops"},
        ),
    )

    collection_id: Mapped[UUID] = mapped_column(ForeignKey("collections.id", ondelete="CASCADE"), primary_key=True)
    input_hash: Mapped[str] = mapped_column(Text)
    model: Mapped[str] = mapped_column(Text)
    mean: Mapped[Vector | None] = mapped_column(FullVector())  # None: no member has a meaning, or they cancel out
    members: Mapped[int]
    computed_at: Mapped[datetime] = mapped_column(Time, server_default=func.now())


Parent = aliased(Collection, name="parent")


def readable(account: Account, collection: type[Collection] = Collection) -> ColumnElement[bool]:
    """Return the condition under which this account may see a collection."""
    return or_(collection.visibility != "private", collection.owner_id == account.id)
