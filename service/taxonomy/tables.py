"""The rows that only this slice changes."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from pydantic import BaseModel
from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    DateTime,
    ForeignKey,
    Index,
    LargeBinary,
    Select,
    Sequence,
    Text,
    UniqueConstraint,
    Uuid,
    cast,
    func,
    or_,
    select,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, array
from sqlalchemy.orm import Mapped, aliased, mapped_column

from service.database import Base, ReadSession
from service.inference import Vector
from service.search.vectors import FullVector

VERSIONS = Sequence("taxonomy_versions", metadata=Base.metadata)  # one line of numbers, in the order of commits

Time = DateTime(timezone=True)


class Category(Base):
    """A node of the tree; `path`, `names` and `lineage` lead from the root to it, itself included."""

    __tablename__ = "categories"
    __table_args__ = (
        UniqueConstraint("parent_id", "slug", postgresql_nulls_not_distinct=True),
        Index("ix_categories_path", "path", postgresql_using="hash"),  # longer than a B-tree takes
        Index("ix_categories_lineage", "lineage", postgresql_using="gin"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    parent_id: Mapped[UUID | None] = mapped_column(ForeignKey("categories.id"))
    name: Mapped[str] = mapped_column(Text)
    slug: Mapped[str] = mapped_column(Text)
    path: Mapped[str] = mapped_column(Text)  # slugs, with slashes between
    names: Mapped[list[str]] = mapped_column(ARRAY(Text))
    lineage: Mapped[list[UUID]] = mapped_column(ARRAY(Uuid()))
    description: Mapped[str | None] = mapped_column(Text)
    prior: Mapped[Vector | None] = mapped_column(FullVector())  # what its name and description mean
    prior_hash: Mapped[str | None] = mapped_column(Text)
    centroid: Mapped[Vector | None] = mapped_column(FullVector())  # mean of what people put into it
    label_count: Mapped[int] = mapped_column(server_default="0")  # of which the centroid is the mean
    revision: Mapped[int] = mapped_column(BigInteger, server_default="0")  # of `taxonomy_versions`, at its last change
    created_at: Mapped[datetime] = mapped_column(Time, server_default=func.now())
    updated_at: Mapped[datetime] = mapped_column(Time, server_default=func.now())


class CategoryOf(BaseModel):
    """A category of a resource, as it stands with the resource."""

    id: UUID
    name: str
    path: str


# Those that count of the row `r` of `resources`, best first, as the JSON of `CategoryOf`; null where there is none.
CATEGORIES_OF = """(
    SELECT CAST(json_agg(json_build_object('id', c.id, 'name', c.name, 'path', c.path) ORDER BY k.rank) AS text)
    FROM classifications k JOIN categories c ON c.id = k.category_id WHERE k.resource_id = r.id AND k.assigned)"""


class Classification(Base):
    """A category of a resource: what a person said (rank 0), or one of the predictions, best first.

    A person who says that it belongs to none of them leaves a row without a category.
    """

    __tablename__ = "classifications"
    __table_args__ = (
        CheckConstraint("category_id IS NOT NULL OR NOT is_predicted AND NOT assigned", name="none_is_said"),
        Index("ix_classifications_category_id", "category_id", "resource_id"),
        Index(
            "ix_classifications_label",
            "category_id",
            "classified_at",
            postgresql_where=text("NOT is_predicted"),
        ),
        Index(
            "ix_classifications_best",
            "confidence",
            "resource_id",
            postgresql_where=text("is_predicted AND rank = 0"),
        ),
    )

    resource_id: Mapped[UUID] = mapped_column(ForeignKey("resources.id", ondelete="CASCADE"), primary_key=True)
    is_predicted: Mapped[bool] = mapped_column(primary_key=True)
    rank: Mapped[int] = mapped_column(primary_key=True)
    category_id: Mapped[UUID | None] = mapped_column(ForeignKey("categories.id", ondelete="CASCADE"))
    confidence: Mapped[float]  # 0..1
    assigned: Mapped[bool]  # whether it counts as one of the resource's categories in lists, filters and facets
    input_hash: Mapped[str] = mapped_column(Text, server_default="")  # of the embedding that it was predicted from
    model: Mapped[str] = mapped_column(Text, server_default="")  # trained model "." meanings of the tree
    user_id: Mapped[UUID | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    classified_at: Mapped[datetime] = mapped_column(Time, server_default=func.now())


def in_category(category: str) -> Select[UUID]:
    """Return the query for the ids of resources in a category, by its path or id, or below it."""
    top, inside = aliased(Category), aliased(Category)
    return (
        select(Classification.resource_id)
        .join(inside, inside.id == Classification.category_id)
        .join(top, inside.lineage.contains(array([top.id])))
        .where(Classification.assigned, or_(top.path == category, cast(top.id, Text) == category))
    )


async def categories_of(session: ReadSession, resource_ids: Iterable[UUID]) -> dict[UUID, list[CategoryOf]]:
    """Return the categories that count of each resource that has some, best first."""
    rows = await session.execute(
        select(Classification.resource_id, Category.id, Category.name, Category.path)
        .join(Classification, Classification.category_id == Category.id)
        .where(Classification.resource_id.in_(resource_ids), Classification.assigned)
        .order_by(Classification.rank)
    )
    found: dict[UUID, list[CategoryOf]] = {}
    for row in rows:
        found.setdefault(row.resource_id, []).append(CategoryOf(id=row.id, name=row.name, path=row.path))
    return found


class ClassificationModel(Base):
    """A model that was trained, and how it did on labels that it had not seen."""

    __tablename__ = "classification_models"

    version: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    kind: Mapped[str] = mapped_column(Text)  # centroid or logistic_regression
    accuracy: Mapped[float]
    macro_f1: Mapped[float]
    contest: Mapped[dict[str, Any]] = mapped_column(JSONB)  # the figures of each kind
    labels: Mapped[int]
    held_out: Mapped[int]
    classes: Mapped[int]
    input_hash: Mapped[str] = mapped_column(Text)  # of the labels and vectors that it learnt from
    parameters: Mapped[bytes | None] = mapped_column(LargeBinary)  # None: the centroids are the model
    trained_at: Mapped[datetime] = mapped_column(Time, server_default=func.now())


class TaxonomyState(Base):
    """One row: how far the classifier has come. Whoever changes what it is made of holds this row until the commit."""

    __tablename__ = "taxonomy_state"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    version: Mapped[int] = mapped_column(BigInteger)  # changes with anything that a classifier is made of
    meanings: Mapped[int] = mapped_column(BigInteger, server_default="0")  # the version that last changed a prior
    model: Mapped[int] = mapped_column(server_default="0")  # the active trained model; 0: none yet
