"""What each derived row is made from, as a hash that PostgreSQL computes: in one place, for who writes and who checks.

`r` is the row of `resources`. A hash holds the version of what computes the row, so that a new algorithm or model makes
every old row stale.
"""

from service.inference import MODEL

INDEX_VERSION = "words/2"
LABELS_VERSION = "labels/1"

QUALITY_LEVELS = (0.2, 0.4, 0.6, 0.8)  # that facets count

CATEGORIES = """SELECT c.lineage FROM classifications k JOIN categories c ON c.id = k.category_id
    WHERE k.resource_id = r.id AND k.assigned"""

INDEX_INPUT = f"""md5(ROW(
    '{INDEX_VERSION}'::text, r.title, r.description, r.type, r.language, r.authors, r.subjects, r.tags, r.content_hash
)::text)"""
EMBEDDING_INPUT = f"md5(ROW('{MODEL}'::text, r.title, r.content_hash)::text)"

# How many of the levels it reaches; null where its quality is not known.
QUALITY_LEVEL = f"""(SELECT width_bucket(q.overall, CAST(ARRAY{list(QUALITY_LEVELS)} AS float8[]))
    FROM quality q WHERE q.resource_id = r.id)"""  # noqa: S608
LABELS_INPUT = f"""md5(ROW(
    '{LABELS_VERSION}'::text, {QUALITY_LEVEL},
    (SELECT string_agg(CAST(lineage AS text), ' ' ORDER BY lineage) FROM ({CATEGORIES}) about)
)::text)"""  # noqa: S608
