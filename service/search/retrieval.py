"""A search from its query to its page."""

from dataclasses import dataclass
from time import perf_counter
from typing import Any, Literal
from uuid import UUID

from service.database import reading
from service.inference import InferenceAway, Vector, embed_query
from service.search.filters import Filters
from service.search.fusion import K, reciprocal_rank_fusion
from service.search.keyword import matches
from service.search.query import Query, parse
from service.search.semantic import Neighbour, neighbours
from service.search.snippets import passages, snippet

Mode = Literal["hybrid", "keyword", "semantic"]

CANDIDATES = 200  # of each ranking that are merged; what words find beyond follows in its own order
SHOWN = ("id", "title", "url", "type", "language", "authors", "published_at", "created_at")


@dataclass(frozen=True, slots=True)
class Found:
    """One page of what was found, and figures over all of it."""

    total: int
    items: list[dict[str, Any]]
    facets: dict[str, dict[str, int]]
    degraded: list[str]  # what was asked for and could not be had
    took_ms: float


async def search(
    text: str, filters: Filters, mode: Mode = "hybrid", *, limit: int = 25, offset: int = 0, unfinished: bool = False
) -> Found:
    """Find resources; without the model server, by words alone. Raises what `parse` raises.

    The order is the same for every page, so that pages neither overlap nor leave anything out.
    """
    began = perf_counter()
    query = parse(text, unfinished=unfinished)
    vector: Vector | None = None
    degraded: list[str] = []
    if mode != "keyword":
        try:
            vector = await embed_query(query.meaning)
        except InferenceAway:
            degraded.append("semantic")
    by_words = query if mode != "semantic" or vector is None else None
    async with reading() as session:
        near = [] if vector is None else await neighbours(session, vector, query, filters, CANDIDATES)
        found = await matches(session, by_words, filters, max(CANDIDATES, offset + limit), [one.id for one in near])
        ranking = _ranking(list(zip(found.ids, found.scores, strict=True)), near, by_words, vector)
        page = ranking[offset : offset + limit]
        rows = await passages(session, [id for id, _ in page], query, vector)
    scores = dict(page)
    items = [
        {key: row[key] for key in SHOWN}
        | {"score": round(scores[row["id"]], 6), "snippet": snippet(row["passage"] or "", row["marked"])}
        for row in rows
    ]
    return Found(found.total, items, found.facets, degraded, round(1000 * (perf_counter() - began), 1))


def _ranking(
    words: list[tuple[UUID, float]], near: list[Neighbour], by_words: Query | None, vector: Vector | None
) -> list[tuple[UUID, float]]:
    """Return ids with scores, best first: one ranking as it is, or two merged."""
    if vector is None:
        return words
    if by_words is None:
        return [(one.id, one.similarity) for one in near]
    ids = [id for id, _ in words]
    merged = reciprocal_rank_fusion([ids[:CANDIDATES], [one.id for one in near]])
    known = {id for id, _ in merged}
    rest = [(id, (K + 1) / (K + rank) / 2) for rank, id in enumerate(ids, 1) if id not in known]
    return merged + rest
