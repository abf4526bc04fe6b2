"""What is near a collection in meaning: other collections, and resources that would fit into it."""

from typing import Any
from uuid import UUID

from sqlalchemy import Float, RowMapping, select, text
from sqlalchemy.orm import aliased

from service.collections.actions import described
from service.collections.tables import Collection, CollectionEmbedding
from service.database import ReadSession
from service.search.filters import Filters
from service.search.semantic import neighbours
from service.security.accounts import Account

COPIES = 20  # of texts that are in the collection; they are left out of what is recommended
COMPARED = 500  # members, the latest, among which the one that is most alike is named

_WHY = text(
    f"""WITH member AS MATERIALIZED (
        SELECT o.title, e.mean
        FROM collection_resources m
        JOIN resources o ON o.id = m.resource_id AND (NOT o.private OR o.owner_id = :account)
        JOIN embeddings e ON e.resource_id = o.id AND e.mean IS NOT NULL
        WHERE m.collection_id = :id ORDER BY m.added_at DESC, o.id LIMIT {COMPARED}
    )
    SELECT r.id, r.title, r.url, r.type, r.language, r.authors, r.tags, r.published_at, r.created_at,
        closest.title AS member, closest.alike
    FROM resources r
    LEFT JOIN embeddings e ON e.resource_id = r.id
    LEFT JOIN LATERAL (
        SELECT member.title, 1 - (member.mean <=> e.mean) AS alike FROM member ORDER BY 2 DESC LIMIT 1
    ) closest ON true
    WHERE r.id = ANY(CAST(:ids AS uuid[])) AND NOT EXISTS (
        SELECT FROM collection_resources m JOIN resources o ON o.id = m.resource_id
        WHERE m.collection_id = :id AND o.content_hash = r.content_hash AND (NOT o.private OR o.owner_id = :account))"""  # noqa: S608
)


async def similar(session: ReadSession, account: Account, id: UUID, limit: int) -> list[dict[str, Any]]:
    """Return other collections that the account may see, most alike first, with `score`, the cosine of the means."""
    asked = aliased(CollectionEmbedding)
    mean = select(asked.mean).where(asked.collection_id == id).scalar_subquery()  # one value, as an index wants it
    distance = CollectionEmbedding.mean.op("<=>", return_type=Float())(mean)
    near = (
        described(account)
        .add_columns((1 - distance).label("score"))
        .join(CollectionEmbedding, CollectionEmbedding.collection_id == Collection.id)
        .where(Collection.id != id, CollectionEmbedding.mean.is_not(None), mean.is_not(None))
        .order_by(distance, Collection.id)
        .limit(limit)
    )
    rows = (await session.execute(near)).mappings()
    return [dict(row) | {"score": round(row["score"], 6)} for row in rows]


async def recommended(session: ReadSession, account: Account, id: UUID, limit: int) -> list[dict[str, Any]]:
    """Return resources near the mean of a collection that are not in it, nearest first, each with `score` and `why`."""
    mean = await session.scalar(select(CollectionEmbedding.mean).where(CollectionEmbedding.collection_id == id))
    if mean is None:
        return []
    near = await neighbours(session, mean, None, Filters(account.id, outside=id), limit + COPIES)
    given = {"id": id, "account": account.id, "ids": [one.id for one in near]}
    known = {row["id"]: row for row in (await session.execute(_WHY, given)).mappings()}
    return [_told(known[one.id], one.similarity) for one in near if one.id in known][:limit]


def _told(row: RowMapping, similarity: float) -> dict[str, Any]:
    shown = {name: value for name, value in row.items() if name not in ("member", "alike")}
    why = f"{similarity:.2f} like the collection as a whole"
    if row["member"] is not None and row["alike"] is not None:
        why += f", {row['alike']:.2f} like “{row['member']}”, which is in it"
    return shown | {"score": round(similarity, 6), "why": why}
