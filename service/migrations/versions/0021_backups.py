"""Backups that the timetable asks for."""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    moment = sa.DateTime(timezone=True)
    op.create_table(
        "backups",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("requested_at", moment, server_default=sa.text("now()"), nullable=False),
        sa.Column("leased_until", moment, nullable=True),
        sa.Column("ended_at", moment, nullable=True),
        sa.Column("file", sa.Text(), nullable=True),
        sa.Column("size", sa.BigInteger(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_backups")),
    )
    op.create_index("ix_backups_requested_at", "backups", ["requested_at"])


def downgrade() -> None:
    op.drop_table("backups")
