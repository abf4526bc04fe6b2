"""What labels and citations are made from, and the identifiers that a page gives itself.

An empty hash, or none, has each brought up to date by the reconciler.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("search_documents", sa.Column("labels_hash", sa.Text(), server_default="", nullable=False))
    identifiers = sa.Column("identifiers", ARRAY(sa.Text()), server_default="{}", nullable=False)
    op.add_column("resources", identifiers)
    op.create_table(
        "citation_readings",
        sa.Column("resource_id", sa.Uuid(), nullable=False),
        sa.Column("input_hash", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["resource_id"], ["resources.id"], name=op.f("fk_citation_readings_resource_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("resource_id", name=op.f("pk_citation_readings")),
    )


def downgrade() -> None:
    op.drop_table("citation_readings")
    op.drop_column("resources", "identifiers")
    op.drop_column("search_documents", "labels_hash")
