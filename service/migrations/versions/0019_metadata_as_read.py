"""What pages said about themselves when they were last read."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    kept = postgresql.JSONB(astext_type=sa.Text())
    op.add_column("ingestions", sa.Column("as_read", kept, server_default="{}", nullable=False))


def downgrade() -> None:
    op.drop_column("ingestions", "as_read")
