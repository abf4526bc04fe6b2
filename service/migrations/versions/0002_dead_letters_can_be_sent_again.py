"""Dead letters keep positional arguments and options, so that they can be sent again as they were."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

JSONB = postgresql.JSONB(astext_type=sa.Text())


def upgrade() -> None:
    op.add_column("dead_letters", sa.Column("positional", JSONB, server_default=sa.text("'[]'"), nullable=False))
    op.add_column("dead_letters", sa.Column("options", JSONB, server_default=sa.text("'{}'"), nullable=False))
    op.execute(
        "UPDATE dead_letters SET positional = arguments -> 'args', arguments = arguments - 'args' "
        "WHERE jsonb_typeof(arguments -> 'args') = 'array'"
    )


def downgrade() -> None:
    op.execute(
        "UPDATE dead_letters SET arguments = arguments || jsonb_build_object('args', positional) "
        "WHERE positional <> '[]'"
    )
    op.drop_column("dead_letters", "options")
    op.drop_column("dead_letters", "positional")
