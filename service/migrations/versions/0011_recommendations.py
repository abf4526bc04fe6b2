"""Interactions, profiles, dismissed recommendations."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def _time(name: str) -> sa.Column[Any]:
    return sa.Column(name, sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False)


def _of(table: str, column: str, target: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        [column], [f"{target}.id"], name=op.f(f"fk_{table}_{column}"), ondelete="CASCADE"
    )


def upgrade() -> None:
    op.create_table(
        "interactions",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("resource_id", sa.Uuid(), nullable=False),
        sa.Column("interaction_type", sa.Text(), nullable=False),
        sa.Column("strength", sa.Float(), nullable=False),
        sa.Column("rating", sa.Integer(), nullable=True),
        sa.Column("dwell_seconds", sa.Float(), nullable=True),
        sa.Column("event_id", sa.Uuid(), nullable=True),
        _time("created_at"),
        _of("interactions", "user_id", "users"),
        _of("interactions", "resource_id", "resources"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_interactions")),
        sa.UniqueConstraint("event_id", "resource_id", name=op.f("uq_interactions_event_id_resource_id")),
    )
    op.create_index("ix_interactions_user_id", "interactions", ["user_id", "id"])
    op.create_index("ix_interactions_resource_id", "interactions", ["resource_id", "id"])
    op.create_table(
        "interaction_counts",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        _time("began_at"),
        _time("last_at"),
        _of("interaction_counts", "user_id", "users"),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_interaction_counts")),
    )
    op.create_table(
        "recommendation_profiles",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("input_hash", sa.Text(), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("resources", sa.Integer(), nullable=False),
        sa.Column("centre", postgresql.ARRAY(sa.REAL()), nullable=True),
        sa.Column("subjects", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("authors", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        _time("computed_at"),
        _of("recommendation_profiles", "user_id", "users"),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_recommendation_profiles")),
    )
    op.create_table(
        "dismissed_recommendations",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("resource_id", sa.Uuid(), nullable=False),
        _time("dismissed_at"),
        _of("dismissed_recommendations", "user_id", "users"),
        _of("dismissed_recommendations", "resource_id", "resources"),
        sa.PrimaryKeyConstraint("user_id", "resource_id", name=op.f("pk_dismissed_recommendations")),
    )
    op.create_index("ix_dismissed_recommendations_resource_id", "dismissed_recommendations", ["resource_id"])


def downgrade() -> None:
    op.drop_table("dismissed_recommendations")
    op.drop_table("recommendation_profiles")
    op.drop_table("interaction_counts")
    op.drop_table("interactions")
