"""Quality of resources, its history, and what a person should look at."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

SCORES = ("overall", "accuracy", "completeness", "consistency", "timeliness", "relevance")


def upgrade() -> None:
    op.create_table(
        "quality",
        sa.Column("resource_id", sa.Uuid(), nullable=False),
        *(sa.Column(name, sa.Float(), nullable=False) for name in SCORES),
        sa.Column("computed", postgresql.JSONB(), nullable=False),
        sa.Column("corrections", postgresql.JSONB(), server_default="{}", nullable=False),
        sa.Column("reasons", postgresql.JSONB(), nullable=False),
        sa.Column("readability", postgresql.JSONB(none_as_null=True), nullable=True),
        sa.Column("input_hash", sa.Text(), nullable=False),
        sa.Column("source_hash", sa.Text(), nullable=False),
        sa.Column("computed_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("is_outlier", sa.Boolean(), server_default="false", nullable=False),
        sa.ForeignKeyConstraint(
            ["resource_id"], ["resources.id"], name=op.f("fk_quality_resource_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("resource_id", name=op.f("pk_quality")),
    )
    op.create_table(
        "quality_history",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("resource_id", sa.Uuid(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        *(sa.Column(name, sa.Float(), nullable=False) for name in SCORES),
        sa.ForeignKeyConstraint(
            ["resource_id"], ["resources.id"], name=op.f("fk_quality_history_resource_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_quality_history")),
    )
    op.create_index(
        "ix_quality_history_resource_id_recorded_at", "quality_history", ["resource_id", "recorded_at"]
    )
    op.create_index("ix_quality_history_recorded_at", "quality_history", ["recorded_at"])
    op.create_table(
        "quality_reviews",
        sa.Column("resource_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("reasons", postgresql.JSONB(), nullable=False),
        sa.Column("score", sa.Float(), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("settled_by", sa.Uuid(), nullable=True),
        sa.Column("decision", sa.Text(), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["resource_id"], ["resources.id"], name=op.f("fk_quality_reviews_resource_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("resource_id", "kind", name=op.f("pk_quality_reviews")),
    )
    op.create_index(
        "ix_quality_reviews_open", "quality_reviews", ["opened_at"], postgresql_where=sa.text("settled_at IS NULL")
    )
    op.create_index(
        "ix_resources_near_duplicate_of", "resources", ["near_duplicate_of"],
        postgresql_where=sa.text("near_duplicate_of IS NOT NULL"),
    )  # fmt: skip


def downgrade() -> None:
    op.drop_index("ix_resources_near_duplicate_of", table_name="resources")
    op.drop_table("quality_reviews")
    op.drop_table("quality_history")
    op.drop_table("quality")
