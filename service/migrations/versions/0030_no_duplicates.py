"""What somebody says are no duplicates."""

import sqlalchemy as sa
from alembic import op

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "separations",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("resource_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("separated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["resource_id"], ["resources.id"], name=op.f("fk_separations_resource_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_separations_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", "resource_id", name=op.f("pk_separations")),
    )
    op.create_index("ix_separations_user_id", "separations", ["user_id", "resource_id"])
    op.create_index("ix_separations_resource_id", "separations", ["resource_id"])


def downgrade() -> None:
    op.drop_table("separations")
