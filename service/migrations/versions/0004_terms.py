"""Terms of the library, each text's weights of its terms, saved searches."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from service.search.terms import FORGETTING
from service.search.vectors import SparseVector

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
    op.create_table(
        "search_terms",
        sa.Column("id", sa.Integer(), sa.Identity(always=True), nullable=False),
        sa.Column("lexeme", sa.Text(collation="C"), nullable=False),
        sa.Column("documents", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_search_terms")),
        sa.UniqueConstraint("lexeme", name=op.f("uq_search_terms_lexeme")),
        postgresql_with={"fillfactor": "70"},
    )
    op.create_table(
        "search_corpora",
        sa.Column("configuration", sa.Text(), nullable=False),
        sa.Column("documents", sa.Integer(), nullable=False),
        sa.Column("length", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("configuration", name=op.f("pk_search_corpora")),
    )
    op.create_table(
        "search_words",
        sa.Column("word", sa.Text(collation="C"), nullable=False),
        sa.Column("term_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["term_id"], ["search_terms.id"], name=op.f("fk_search_words_term_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("word", name=op.f("pk_search_words")),
    )
    op.create_index(
        "ix_search_words_word", "search_words", ["word"], postgresql_using="gin",
        postgresql_ops={"word": "gin_trgm_ops"},
    )  # fmt: skip
    op.create_table(
        "saved_searches",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("owner_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("search", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("last_used_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["owner_id"], ["users.id"], name=op.f("fk_saved_searches_owner_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_saved_searches")),
        sa.UniqueConstraint("owner_id", "name", name=op.f("uq_saved_searches_owner_id_name")),
    )
    # Rows of before weigh nothing and are not counted: the sweep finds them stale and has them indexed again. Until then
    # they are found where they match fully.
    op.execute("INSERT INTO search_corpora SELECT DISTINCT configuration, 0, 0 FROM search_documents")
    op.add_column("search_documents", sa.Column("weights", SparseVector(), nullable=True))
    op.add_column("search_documents", sa.Column("length", sa.Float(), server_default="0", nullable=False))
    op.add_column(
        "search_documents", sa.Column("labels", postgresql.ARRAY(sa.Text()), server_default="{}", nullable=False)
    )
    op.create_index(
        "ix_resources_title", "resources", [sa.text("to_tsvector('simple'::regconfig, title)")], postgresql_using="gin"
    )
    op.create_index("ix_resources_private", "resources", ["owner_id"], postgresql_where=sa.text("private"))
    op.execute("ALTER TABLE search_documents ALTER weights SET STORAGE MAIN")  # it is read with every candidate
    for statement in FORGETTING:
        op.execute(statement)


def downgrade() -> None:
    op.execute("DROP TRIGGER forget_terms ON search_documents")
    op.execute("DROP FUNCTION pharos_forget_terms")
    op.drop_index("ix_resources_title", table_name="resources")
    op.drop_index("ix_resources_private", table_name="resources", postgresql_where=sa.text("private"))
    op.drop_column("search_documents", "labels")
    op.drop_column("search_documents", "length")
    op.drop_column("search_documents", "weights")
    op.drop_table("saved_searches")
    op.drop_index("ix_search_words_word", table_name="search_words")
    op.drop_table("search_words")
    op.drop_table("search_corpora")
    op.drop_table("search_terms")
