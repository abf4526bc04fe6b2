"""Lists and their totals are read from indexes; so are words inside of titles and names."""

from typing import Any

import sqlalchemy as sa
from alembic import op

from service.resources.tables import HASHES

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None

SHOWN = ["private", "owner_id"]

# What a total needs stands beside what the order needs: the same index, larger.
PRIVATE = {"postgresql_where": sa.text("private")}
OPEN = {"postgresql_where": sa.text("settled_at IS NULL")}
WIDER: tuple[tuple[str, str, list[str], list[str], list[str], dict[str, Any]], ...] = (
    ("ix_resources_created_at", "resources", ["created_at", "id"], [], [*SHOWN, "status"], {}),
    ("ix_resources_private", "resources", ["owner_id"], ["id"], [], PRIVATE),
    ("ix_documents_owner_id_created_at", "documents", ["owner_id", "created_at"], [], ["resource_id"], {}),
    ("ix_author_links_author_id", "author_links", ["author_id", "resource_id"], [], ["sort_name"], {}),
    ("ix_quality_reviews_open", "quality_reviews", ["opened_at"], ["resource_id", "kind"], [], OPEN),
)
INDEXES: tuple[tuple[str, str, list[Any], dict[str, Any]], ...] = (
    ("ix_resources_language", "resources", ["language", "created_at"], {"postgresql_include": SHOWN}),
    ("ix_resources_published_at", "resources", ["published_at", "id"], {}),
    ("ix_resources_latest", "resources", [sa.text("published_at DESC NULLS LAST"), "id"], {}),
    ("ix_resources_title_start", "resources", [sa.text("left(title, 100)")], {}),
    ("ix_resources_type", "resources", ["type"], {"postgresql_using": "hash"}),
    (
        "ix_resources_found_by", "resources",
        ["title", "tags", sa.text("pharos_hashes(authors)"), sa.text("pharos_hashes(subjects)")],
        {"postgresql_using": "gin", "postgresql_ops": {"title": "gin_trgm_ops"}},
    ),
    (
        "ix_resources_tags", "resources", SHOWN,
        {"postgresql_include": ["tags"], "postgresql_where": sa.text("cardinality(tags) BETWEEN 1 AND 10")},
    ),
    ("ix_resources_many_tags", "resources", ["owner_id"], {"postgresql_where": sa.text("cardinality(tags) > 10")}),
    ("ix_search_words_term_id", "search_words", ["term_id"], {}),
    (
        "ix_search_words_beginning", "search_words", [sa.text("left(word, 2)"), sa.text("magnitude DESC"), "word"],
        {"postgresql_include": ["term_id"]},
    ),
    (
        "ix_quality_reviews_settled", "quality_reviews", ["opened_at", "resource_id", "kind"],
        {"postgresql_where": sa.text("settled_at IS NOT NULL")},
    ),
    ("ix_quality_overall", "quality", ["overall", "resource_id"], {}),
    ("ix_documents_filename", "documents", [sa.text("lower(filename)"), "id"], {}),
    ("ix_documents_size", "documents", ["size", "id"], {}),
    (
        "ix_documents_unsearchable", "documents", ["resource_id"],
        {"postgresql_where": sa.text("failed_hash IS NOT NULL")},
    ),
    (
        "ix_documents_filename_words", "documents", ["filename"],
        {"postgresql_using": "gin", "postgresql_ops": {"filename": "gin_trgm_ops"}},
    ),
    ("ix_collections_visibility", "collections", ["visibility", "owner_id"], {}),
    (
        "ix_collections_name_words", "collections", ["name"],
        {"postgresql_using": "gin", "postgresql_ops": {"name": "gin_trgm_ops"}},
    ),
    (
        "ix_collection_embeddings_mean", "collection_embeddings", ["mean"],
        {"postgresql_using": "hnsw", "postgresql_ops": {"mean": "vector_cosine_ops"}},
    ),
    (
        "ix_dead_letters_words", "dead_letters",
        [sa.text(f"{text} gin_trgm_ops") for text in ("exception", "(arguments::text)", "(positional::text)")],
        {"postgresql_using": "gin"},
    ),
)  # fmt: skip


def upgrade() -> None:
    op.execute(HASHES)
    op.execute("CREATE STATISTICS resources_number_of_tags ON (cardinality(tags)) FROM resources")
    op.add_column("search_words", sa.Column("magnitude", sa.SmallInteger(), server_default="0", nullable=False))
    op.execute(
        "UPDATE search_words SET magnitude = floor(log(2, documents)) FROM search_terms t"
        " WHERE t.id = term_id AND documents > 1"
    )
    for name, table, columns, more, beside, options in WIDER:
        op.drop_index(name, table_name=table)
        op.create_index(name, table, [*columns, *more], postgresql_include=beside, **options)
    for name, table, columns, options in INDEXES:
        op.create_index(name, table, columns, **options)


def downgrade() -> None:
    for name, table, _, _ in INDEXES:
        op.drop_index(name, table_name=table)
    for name, table, columns, _, _, options in WIDER:
        op.drop_index(name, table_name=table)
        op.create_index(name, table, columns, **options)
    op.drop_column("search_words", "magnitude")
    op.execute("DROP STATISTICS resources_number_of_tags")
    op.execute("DROP FUNCTION pharos_hashes(text[])")
