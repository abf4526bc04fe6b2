"""Candidates by meaning: the resources whose best passage is nearest to the query.

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

PASSAGES = 600  # nearest passages that are looked at
FEW = 1000  # texts; so many are compared one by one
FLOOR = 0.25  # cosine; what is less alike has nothing to do with the query

_DEMAND = """AND (CAST(:demand AS text) IS NULL OR EXISTS (
        SELECT FROM search_documents d
        WHERE d.resource_id = r.id AND d.tsv @@ to_tsquery(d.configuration::regconfig, :demand)))"""

_FEW = text(f"SELECT count(*) <= {FEW} FROM (SELECT FROM resources r WHERE {CONDITION} LIMIT {FEW + 1}) sample")  # noqa: S608

_NEAREST = text(
    f"""SELECT c.resource_id, c.ordinal, 1 - (c.embedding <=> CAST(:vector AS halfvec)) AS similarity
    FROM chunks c JOIN resources r ON r.id = c.resource_id
    WHERE {CONDITION} {_DEMAND}
    ORDER BY c.embedding <=> CAST(:vector AS halfvec) LIMIT {PASSAGES}"""  # noqa: S608
)

_EXACT = text(
    f"""WITH chosen AS MATERIALIZED (SELECT r.id FROM resources r WHERE {CONDITION} {_DEMAND}),
    compared AS MATERIALIZED (
        SELECT c.resource_id, c.ordinal, 1 - (c.embedding <=> CAST(:vector AS halfvec)) AS similarity
        FROM chosen JOIN chunks c ON c.resource_id = chosen.id
    )
    SELECT * FROM compared ORDER BY similarity DESC LIMIT {PASSAGES}"""  # noqa: S608
)


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A resource by its passage that is nearest to the query, and the cosine between the two."""

    id: UUID
    passage: int
    similarity: float


async def neighbours(
    session: ReadSession, vector: Vector, query: Query, filters: Filters, most: int
) -> list[Neighbour]:
    """Return at most `most` resources, nearest first, that satisfy the filters and what the query demands."""
    parameters: dict[str, Any] = filters.parameters | {"vector": to_text(vector), "demand": query.demand}
    exact = not query.only_excludes or (filters.narrow and await session.scalar(_FEW, filters.parameters))
    rows = [] if exact else (await session.execute(_NEAREST, parameters)).all()
    if len(rows) < PASSAGES:
        rows = (await session.execute(_EXACT, parameters)).all()
    best: dict[UUID, Neighbour] = {}
    for row in sorted(rows, key=lambda row: (-row.similarity, row.resource_id)):
        if row.similarity >= FLOOR:
            best.setdefault(row.resource_id, Neighbour(row.resource_id, row.ordinal, row.similarity))
    return list(best.values())[:most]
