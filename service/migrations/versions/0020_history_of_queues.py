"""What queues were like minute by minute, and to which request a task belongs."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    counts = postgresql.JSONB(astext_type=sa.Text())
    op.create_table(
        "queue_minutes",
        sa.Column("minute", sa.DateTime(timezone=True), nullable=False),
        sa.Column("queue", sa.Text(), nullable=False),
        sa.Column("waiting", sa.Integer(), nullable=True),
        sa.Column("scheduled", sa.Integer(), nullable=True),
        sa.Column("running", sa.Integer(), nullable=True),
        sa.Column("oldest_age_s", sa.Float(), nullable=True),
        sa.Column("succeeded", sa.Integer(), nullable=False),
        sa.Column("failed", sa.Integer(), nullable=False),
        sa.Column("retried", sa.Integer(), nullable=False),
        sa.Column("tasks", counts, nullable=False),
        sa.Column("durations", counts, nullable=False),
        sa.PrimaryKeyConstraint("minute", "queue", name=op.f("pk_queue_minutes")),
    )
    op.add_column("tasks", sa.Column("correlation_id", sa.Text(), nullable=True))
    op.create_index("ix_tasks_name_created_at", "tasks", ["name", "created_at"])
    op.create_index("ix_tasks_open", "tasks", ["created_at"], postgresql_where=sa.text("status IS NULL"))


def downgrade() -> None:
    op.drop_index("ix_tasks_open", "tasks")
    op.drop_index("ix_tasks_name_created_at", "tasks")
    op.drop_column("tasks", "correlation_id")
    op.drop_table("queue_minutes")
