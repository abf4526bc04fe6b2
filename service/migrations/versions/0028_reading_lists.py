"""What people read and how far they are; feeds count what they brought, and know what they list no more."""

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "readings",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("resource_id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("progress", sa.Float(), nullable=False),
        sa.Column("added_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("state IN ('unread', 'reading', 'read', 'archived')", name=op.f("ck_readings_state")),
        sa.CheckConstraint("progress BETWEEN 0 AND 1", name=op.f("ck_readings_progress")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_readings_user_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["resource_id"], ["resources.id"], name=op.f("fk_readings_resource_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("user_id", "resource_id", name=op.f("pk_readings")),
    )
    op.create_index("ix_readings_user_id_updated_at", "readings", ["user_id", "updated_at", "resource_id"])
    op.create_index("ix_readings_user_id_state", "readings", ["user_id", "state", "updated_at", "resource_id"])
    op.create_index("ix_readings_resource_id", "readings", ["resource_id"])
    op.add_column("feeds", sa.Column("taken", sa.Integer(), server_default="0", nullable=False))
    op.execute(
        "UPDATE feeds SET taken = known.number FROM"
        " (SELECT feed_id, count(*) AS number FROM feed_entries WHERE skipped IS NULL GROUP BY feed_id) known"
        " WHERE known.feed_id = feeds.id"
    )
    op.add_column("feed_entries", sa.Column("left_at", sa.DateTime(timezone=True), nullable=True))
    op.create_index(
        "ix_feed_entries_left_at", "feed_entries", ["left_at"], postgresql_where=sa.text("left_at IS NOT NULL")
    )


def downgrade() -> None:
    op.drop_index("ix_feed_entries_left_at", table_name="feed_entries")
    op.drop_column("feed_entries", "left_at")
    op.drop_column("feeds", "taken")
    op.drop_table("readings")
