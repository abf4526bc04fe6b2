"""What was deleted and can be restored; what is in the library twice is found in indexes."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None


SHOWN = ["private", "owner_id"]
GROUPED_BY = ("canonical_url", "content_hash")  # duplicates are found in the indexes alone


def upgrade() -> None:
    op.create_table(
        "trash",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("owner_id", sa.Uuid(), nullable=False),
        sa.Column("private", sa.Boolean(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("url", sa.Text(), nullable=True),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=True),
        sa.Column("originals", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("deleted_by", sa.Uuid(), nullable=True),
        sa.Column("deleted_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("rows", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.ForeignKeyConstraint(["owner_id"], ["users.id"], name="fk_trash_owner_id"),
        sa.ForeignKeyConstraint(["deleted_by"], ["users.id"], name="fk_trash_deleted_by", ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("id", name="pk_trash"),
    )
    op.create_index("ix_trash_deleted_at", "trash", ["deleted_at", "id"], postgresql_include=SHOWN)
    op.create_index("ix_trash_address", "trash", ["address"])
    op.create_index("ix_trash_originals", "trash", ["originals"], postgresql_using="gin")
    set_ = sa.text("duplicate_of IS NOT NULL")
    op.create_index("ix_resources_duplicate_of", "resources", ["duplicate_of"], postgresql_where=set_)
    for column in GROUPED_BY:
        op.drop_index(f"ix_resources_{column}", "resources")
        beside = ["id", "created_at", *SHOWN]
        op.create_index(f"ix_resources_{column}", "resources", [column], postgresql_include=beside)


def downgrade() -> None:
    for column in GROUPED_BY:
        op.drop_index(f"ix_resources_{column}", "resources")
        op.create_index(f"ix_resources_{column}", "resources", [column])
    op.drop_index("ix_resources_duplicate_of", "resources")
    op.drop_table("trash")
