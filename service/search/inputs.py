"""What each derived row is made from, as a hash that PostgreSQL computes: in one place, for who writes and who checks.

`r` is the row of `resources`. A hash holds the version of what computes the row, so that a new algorithm or model makes
every old row stale.
"""

from service.inference import MODEL

INDEX_VERSION = "words/2"

# What a resource is about comes last and only where there is something, so that it is no news of other resources.
CATEGORIES = """SELECT c.lineage FROM classifications k JOIN categories c ON c.id = k.category_id
    WHERE k.resource_id = r.id AND k.assigned"""

INDEX_INPUT = f"""md5(ROW(
    '{INDEX_VERSION}'::text, r.title, r.description, r.type, r.language, r.authors, r.subjects, r.tags, r.content_hash
)::text || coalesce((SELECT string_agg(CAST(lineage AS text), ' ' ORDER BY lineage) FROM ({CATEGORIES}) about), ''))"""  # noqa: S608
EMBEDDING_INPUT = f"md5(ROW('{MODEL}'::text, r.title, r.content_hash)::text)"
