"""What pages say of themselves, until it is put away; notifications by e-mail."""

import sqlalchemy as sa
from alembic import op

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)
NOW = sa.text("now()")


def _user(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f(f"fk_{table}_user_id"), ondelete="CASCADE")


def upgrade() -> None:
    op.create_table(
        "dismissed_hints",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("dismissed_at", MOMENT, server_default=NOW, nullable=False),
        _user("dismissed_hints"),
        sa.PrimaryKeyConstraint("user_id", "name", name=op.f("pk_dismissed_hints")),
    )
    op.create_table(
        "digests",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("frequency", sa.Text(), server_default="off", nullable=False),
        sa.Column("weekday", sa.SmallInteger(), server_default="1", nullable=False),
        sa.Column("hour", sa.SmallInteger(), server_default="7", nullable=False),
        sa.Column("timezone", sa.Text(), server_default="UTC", nullable=False),
        sa.Column("address", sa.Text(), nullable=True),
        sa.Column("asked_address", sa.Text(), nullable=True),
        sa.Column("secret", sa.Text(), nullable=False),
        sa.Column("next_at", MOMENT, nullable=True),
        sa.Column("told_until", MOMENT, server_default=NOW, nullable=False),
        sa.Column("failures", sa.SmallInteger(), server_default="0", nullable=False),
        sa.Column("stopped_reason", sa.Text(), nullable=True),
        sa.CheckConstraint("frequency IN ('off', 'daily', 'weekly')", name=op.f("ck_digests_frequency")),
        _user("digests"),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_digests")),
    )
    op.create_index("ix_digests_next_at", "digests", ["next_at"], postgresql_where=sa.text("next_at IS NOT NULL"))
    op.create_table(
        "digest_letters",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("period", MOMENT, nullable=False),
        sa.Column("since", MOMENT, nullable=False),
        sa.Column("until", MOMENT, nullable=False),
        sa.Column("state", sa.Text(), server_default="waiting", nullable=False),
        sa.Column("count", sa.Integer(), nullable=True),
        sa.Column("attempts", sa.SmallInteger(), server_default="0", nullable=False),
        sa.Column("due_at", MOMENT, server_default=NOW, nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("created_at", MOMENT, server_default=NOW, nullable=False),
        sa.Column("sent_at", MOMENT, nullable=True),
        sa.CheckConstraint("state IN ('waiting', 'sent', 'empty', 'failed')", name=op.f("ck_digest_letters_state")),
        _user("digest_letters"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_digest_letters")),
        sa.UniqueConstraint("user_id", "period", name=op.f("uq_digest_letters_user_id_period")),
    )
    waiting = sa.text("state = 'waiting'")
    op.create_index("ix_digest_letters_due_at", "digest_letters", ["due_at"], postgresql_where=waiting)


def downgrade() -> None:
    for table in ("digest_letters", "digests", "dismissed_hints"):
        op.drop_table(table)
