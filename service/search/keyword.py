"""Candidates by words: which texts match, how well, and what they have in common.

The score of a text is the sum, over the terms of the query, of how rare the term is in the library (the inverse
document frequency of BM25; Robertson, Zaragoza: The Probabilistic Relevance Framework, 2009) times how often and where
the text has it (`ts_rank`, which saturates, divided by the logarithm of the length). Each text is read by the rules of
its own language; a stop word of the language that most texts have tells nothing in any.
"""

from dataclasses import dataclass
from uuid import UUID

import orjson
from sqlalchemy import text

from service.database import ReadSession
from service.search.filters import CONDITION, Filters
from service.search.query import Query, tsquery

ENOUGH = 10  # full matches; where there are fewer, partial ones follow
WEIGHTS = "{.6, .6, .6, 1}"  # of text, description, authors and subjects, title
FACET_VALUES = 50


@dataclass(frozen=True, slots=True)
class Matches:
    """Texts by their words, best first, and figures over these and the candidates by meaning together."""

    ids: list[UUID]
    scores: list[float]
    total: int
    facets: dict[str, dict[str, int]]


def _by(query: str) -> str:
    """SQL: the texts of one language that match; OFFSET 0 makes the planner ask the index, not read them all."""
    return f"""SELECT d.resource_id, d.configuration, d.tsv FROM search_documents d
        WHERE d.configuration = q.configuration AND d.tsv @@ {query} OFFSET 0"""  # noqa: S608


_MATCHES = text(
    f"""WITH present AS MATERIALIZED (
        SELECT configuration, count(*) AS size FROM search_documents GROUP BY configuration
    ),
    queries AS MATERIALIZED (
        SELECT configuration,
            to_tsquery(configuration::regconfig, :strict) AS strict,
            to_tsquery(configuration::regconfig, :loose) AS loose
        FROM present
    ),
    full_matches AS MATERIALIZED (
        SELECT count(*) AS number FROM (
            SELECT FROM queries q, LATERAL ({_by("q.strict")}) d JOIN resources r ON r.id = d.resource_id
            WHERE {CONDITION} LIMIT {ENOUGH}
        ) sample
    ),
    terms AS MATERIALIZED (
        SELECT number, configuration, to_tsquery(configuration::regconfig, term) AS term
        FROM present, unnest(CAST(:terms AS text[])) WITH ORDINALITY AS asked(term, number)
    ),
    telling AS MATERIALIZED (
        SELECT number FROM terms
        WHERE configuration = (SELECT configuration FROM present ORDER BY size DESC LIMIT 1) AND numnode(term) > 0
    ),
    weights AS MATERIALIZED (
        SELECT number, ln(1 + (library.size - frequency + .5) / (frequency + .5)) AS rarity
        FROM (SELECT sum(size) AS size FROM present) library,
        (SELECT number, sum(texts) AS frequency
         FROM terms q NATURAL JOIN telling, LATERAL (SELECT count(*) AS texts FROM ({_by("q.term")}) d) counted
         GROUP BY number) frequencies
        WHERE frequency > 0
    ),
    hits AS MATERIALIZED (
        SELECT r.id, r.type, r.language, r.authors, score
        FROM (
            SELECT configuration, strict, CASE number WHEN {ENOUGH} THEN strict ELSE loose END AS chosen
            FROM queries, full_matches
        ) q,
        LATERAL ({_by("q.chosen")}) d
        JOIN resources r ON r.id = d.resource_id,
        LATERAL (
            SELECT coalesce(sum(rarity * ts_rank('{WEIGHTS}', d.tsv, term, 1)), 0) AS score
            FROM terms NATURAL JOIN weights WHERE configuration = d.configuration AND d.tsv @@ term
        ) weighed
        WHERE (score > 0 OR d.tsv @@ q.strict) AND {CONDITION}
    ),
    found AS MATERIALIZED (
        SELECT id, type, language, authors FROM hits
        UNION ALL
        SELECT r.id, r.type, r.language, r.authors FROM resources r
        WHERE r.id = ANY(CAST(:others AS uuid[])) AND NOT EXISTS (SELECT FROM hits WHERE hits.id = r.id)
    ),
    facets AS (
        (SELECT 'type' AS facet, type AS value, count(*) AS number FROM found GROUP BY type
         ORDER BY number DESC, value LIMIT {FACET_VALUES})
        UNION ALL
        (SELECT 'language', language, count(*) AS number FROM found WHERE language IS NOT NULL GROUP BY language
         ORDER BY number DESC, language LIMIT {FACET_VALUES})
        UNION ALL
        (SELECT 'author', author, count(*) AS number FROM found, unnest(authors) AS author GROUP BY author
         ORDER BY number DESC, author LIMIT {FACET_VALUES})
    )
    SELECT
        (SELECT array_agg(id ORDER BY score DESC, id) FROM (
            SELECT id, score FROM hits ORDER BY score DESC, id LIMIT :most) best) AS ids,
        (SELECT array_agg(score ORDER BY score DESC, id) FROM (
            SELECT id, score FROM hits ORDER BY score DESC, id LIMIT :most) best) AS scores,
        (SELECT count(*) FROM found) AS total,
        (SELECT json_agg(json_build_array(facet, value, number))::text FROM facets) AS facets"""  # noqa: S608
)


async def matches(
    session: ReadSession, query: Query | None, filters: Filters, most: int, others: list[UUID]
) -> Matches:
    """Return the best `most` texts for a query (None: nothing by words); figures count `others` as well."""
    parameters = {
        "strict": query.strict if query else "",
        "loose": query.loose if query else "",
        "terms": [tsquery(term) for term in query.weighed] if query else [],
        "most": most,
        "others": others,
    }
    row = (await session.execute(_MATCHES, filters.parameters | parameters)).one()
    facets: dict[str, dict[str, int]] = {"type": {}, "language": {}, "author": {}}
    for facet, value, number in orjson.loads(row.facets or "[]"):
        facets[facet][value] = number
    return Matches(row.ids or [], row.scores or [], row.total, facets)
