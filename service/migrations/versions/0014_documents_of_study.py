"""Subjects of study, passages, and files that come in pieces."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

NOW = sa.text("now()")
ADDED = ("category", "passages_hash", "ready_hash", "failed_hash", "index_error")


def upgrade() -> None:
    op.create_table(
        "study_subjects",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("owner_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("folded", sa.Text(), nullable=False),
        sa.Column("colour", sa.Text(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=NOW, nullable=False),
        sa.ForeignKeyConstraint(
            ["owner_id"], ["users.id"], name=op.f("fk_study_subjects_owner_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_study_subjects")),
        sa.UniqueConstraint("owner_id", "folded", name=op.f("uq_study_subjects_owner_id_folded")),
    )
    op.add_column("documents", sa.Column("subject_id", sa.Uuid(), nullable=True))
    op.add_column("documents", sa.Column("pages", sa.Integer(), nullable=True))
    for name in ADDED:
        op.add_column("documents", sa.Column(name, sa.Text(), nullable=True))
    op.create_foreign_key(
        op.f("fk_documents_subject_id"), "documents", "study_subjects", ["subject_id"], ["id"], ondelete="SET NULL"
    )
    op.create_index("ix_documents_subject_id", "documents", ["subject_id"])
    op.create_index("ix_documents_original", "documents", ["original"])
    op.create_index("ix_ingestions_original", "ingestions", ["original"])
    op.execute(
        """INSERT INTO study_subjects (id, owner_id, name, folded, colour, position)
        SELECT gen_random_uuid(), owner_id, min(subject), folded, 'blue',
            row_number() OVER (PARTITION BY owner_id ORDER BY folded) - 1
        FROM (SELECT owner_id, subject, lower(subject) AS folded FROM documents WHERE subject IS NOT NULL) named
        GROUP BY owner_id, folded"""
    )
    op.execute(
        """UPDATE documents d SET subject_id = s.id FROM study_subjects s
        WHERE s.owner_id = d.owner_id AND s.folded = lower(d.subject)"""
    )
    op.drop_column("documents", "subject")
    op.create_table(
        "passages",
        sa.Column("resource_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("heading", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("start", sa.Integer(), nullable=False),
        sa.Column("end", sa.Integer(), nullable=False),
        sa.Column("tokens", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("content_hash", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["resource_id"], ["resources.id"], name=op.f("fk_passages_resource_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("resource_id", "position", name=op.f("pk_passages")),
    )
    op.create_table(
        "uploads",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("owner_id", sa.Uuid(), nullable=False),
        sa.Column("filename", sa.Text(), nullable=False),
        sa.Column("declared_type", sa.Text(), nullable=True),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("received", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=True),
        sa.Column("subject", sa.Text(), nullable=True),
        sa.Column("category", sa.Text(), nullable=True),
        sa.Column("private", sa.Boolean(), nullable=False),
        sa.Column("document_id", sa.Uuid(), nullable=True),
        sa.Column("duplicate", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=NOW, nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["owner_id"], ["users.id"], name=op.f("fk_uploads_owner_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["document_id"], ["documents.id"], name=op.f("fk_uploads_document_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_uploads")),
    )
    op.create_index("ix_uploads_owner_id", "uploads", ["owner_id"])
    op.create_index("ix_uploads_expires_at", "uploads", ["expires_at"])


def downgrade() -> None:
    op.drop_table("uploads")
    op.drop_table("passages")
    op.add_column("documents", sa.Column("subject", sa.Text(), nullable=True))
    op.execute("UPDATE documents d SET subject = s.name FROM study_subjects s WHERE s.id = d.subject_id")
    op.drop_index("ix_ingestions_original", "ingestions")
    op.drop_index("ix_documents_original", "documents")
    for name in ("subject_id", "pages", *ADDED):
        op.drop_column("documents", name)
    op.drop_table("study_subjects")
