"""What the labels of a text are made from; the empty hash has each brought up to date by the reconciler."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("search_documents", sa.Column("labels_hash", sa.Text(), server_default="", nullable=False))


def downgrade() -> None:
    op.drop_column("search_documents", "labels_hash")
