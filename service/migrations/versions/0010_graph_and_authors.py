"""Citations lead to items; the importance of items; authors."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("citations", sa.Column("keys", postgresql.ARRAY(sa.Text()), nullable=True))
    op.add_column("citations", sa.Column("title", sa.Text(), nullable=True))
    op.add_column("citations", sa.Column("target_id", sa.Uuid(), nullable=True))
    op.drop_index("ix_citations_kind_value", table_name="citations")
    op.create_index("ix_citations_keys", "citations", ["keys"], postgresql_using="gin")
    op.create_index(
        "ix_citations_title", "citations", ["title"], postgresql_using="gin",
        postgresql_ops={"title": "gin_trgm_ops"},
    )  # fmt: skip
    op.create_index(
        "ix_citations_target_id", "citations", ["target_id"], postgresql_where=sa.text("target_id IS NOT NULL")
    )
    op.create_index("ix_citations_pending", "citations", ["resource_id"], postgresql_where=sa.text("keys IS NULL"))
    op.create_table(
        "graph_nodes",
        sa.Column("resource_id", sa.Uuid(), nullable=False),
        sa.Column("input_hash", sa.Text(), nullable=False),
        sa.Column("keys", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("title", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["resource_id"], ["resources.id"], name=op.f("fk_graph_nodes_resource_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("resource_id", name=op.f("pk_graph_nodes")),
    )
    op.create_index("ix_graph_nodes_keys", "graph_nodes", ["keys"], postgresql_using="gin")
    op.create_index(
        "ix_graph_nodes_title", "graph_nodes", ["title"], postgresql_using="gin",
        postgresql_ops={"title": "gin_trgm_ops"},
    )  # fmt: skip
    op.create_table(
        "graph_ranks",
        sa.Column("resource_id", sa.Uuid(), nullable=False),
        sa.Column("importance", sa.Float(), nullable=False),
        sa.ForeignKeyConstraint(
            ["resource_id"], ["resources.id"], name=op.f("fk_graph_ranks_resource_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("resource_id", name=op.f("pk_graph_ranks")),
    )
    op.create_index("ix_graph_ranks_importance", "graph_ranks", ["importance"])
    op.create_table(
        "graph_rankings",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("input_hash", sa.Text(), nullable=False),
        sa.Column("computed_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_graph_rankings")),
    )
    op.create_table(
        "authors",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("sort_name", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_authors")),
    )
    op.create_index("ix_authors_key", "authors", ["key"])
    op.create_table(
        "author_variants",
        sa.Column("author_id", sa.Uuid(), nullable=False),
        sa.Column("heading", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("written", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["author_id"], ["authors.id"], name=op.f("fk_author_variants_author_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("author_id", "heading", name=op.f("pk_author_variants")),
    )
    op.create_index("ix_author_variants_key", "author_variants", ["key", "author_id"])
    op.create_table(
        "author_links",
        sa.Column("resource_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("author_id", sa.Uuid(), nullable=False),
        sa.Column("written", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("sort_name", sa.Text(), nullable=False),
        sa.Column("folded", sa.Text(), nullable=False),
        sa.Column("heading", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("fullness", sa.Integer(), nullable=False),
        sa.Column("orcid", sa.Text(), nullable=True),
        sa.Column("basis", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["resource_id"], ["resources.id"], name=op.f("fk_author_links_resource_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["author_id"], ["authors.id"], name=op.f("fk_author_links_author_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("resource_id", "position", name=op.f("pk_author_links")),
    )
    op.create_index("ix_author_links_author_id", "author_links", ["author_id", "resource_id"])
    op.create_index("ix_author_links_key", "author_links", ["key"])
    op.create_index("ix_author_links_orcid", "author_links", ["orcid"], postgresql_where=sa.text("orcid IS NOT NULL"))
    op.create_index(
        "ix_author_links_folded", "author_links", ["folded"], postgresql_using="gin",
        postgresql_ops={"folded": "gin_trgm_ops"},
    )  # fmt: skip
    op.create_table(
        "author_distinctions",
        sa.Column("one_id", sa.Uuid(), nullable=False),
        sa.Column("other_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["one_id"], ["authors.id"], name=op.f("fk_author_distinctions_one_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["other_id"], ["authors.id"], name=op.f("fk_author_distinctions_other_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("one_id", "other_id", name=op.f("pk_author_distinctions")),
    )
    op.create_table(
        "author_readings",
        sa.Column("resource_id", sa.Uuid(), nullable=False),
        sa.Column("input_hash", sa.Text(), nullable=False),
        sa.Column("read_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["resource_id"], ["resources.id"], name=op.f("fk_author_readings_resource_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("resource_id", name=op.f("pk_author_readings")),
    )


def downgrade() -> None:
    op.drop_table("author_readings")
    op.drop_table("author_distinctions")
    op.drop_table("author_links")
    op.drop_table("author_variants")
    op.drop_table("authors")
    op.drop_table("graph_rankings")
    op.drop_table("graph_ranks")
    op.drop_table("graph_nodes")
    op.drop_index("ix_citations_pending", table_name="citations")
    op.drop_index("ix_citations_target_id", table_name="citations")
    op.drop_index("ix_citations_title", table_name="citations")
    op.drop_index("ix_citations_keys", table_name="citations")
    op.drop_column("citations", "target_id")
    op.drop_column("citations", "title")
    op.drop_column("citations", "keys")
    op.create_index("ix_citations_kind_value", "citations", ["kind", "value"])
