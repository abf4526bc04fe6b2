"""What people are told, by which event, and what they want to hear of."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def _time(name: str) -> sa.Column[Any]:
    return sa.Column(name, sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False)


def _user(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f(f"fk_{table}_user_id"), ondelete="CASCADE")


def upgrade() -> None:
    op.create_table(
        "notifications",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("group_key", sa.Text(), nullable=True),
        sa.Column("count", sa.Integer(), server_default="1", nullable=False),
        sa.Column("names", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("detail", sa.Text(), nullable=True),
        sa.Column("link", sa.Text(), nullable=True),
        _time("created_at"),
        _time("updated_at"),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=True),
        _user("notifications"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notifications")),
    )
    unread = sa.text("read_at IS NULL")
    op.create_index("ix_notifications_user_id_updated_at", "notifications", ["user_id", "updated_at", "id"])
    op.create_index("ix_notifications_unread", "notifications", ["user_id", "kind"], postgresql_where=unread)
    op.create_index(
        "uq_notifications_open", "notifications", ["user_id", "kind", "group_key"], unique=True, postgresql_where=unread
    )
    op.create_index(
        "ix_notifications_read_at", "notifications", ["read_at"], postgresql_where=sa.text("read_at IS NOT NULL")
    )
    op.create_table(
        "notification_causes",
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        _time("told_at"),
        sa.PrimaryKeyConstraint("event_id", "user_id", name=op.f("pk_notification_causes")),
    )
    op.create_index("ix_notification_causes_told_at", "notification_causes", ["told_at"])
    op.create_table(
        "notification_preferences",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("wanted", sa.Boolean(), nullable=False),
        _user("notification_preferences"),
        sa.PrimaryKeyConstraint("user_id", "kind", name=op.f("pk_notification_preferences")),
    )


def downgrade() -> None:
    for table in ("notification_preferences", "notification_causes", "notifications"):
        op.drop_table(table)
