"""What each derived row is made from, as a hash that PostgreSQL computes: in one place, for who writes and who checks.

`r` is the row of `resources`. A hash holds the version of what computes the row, so that a new algorithm or model makes
every old row stale.
"""

from service.inference import MODEL

INDEX_VERSION = "words/2"

INDEX_INPUT = f"""md5(ROW(
    '{INDEX_VERSION}'::text, r.title, r.description, r.type, r.language, r.authors, r.subjects, r.tags, r.content_hash
)::text)"""
EMBEDDING_INPUT = f"md5(ROW('{MODEL}'::text, r.title, r.content_hash)::text)"
