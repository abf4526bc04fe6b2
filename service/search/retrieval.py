"""A search from its query to its page."""

from datetime import UTC, datetime
from time import perf_counter
from typing import Any, Literal, NamedTuple
from uuid import UUID

import orjson
from sqlalchemy import select, text

from service.database import reading
from service.inference import InferenceAway, Vector, embed_query
from service.search.filters import Filters
from service.search.fusion import CANDIDATES, Ranked, bettered, blend, freshened, share_of_words
from service.search.keyword import Matches, matches
from service.search.query import Query, parse
from service.search.semantic import Neighbour, neighbours
from service.search.snippets import passages, snippet
from service.search.suggestions import spelled
from service.search.tables import Embedding
from service.settings import settings

Mode = Literal["hybrid", "keyword", "semantic"]

SAME = 10  # copies of one text that are left out of what is similar to it
FEW = 10  # where no more was found, another spelling may be meant
SHOWN = ("id", "title", "url", "type", "language", "authors", "tags", "published_at", "created_at")


class Found(NamedTuple):
    """One page of what was found, and figures over all of it."""

    total: int
    items: list[dict[str, Any]]
    facets: dict[str, dict[str, int]]
    facets_exact: bool
    did_you_mean: str | None
    degraded: list[str]  # what was asked for and could not be had
    took_ms: float


_SUMMARIES = text(f"SELECT {', '.join(SHOWN)}, content_hash FROM resources WHERE id = ANY(CAST(:ids AS uuid[]))")  # noqa: S608
_DATES = text(
    "SELECT id, coalesce(published_at, created_at) AS date FROM resources WHERE id = ANY(CAST(:ids AS uuid[]))"
)
_QUALITIES = text("SELECT resource_id, overall FROM quality WHERE resource_id = ANY(CAST(:ids AS uuid[]))")


async def search(
    query_text: str,
    filters: Filters,
    mode: Mode = "hybrid",
    *,
    limit: int = 25,
    offset: int = 0,
    unfinished: bool = False,
    freshness: bool = False,
) -> Found:
    """Find resources; without the model server, by words alone. Raises what `parse` raises.

    The order is the same for every page, so that pages neither overlap nor leave anything out. With `freshness`, newer
    texts among the best `CANDIDATES` of both rankings move up, and by the setting `search_quality` better ones.
    """
    began = perf_counter()
    query = parse(query_text, unfinished=unfinished)
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
        ranking = _ranking(found, near, by_words, vector)
        settled = len({*found.ids[:CANDIDATES], *(one.id for one in near)})  # the same for every page
        best, rest = ranking[:settled], ranking[settled:]
        if boost := settings().search_quality:
            rows = (await session.execute(_QUALITIES, {"ids": [one.id for one in best]})).all()
            best = bettered(best, {row.resource_id: row.overall for row in rows}, boost)
        if freshness:
            dates = (await session.execute(_DATES, {"ids": [one.id for one in best]})).all()
            best = freshened(best, {row.id: row.date for row in dates}, datetime.now(UTC))
        page = (best + rest)[offset : offset + limit]
        rows = await passages(session, [one.id for one in page], query, vector)
        meant = None if unfinished or found.total > FEW else await spelled(session, query, filters)
    place = {one.id: one for one in page}
    items = [
        {key: row[key] for key in SHOWN}
        | ({"categories": orjson.loads(row["categories"])} if row["categories"] else {})
        | ({"quality": {"overall": row["quality"]}} if row["quality"] is not None else {})
        | {"score": round(place[row["id"]].score, 6), "why": place[row["id"]].why}
        | ({"passage": orjson.loads(row["place"])} if row["place"] else {})
        | {"snippet": snippet(row["passage"] or "", row["marked"])}
        for row in rows
    ]
    took = round(1000 * (perf_counter() - began), 1)
    return Found(found.total, items, found.facets, found.exact, meant, degraded, took)


def _ranking(found: Matches, near: list[Neighbour], by_words: Query | None, vector: Vector | None) -> list[Ranked]:
    """Return what was found, best first: one ranking as it is, or two merged."""
    if vector is None:
        return [Ranked(id, score, "by words") for id, score in zip(found.ids, found.scores, strict=True)]
    if by_words is None:
        return [Ranked(one.id, one.similarity, f"by meaning: {one.similarity:.2f} alike") for one in near]
    return blend(found.ids, [one.id for one in near], share_of_words(by_words))


async def similar(account_id: UUID, resource_id: UUID, limit: int) -> list[dict[str, Any]]:
    """Return what is nearest in meaning to a resource, itself and its duplicates left out; [] while it has none."""
    async with reading() as session:
        vector = await session.scalar(select(Embedding.mean).where(Embedding.resource_id == resource_id))
        if vector is None:
            return []
        near = await neighbours(session, vector, None, Filters(account_id), limit + SAME)
        rows = (await session.execute(_SUMMARIES, {"ids": [one.id for one in near]})).mappings()
        summaries = {row["id"]: row for row in rows}
    own = summaries.get(resource_id, {}).get("content_hash")
    others = [one for one in near if one.id in summaries and summaries[one.id]["content_hash"] != own]
    return [
        {key: summaries[one.id][key] for key in SHOWN} | {"score": round(one.similarity, 6)} for one in others[:limit]
    ]
