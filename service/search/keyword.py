"""Candidates by words: which texts match, how well, and what they have in common.

The index (GIN) says which texts match; BM25 how well: the inner product of each text's weights of its terms (terms.py)
and of how rare the terms of the query are in the library. Each text is read by the rules of its own language; a stop
word of the language that most texts have tells nothing in any.
"""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import TextClause, text

from service.database import ReadSession
from service.search.filters import CONDITION, Filters
from service.search.query import Query, tsquery
from service.search.vectors import TERMS

ENOUGH = 10  # full matches; where there are fewer, partial ones follow
PARTIAL = 2000  # texts that are looked at for partial matches: those with the rarest words of the query
BEGINNINGS = 64  # terms that `comput*` stands for, the most frequent ones; the others match and weigh nothing
FACET_VALUES = 50
COUNTED = 10_000


FACETS = ("type", "language", "author", "subject", "tag", "category", "quality")


@dataclass(frozen=True, slots=True)
class Matches:
    """Texts by their words, best first, and figures over these and the candidates by meaning together."""

    ids: list[UUID]
    scores: list[float]
    total: int
    facets: dict[str, dict[str, int]]
    exact: bool  # whether the facets count all that was found, or the best `COUNTED`


def _by(query: str) -> str:
    """SQL: the texts of one language that match; OFFSET 0 makes the planner ask the index, not read them all."""
    return f"""SELECT d.resource_id, d.configuration, d.tsv, d.weights, d.labels FROM search_documents d
        WHERE d.configuration = q.configuration AND d.tsv @@ {query} OFFSET 0"""  # noqa: S608


# Most searches have no filter: then only what others keep to themselves is left out, and no row of `resources` is read.
_ANYTHING = "", "d.resource_id NOT IN (SELECT id FROM resources WHERE private AND owner_id IS DISTINCT FROM :account)"
_NARROWED = "JOIN resources r ON r.id = d.resource_id", CONDITION


