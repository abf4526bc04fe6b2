"""What the counters of the words should be, as the indexed texts say it: how rare a word is decides the ranking."""

from sqlalchemy import text

from service.database import ReadSession, Session
from service.search.terms import MAGNITUDE

_RIGHT = """
right_terms AS MATERIALIZED (
    SELECT lexeme, CAST(count(*) AS integer) AS documents
    FROM search_documents, unnest(tsvector_to_array(tsv)) AS lexeme WHERE weights IS NOT NULL GROUP BY lexeme),
right_corpora AS MATERIALIZED (
    SELECT configuration, CAST(count(*) AS integer) AS documents, sum(length) AS length
    FROM search_documents WHERE weights IS NOT NULL GROUP BY configuration),
wrong_terms AS MATERIALIZED (
    SELECT id, lexeme, coalesce(r.documents, 0) AS documents FROM search_terms t FULL JOIN right_terms r USING (lexeme)
    WHERE t.documents IS DISTINCT FROM coalesce(r.documents, 0)),
wrong_corpora AS MATERIALIZED (
    SELECT configuration, coalesce(r.documents, 0) AS documents, coalesce(r.length, 0) AS length
    FROM search_corpora c FULL JOIN right_corpora r USING (configuration)
    WHERE c.documents IS DISTINCT FROM coalesce(r.documents, 0)
        OR abs(c.length - coalesce(r.length, 0)) > 0.001 * greatest(c.length, 1))"""
_WRONG = text(f"WITH {_RIGHT} SELECT (SELECT count(*) FROM wrong_terms) + (SELECT count(*) FROM wrong_corpora)")  # noqa: S608
_RECOUNT = text(
    f"""WITH {_RIGHT},
    terms AS (UPDATE search_terms t SET documents = w.documents FROM wrong_terms w WHERE w.id = t.id),
    words AS (
        UPDATE search_words SET magnitude = {MAGNITUDE} FROM wrong_terms WHERE term_id = wrong_terms.id),
    corpora AS (
        INSERT INTO search_corpora AS c (configuration, documents, length) SELECT * FROM wrong_corpora
        ON CONFLICT (configuration) DO UPDATE SET documents = excluded.documents, length = excluded.length)
    SELECT 1"""  # noqa: S608
)
# What has a word without a number of its own is indexed again, which gives it one; until then it counts nowhere.
_AGAIN = text(
    f"""WITH {_RIGHT}
    UPDATE search_documents SET input_hash = '', weights = NULL
    WHERE tsvector_to_array(tsv) && ARRAY(SELECT CAST(lexeme AS text) FROM wrong_terms WHERE id IS NULL)"""  # noqa: S608
)
_ALONE = text("LOCK TABLE search_documents, search_terms, search_corpora IN SHARE ROW EXCLUSIVE MODE")


async def wrong(session: ReadSession) -> int:
    """Return how many counters say something else than the texts."""
    return await session.scalar(_WRONG) or 0


async def recount(session: Session) -> int:
    """Set them right, while nothing is indexed; returns how many were wrong."""
    await session.execute(_ALONE)
    count = await wrong(session)
    await session.execute(_AGAIN)
    await session.execute(_RECOUNT)
    return count
