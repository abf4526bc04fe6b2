"""Quiz sessions, what was asked in them, and what comes back for review."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def _time(name: str, *, nullable: bool = True, now: bool = False) -> sa.Column[Any]:
    default = sa.text("now()") if now else None
    return sa.Column(name, sa.DateTime(timezone=True), server_default=default, nullable=nullable)


def _json(name: str, *, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(name, postgresql.JSONB(astext_type=sa.Text()), nullable=nullable)


def _key(table: str, column: str, target: str, ondelete: str = "CASCADE") -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [target], name=op.f(f"fk_{table}_{column}"), ondelete=ondelete)


def upgrade() -> None:
    op.create_table(
        "quiz_sessions",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("quiz_id", sa.Uuid(), nullable=False),
        sa.Column("owner_id", sa.Uuid(), nullable=False),
        sa.Column("seed", sa.BigInteger(), nullable=False),
        sa.Column("question_count", sa.Integer(), nullable=False),
        _time("started_at", nullable=False, now=True),
        _time("ends_at"),
        sa.Column("version", sa.Integer(), server_default="0", nullable=False),
        _time("submitted_at"),
        sa.Column("score", sa.Float(), nullable=True),
        sa.Column("possible", sa.Float(), nullable=True),
        sa.Column("percentage", sa.Float(), nullable=True),
        sa.Column("grade", sa.Text(), nullable=True),
        _key("quiz_sessions", "quiz_id", "quizzes.id"),
        _key("quiz_sessions", "owner_id", "users.id"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_quiz_sessions")),
    )
    op.create_index("ix_quiz_sessions_owner_id_started_at", "quiz_sessions", ["owner_id", "started_at"])
    op.create_index("ix_quiz_sessions_quiz_id_owner_id", "quiz_sessions", ["quiz_id", "owner_id"])
    op.create_table(
        "session_questions",
        sa.Column("session_id", sa.Uuid(), nullable=False),
        sa.Column("question_id", sa.Uuid(), nullable=False),
        sa.Column("resource_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("stem", sa.Text(), nullable=False),
        _json("options", nullable=True),
        _json("key"),
        sa.Column("passage", sa.Text(), nullable=False),
        sa.Column("passage_start", sa.Integer(), nullable=False),
        sa.Column("content_hash", sa.Text(), nullable=False),
        sa.Column("weight", sa.Float(), nullable=False),
        _json("answer", nullable=True),
        _time("saved_at"),
        sa.Column("points", sa.Float(), nullable=True),
        _json("verdict", nullable=True),
        _key("session_questions", "session_id", "quiz_sessions.id"),
        _key("session_questions", "resource_id", "resources.id"),
        sa.PrimaryKeyConstraint("session_id", "question_id", name=op.f("pk_session_questions")),
    )
    op.create_index("ix_session_questions_resource_id", "session_questions", ["resource_id"])
    op.create_table(
        "review_cards",
        sa.Column("owner_id", sa.Uuid(), nullable=False),
        sa.Column("question_id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("step", sa.Integer(), nullable=True),
        sa.Column("stability", sa.Float(), nullable=False),
        sa.Column("difficulty", sa.Float(), nullable=False),
        _time("due", nullable=False),
        _time("last_review", nullable=False),
        sa.Column("reviews", sa.Integer(), nullable=False),
        sa.Column("lapses", sa.Integer(), server_default="0", nullable=False),
        _time("suspended_at"),
        _time("created_at", nullable=False, now=True),
        _key("review_cards", "owner_id", "users.id"),
        _key("review_cards", "question_id", "quiz_questions.id"),
        sa.PrimaryKeyConstraint("owner_id", "question_id", name=op.f("pk_review_cards")),
    )
    op.create_index("ix_review_cards_owner_id_due", "review_cards", ["owner_id", "due"])
    op.create_index("ix_review_cards_question_id", "review_cards", ["question_id"])
    op.create_table(
        "review_log",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("owner_id", sa.Uuid(), nullable=False),
        sa.Column("question_id", sa.Uuid(), nullable=True),
        sa.Column("rating", sa.Integer(), nullable=False),
        sa.Column("state", sa.Text(), nullable=True),
        sa.Column("elapsed_days", sa.Integer(), nullable=True),
        _time("reviewed_at", nullable=False),
        _key("review_log", "owner_id", "users.id"),
        _key("review_log", "question_id", "quiz_questions.id", "SET NULL"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_review_log")),
    )
    op.create_index("ix_review_log_owner_id_reviewed_at", "review_log", ["owner_id", "reviewed_at"])
    op.create_index("ix_review_log_question_id", "review_log", ["question_id"])


def downgrade() -> None:
    for table in ("review_log", "review_cards", "session_questions", "quiz_sessions"):
        op.drop_table(table)