def _statement(join: str, condition: str) -> TextClause:
    return text(
        f"""WITH present AS MATERIALIZED (
        SELECT configuration, documents AS size FROM search_corpora
    ),
    queries AS MATERIALIZED (
        SELECT configuration, to_tsquery(configuration::regconfig, :strict) AS strict FROM present
    ),
    full_matches AS MATERIALIZED (
        SELECT count(*) AS number FROM (
            SELECT FROM queries q, LATERAL ({_by("q.strict")}) d {join}
            WHERE {condition} LIMIT {ENOUGH}
        ) sample
    ),
    lexemes AS MATERIALIZED (
        SELECT DISTINCT number, prefix, configuration, lexeme
        FROM present,
            unnest(CAST(:words AS text[]), CAST(:prefixes AS bool[])) WITH ORDINALITY AS asked(word, prefix, number),
            unnest(tsvector_to_array(to_tsvector(configuration::regconfig, word))) AS lexeme
    ),
    telling AS MATERIALIZED (
        SELECT number FROM lexemes
        WHERE configuration = (SELECT configuration FROM present ORDER BY size DESC, configuration LIMIT 1)
    ),
    terms AS MATERIALIZED (
        SELECT DISTINCT number, configuration, t.id, t.documents
        FROM lexemes NATURAL JOIN telling, LATERAL (
            SELECT id, documents FROM search_terms t WHERE NOT prefix AND t.lexeme = lexemes.lexeme
            UNION ALL
            (SELECT id, documents FROM search_terms t
             WHERE prefix AND t.lexeme >= lexemes.lexeme AND t.lexeme < lexemes.lexeme || chr(1114111)
             ORDER BY documents DESC, id LIMIT {BEGINNINGS})
        ) t
    ),
    rarities AS MATERIALIZED (
        SELECT number, frequency, ln(1 + (greatest(library.size - frequency, 0) + .5) / (frequency + .5)) AS rarity
        FROM (SELECT sum(size) AS size FROM present) library,
            (SELECT number, sum(documents) AS frequency
             FROM (SELECT DISTINCT number, id, documents FROM terms) known GROUP BY number) frequencies
    ),
    choices AS MATERIALIZED (
        SELECT configuration, to_tsquery(configuration::regconfig, loose) AS loose
        FROM present, (
            SELECT concat_ws(' & ', nullif(:demand, ''), '(' || string_agg(partly[number], ' | ') || ')') AS loose
            FROM CAST(:partly AS text[]) AS partly, (
                SELECT number, sum(frequency) OVER (ORDER BY frequency, number) AS so_far,
                    min(frequency) OVER () AS rarest
                FROM rarities WHERE (CAST(:partly AS text[]))[number] IS NOT NULL
            ) terms
            WHERE so_far <= greatest({PARTIAL}, rarest)
        ) partial
    ),
    asked AS MATERIALIZED (
        SELECT configuration, CAST('{{' || string_agg(id || ':' || rarity, ',') || '}}/{TERMS}' AS sparsevec) AS asked
        FROM (
            SELECT configuration, id, round(CAST(max(rarity) AS numeric), 4) AS rarity
            FROM terms JOIN rarities USING (number) GROUP BY configuration, id
        ) best
        WHERE rarity > 0 GROUP BY configuration
    ),
    hits AS MATERIALIZED (
        SELECT d.resource_id AS id, d.labels, score
        FROM (
            SELECT configuration, strict, asked,
                CASE number WHEN {ENOUGH} THEN strict ELSE coalesce(loose, strict) END AS chosen
            FROM queries NATURAL LEFT JOIN asked NATURAL LEFT JOIN choices, full_matches
        ) q,
        LATERAL ({_by("q.chosen")}) d {join},
        LATERAL (SELECT coalesce(-(d.weights <#> q.asked), 0) AS score) weighed
        WHERE (score > 0 OR d.tsv @@ q.strict) AND {condition}
    ),
    found AS MATERIALIZED (
        SELECT id, labels, score FROM hits
        UNION ALL
        SELECT other.id, coalesce(d.labels, '{{}}'), 0
        FROM unnest(CAST(:others AS uuid[])) AS other(id) LEFT JOIN search_documents d ON d.resource_id = other.id
        WHERE NOT EXISTS (SELECT FROM hits WHERE hits.id = other.id)
    ),
    total AS MATERIALIZED (SELECT count(*) AS number FROM found),
    counted AS MATERIALIZED (
        SELECT * FROM found WHERE (SELECT number FROM total) <= {COUNTED}
        UNION ALL
        (SELECT * FROM found WHERE (SELECT number FROM total) > {COUNTED} ORDER BY score DESC, id LIMIT {COUNTED})
    ),
    facets AS (
        SELECT *, row_number() OVER (PARTITION BY facet ORDER BY number DESC, value) AS place
        FROM (
            SELECT split_part(label, ':', 1) AS facet, substr(label, strpos(label, ':') + 1) AS value, number
            FROM (SELECT label, count(*) AS number FROM counted, unnest(labels) AS label GROUP BY label) labelled
        ) parted
    )
    SELECT
        (SELECT array_agg(id ORDER BY score DESC, id) FROM (
            SELECT id, score FROM hits ORDER BY score DESC, id LIMIT :most) best) AS ids,
        (SELECT array_agg(score ORDER BY score DESC, id) FROM (
            SELECT id, score FROM hits ORDER BY score DESC, id LIMIT :most) best) AS scores,
        (SELECT number FROM total) AS total,
        (SELECT json_agg(json_build_array(facet, coalesce(path, value), number) ORDER BY place)::text
         FROM facets LEFT JOIN categories c
             ON facet = 'category' AND c.id = CAST(CASE facet WHEN 'category' THEN value END AS uuid)
         WHERE place <= {FACET_VALUES} AND (facet <> 'category' OR path IS NOT NULL)) AS facets"""  # noqa: S608
    )


_MATCHES, _FILTERED = _statement(*_ANYTHING), _statement(*_NARROWED)


def parameters(query: Query | None, most: int, others: list[UUID]) -> dict[str, Any]:
    """Return what the statement takes besides the filters."""
    return {
        "strict": query.strict if query else "",
        "demand": query.demand or "" if query else "",
        "partly": [tsquery(term) if term in query.partly else None for term in query.weighed] if query else [],
        "words": [term.text for term in query.weighed] if query else [],
        "prefixes": [term.prefix for term in query.weighed] if query else [],
        "most": most,
        "others": others,
    }


async def matches(
    session: ReadSession, query: Query | None, filters: Filters, most: int, others: list[UUID]
) -> Matches:
    """Return the best `most` texts for a query (None: nothing by words); figures count `others` as well."""
    if filters.narrow:
        given, statement = filters.parameters, _FILTERED
    else:
        given, statement = {"account": filters.account}, _MATCHES
    row = (await session.execute(statement, given | parameters(query, most, others))).one()
    facets: dict[str, dict[str, int]] = {name: {} for name in FACETS}
    for facet, value, number in orjson.loads(row.facets or "[]"):
        facets[facet][value] = number
    return Matches(row.ids or [], row.scores or [], row.total, facets, row.total <= COUNTED)
