"""Categories, what each resource is about, and models that were trained; the tree that a library starts with."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from service.search.vectors import FullVector
from service.taxonomy.defaults import rows

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

NOW = sa.text("now()")


def upgrade() -> None:
    op.execute(sa.schema.CreateSequence(sa.Sequence("taxonomy_versions")))
    categories = op.create_table(
        "categories",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("parent_id", sa.Uuid(), nullable=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("slug", sa.Text(), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("names", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("lineage", postgresql.ARRAY(sa.Uuid()), nullable=False),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("prior", FullVector(), nullable=True),
        sa.Column("prior_hash", sa.Text(), nullable=True),
        sa.Column("centroid", FullVector(), nullable=True),
        sa.Column("label_count", sa.Integer(), server_default="0", nullable=False),
        sa.Column("revision", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=NOW, nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=NOW, nullable=False),
        sa.ForeignKeyConstraint(["parent_id"], ["categories.id"], name=op.f("fk_categories_parent_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_categories")),
        sa.UniqueConstraint(
            "parent_id", "slug", name=op.f("uq_categories_parent_id_slug"), postgresql_nulls_not_distinct=True
        ),
    )
    op.create_index("ix_categories_path", "categories", ["path"], postgresql_using="hash")
    op.create_index("ix_categories_lineage", "categories", ["lineage"], postgresql_using="gin")
    op.create_table(
        "classifications",
        sa.Column("resource_id", sa.Uuid(), nullable=False),
        sa.Column("is_predicted", sa.Boolean(), nullable=False),
        sa.Column("rank", sa.Integer(), nullable=False),
        sa.Column("category_id", sa.Uuid(), nullable=False),
        sa.Column("confidence", sa.Float(), nullable=False),
        sa.Column("assigned", sa.Boolean(), nullable=False),
        sa.Column("input_hash", sa.Text(), server_default="", nullable=False),
        sa.Column("model", sa.Text(), server_default="", nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=True),
        sa.Column("classified_at", sa.DateTime(timezone=True), server_default=NOW, nullable=False),
        sa.ForeignKeyConstraint(
            ["resource_id"], ["resources.id"], name=op.f("fk_classifications_resource_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["category_id"], ["categories.id"], name=op.f("fk_classifications_category_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_classifications_user_id"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("resource_id", "is_predicted", "rank", name=op.f("pk_classifications")),
    )
    op.create_index("ix_classifications_category_id", "classifications", ["category_id", "resource_id"])
    op.create_index(
        "ix_classifications_label", "classifications", ["category_id", "classified_at"],
        postgresql_where=sa.text("NOT is_predicted"),
    )  # fmt: skip
    op.create_index(
        "ix_classifications_best", "classifications", ["confidence", "resource_id"],
        postgresql_where=sa.text("is_predicted AND rank = 0"),
    )  # fmt: skip
    op.create_table(
        "classification_models",
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("accuracy", sa.Float(), nullable=False),
        sa.Column("macro_f1", sa.Float(), nullable=False),
        sa.Column("contest", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("labels", sa.Integer(), nullable=False),
        sa.Column("held_out", sa.Integer(), nullable=False),
        sa.Column("classes", sa.Integer(), nullable=False),
        sa.Column("input_hash", sa.Text(), nullable=False),
        sa.Column("parameters", sa.LargeBinary(), nullable=True),
        sa.Column("trained_at", sa.DateTime(timezone=True), server_default=NOW, nullable=False),
        sa.PrimaryKeyConstraint("version", name=op.f("pk_classification_models")),
    )
    op.create_table(
        "taxonomy_state",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("meanings", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("model", sa.Integer(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_taxonomy_state")),
    )
    op.bulk_insert(categories, rows())  # once: what people delete stays deleted


def downgrade() -> None:
    op.drop_table("taxonomy_state")
    op.drop_table("classification_models")
    op.drop_table("classifications")
    op.drop_table("categories")
    op.execute(sa.schema.DropSequence(sa.Sequence("taxonomy_versions")))
