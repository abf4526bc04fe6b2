"""Files of other programs, what was read in them, and what bibliographies say of resources."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

NOW = sa.text("now()")
TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "imports",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("owner_id", sa.Uuid(), nullable=False),
        sa.Column("filename", sa.Text(), nullable=False),
        sa.Column("original", sa.Text(), nullable=True),
        sa.Column("format", sa.Text(), nullable=False),
        sa.Column("collection_id", sa.Uuid(), nullable=True),
        sa.Column("private", sa.Boolean(), nullable=False),
        sa.Column("tags", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("task_id", sa.Uuid(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("created_at", TIME, server_default=NOW, nullable=False),
        sa.Column("updated_at", TIME, server_default=NOW, nullable=False),
        sa.Column("finished_at", TIME, nullable=True),
        sa.ForeignKeyConstraint(["owner_id"], ["users.id"], name="fk_imports_owner_id", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["collection_id"], ["collections.id"], name="fk_imports_collection_id", ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_imports"),
    )
    op.create_index("ix_imports_owner_id_created_at", "imports", ["owner_id", "created_at"])
    op.create_index("ix_imports_original", "imports", ["original"])
    unfinished = sa.text("state IN ('pending', 'adding')")
    op.create_index("ix_imports_unfinished", "imports", ["updated_at"], postgresql_where=unfinished)
    op.create_table(
        "import_entries",
        sa.Column("import_id", sa.Uuid(), nullable=False),
        sa.Column("ordinal", sa.Integer(), nullable=False),
        sa.Column("line", sa.Integer(), nullable=False),
        sa.Column("shown", sa.Text(), nullable=False),
        sa.Column("entry", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("state", sa.Text(), server_default="pending", nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("resource_id", sa.Uuid(), nullable=True),
        sa.ForeignKeyConstraint(
            ["import_id"], ["imports.id"], name="fk_import_entries_import_id", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["resource_id"], ["resources.id"], name="fk_import_entries_resource_id", ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("import_id", "ordinal", name="pk_import_entries"),
    )
    place = ["import_id", "ordinal"]
    for state in ("pending", "failed"):
        where = sa.text(f"state = '{state}'")
        op.create_index(f"ix_import_entries_{state}", "import_entries", place, postgresql_where=where)
    op.create_index("ix_import_entries_resource_id", "import_entries", ["resource_id"])
    op.create_table(
        "import_sources",
        sa.Column("owner_id", sa.Uuid(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("resource_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["owner_id"], ["users.id"], name="fk_import_sources_owner_id", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["resource_id"], ["resources.id"], name="fk_import_sources_resource_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("owner_id", "key", name="pk_import_sources"),
    )
    op.create_index("ix_import_sources_resource_id", "import_sources", ["resource_id"])
    op.create_table(
        "import_highlights",
        sa.Column("resource_id", sa.Uuid(), nullable=False),
        sa.Column("owner_id", sa.Uuid(), nullable=False),
        sa.Column("quote_hash", sa.Text(), nullable=False),
        sa.Column("quote", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("tags", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("colour", sa.Text(), nullable=True),
        sa.Column("placed", sa.Boolean(), nullable=False),
        sa.Column("tried_in", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["resource_id"], ["resources.id"], name="fk_import_highlights_resource_id", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["owner_id"], ["users.id"], name="fk_import_highlights_owner_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("resource_id", "owner_id", "quote_hash", name="pk_import_highlights"),
    )
    waiting = sa.text("NOT placed")
    op.create_index("ix_import_highlights_waiting", "import_highlights", ["resource_id"], postgresql_where=waiting)
    op.create_table(
        "bibliographies",
        sa.Column("resource_id", sa.Uuid(), nullable=False),
        sa.Column("csl", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.ForeignKeyConstraint(
            ["resource_id"], ["resources.id"], name="fk_bibliographies_resource_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("resource_id", name="pk_bibliographies"),
    )


def downgrade() -> None:
    for table in ("bibliographies", "import_highlights", "import_sources", "import_entries", "imports"):
        op.drop_table(table)
