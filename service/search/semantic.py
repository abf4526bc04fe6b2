"""Candidates by meaning: the resources whose best passage, and whole, are nearest to the query.

The graph index (HNSW) goes on searching where filters take away what it found (`hnsw.iterative_scan`), up to a bound.
Where few texts pass the filters, or that bound was reached, their passages are compared one by one: nothing is lost.
"""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import text

from service.database import ReadSession
from service.inference import Vector
from service.search.filters import CONDITION, Filters
from service.search.query import Query
from service.search.vectors import to_text

PASSAGES = 400  # nearest passages that are looked at
FEW = 1000  # texts; so many are compared one by one
WHOLE = 0.3  # how much the mean of all passages counts beside the best one
FLOOR = 0.25  # cosine; what is less alike has nothing to do with the query

_DEMAND = """AND (CAST(:demand AS text) IS NULL OR r.id IN (
        SELECT d.resource_id
        FROM (SELECT configuration, to_tsquery(configuration::regconfig, :demand) AS asked FROM search_corpora) q,
            LATERAL (SELECT d.resource_id FROM search_documents d
                WHERE d.configuration = q.configuration AND d.tsv @@ q.asked OFFSET 0) d))"""

_FEW = text(
    f"""SELECT count(*) <= {FEW} FROM (
        SELECT FROM resources r WHERE {CONDITION} {_DEMAND} LIMIT {FEW + 1}) sample"""  # noqa: S608
)

_WITH_WHOLE = """SELECT n.*, 1 - (e.mean <=> CAST(:vector AS vector)) AS whole
    FROM nearest n LEFT JOIN embeddings e USING (resource_id)"""

_NEAREST = text(
    f"""WITH nearest AS MATERIALIZED (
        SELECT c.resource_id, c.ordinal, 1 - (c.embedding <=> CAST(:vector AS halfvec)) AS similarity
        FROM chunks c JOIN resources r ON r.id = c.resource_id
        WHERE {CONDITION} {_DEMAND}
        ORDER BY c.embedding <=> CAST(:vector AS halfvec) LIMIT {PASSAGES}
    )
    {_WITH_WHOLE}"""  # noqa: S608
)

_EXACT = text(
    f"""WITH chosen AS MATERIALIZED (SELECT r.id FROM resources r WHERE {CONDITION} {_DEMAND}),
    compared AS MATERIALIZED (
        SELECT c.resource_id, c.ordinal, 1 - (c.embedding <=> CAST(:vector AS halfvec)) AS similarity
        FROM chosen JOIN chunks c ON c.resource_id = chosen.id
    ),
    nearest AS MATERIALIZED (SELECT * FROM compared ORDER BY similarity DESC LIMIT {PASSAGES})
    {_WITH_WHOLE}"""  # noqa: S608
)


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A resource by its passage that is nearest to the query, and how alike they are (cosine)."""

    id: UUID
    passage: int
    similarity: float


async def neighbours(
    session: ReadSession, vector: Vector, query: Query | None, filters: Filters, most: int
) -> list[Neighbour]:
    """Return at most `most` resources, nearest first, that satisfy the filters and what the query, if any, demands."""
    demand = query.demand if query else None
    parameters: dict[str, Any] = filters.parameters | {"vector": to_text(vector), "demand": demand}
    narrow = filters.narrow or (query is not None and not query.only_excludes)
    exact = narrow and await session.scalar(_FEW, filters.parameters | {"demand": demand})
    rows = [] if exact else (await session.execute(_NEAREST, parameters)).all()
    if len(rows) < PASSAGES:
        rows = (await session.execute(_EXACT, parameters)).all()
    best: dict[UUID, Neighbour] = {}
    for row in sorted(rows, key=lambda row: (-row.similarity, row.resource_id)):
        if row.similarity >= FLOOR and row.resource_id not in best:
            whole = row.similarity if row.whole is None else row.whole
            alike = (1 - WHOLE) * row.similarity + WHOLE * whole
            best[row.resource_id] = Neighbour(row.resource_id, row.ordinal, alike)
    return sorted(best.values(), key=lambda one: (-one.similarity, one.id))[:most]
