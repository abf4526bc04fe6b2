"""Collections and annotations know which version they are; lists of large tables are read in order."""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

VERSIONED = ("collections", "annotations")

INDEXES = (
    ("ix_dead_letters_queue_failed_at", "dead_letters", ["queue", "failed_at"]),
    ("ix_audit_log_action_id", "audit_log", ["action", "id"]),
    ("ix_documents_created_at", "documents", ["created_at", "id"]),
    ("ix_collections_name", "collections", [sa.text("lower(name)"), "id"]),
)


def upgrade() -> None:
    for name, table, columns in INDEXES:
        op.create_index(name, table, columns)
    for table in VERSIONED:
        op.add_column(table, sa.Column("version", sa.Integer(), server_default="1", nullable=False))


def downgrade() -> None:
    for name, table, _ in INDEXES:
        op.drop_index(name, table)
    for table in VERSIONED:
        op.drop_column(table, "version")
