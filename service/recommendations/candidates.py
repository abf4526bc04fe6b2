"""What might be recommended: near, new, central, touched by those who touched the same; bounded work.

Left out is what the user has touched or dismissed. What belongs to the user may come back when it was last touched
more than `RETURNS_AFTER` days ago: one forgets what is on one's own shelf.
"""

from collections.abc import Collection, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import text

from service.database import ReadSession
from service.recommendations.cooccurrence import together
from service.recommendations.interests import Touched

PASSAGES = 300  # nearest passages that are looked at
NEWEST = 100
CENTRAL = 50
TOGETHER = 50
RETURNS_AFTER = 90  # days
USERS = 5  # who touched something; from so many on, others are asked

ANCHORS = 20  # of one's own resources, the heaviest, for which others are asked;
PEERS = 20  # people for each, at most
ALL_PEERS = 100
THEIRS = 40  # interactions of each of them

_VISIBLE = "(NOT r.private OR r.owner_id = :account) AND r.content_hash IS NOT NULL"
_EXCLUDED = f"""excluded AS MATERIALIZED (
    SELECT i.resource_id AS id FROM interactions i JOIN resources o ON o.id = i.resource_id
    WHERE i.user_id = :account
        AND (o.owner_id <> :account OR i.created_at > now() - make_interval(days => {RETURNS_AFTER}))
    UNION SELECT resource_id FROM dismissed_recommendations WHERE user_id = :account
)"""  # noqa: S608
_NEAREST = text(
    f"""WITH {_EXCLUDED}
    SELECT c.resource_id FROM chunks c JOIN resources r ON r.id = c.resource_id
    WHERE {_VISIBLE} AND c.resource_id NOT IN (SELECT id FROM excluded)
    ORDER BY c.embedding <=> CAST(:centre AS halfvec) LIMIT {PASSAGES}"""  # noqa: S608
)
_NEWEST = text(
    f"""WITH {_EXCLUDED}
    SELECT r.id FROM resources r WHERE {_VISIBLE} AND r.id NOT IN (SELECT id FROM excluded)
    ORDER BY r.created_at DESC, r.id DESC LIMIT {NEWEST}"""  # noqa: S608
)
_DETAILS = text(
    f"""WITH {_EXCLUDED}
    SELECT r.id, r.title, r.url, r.subjects, r.authors, r.created_at, r.content_hash,
        1 - (e.mean <=> CAST(:centre AS vector)) AS content
    FROM resources r LEFT JOIN embeddings e ON e.resource_id = r.id
    WHERE r.id = ANY(CAST(:ids AS uuid[])) AND {_VISIBLE} AND r.id NOT IN (SELECT id FROM excluded)"""  # noqa: S608
)
_READERS = text(f"SELECT count(*) FROM (SELECT FROM interaction_counts LIMIT {USERS}) those")  # noqa: S608
_PEERS = text(
    f"""WITH shared AS MATERIALIZED (
        SELECT anchor.id, peer.user_id FROM unnest(CAST(:anchors AS uuid[])) AS anchor(id) CROSS JOIN LATERAL (
            SELECT DISTINCT user_id FROM (
                SELECT i.user_id FROM interactions i WHERE i.resource_id = anchor.id AND i.user_id <> :account
                ORDER BY i.id DESC LIMIT {PEERS}
            ) last
        ) peer
    ),
    peers AS MATERIALIZED (
        SELECT user_id, array_agg(id) AS anchors FROM shared
        GROUP BY user_id ORDER BY count(*) DESC, user_id LIMIT {ALL_PEERS}
    )
    SELECT peers.anchors, ARRAY(
        SELECT i.resource_id FROM interactions i WHERE i.user_id = peers.user_id ORDER BY i.id DESC LIMIT {THEIRS}
    ) AS theirs FROM peers"""  # noqa: S608
)
_ALIKE = text(
    """WITH given AS MATERIALIZED (
        SELECT place, e.mean FROM unnest(CAST(:ids AS uuid[])) WITH ORDINALITY AS asked(id, place)
        LEFT JOIN embeddings e ON e.resource_id = asked.id
    )
    SELECT array_agg(CAST(coalesce(1 - (one.mean <=> other.mean), 0) AS real) ORDER BY other.place) AS alike
    FROM given one CROSS JOIN given other WHERE one.place <= :rows GROUP BY one.place ORDER BY one.place"""
)


async def near(session: ReadSession, account_id: UUID, centre: str) -> list[UUID]:
    """Return the resources whose passages are nearest to a vector, the nearest first."""
    return list(dict.fromkeys(await session.scalars(_NEAREST, {"account": account_id, "centre": centre})))


async def newest(session: ReadSession, account_id: UUID) -> Sequence[UUID]:
    """Return what was added last."""
    return (await session.scalars(_NEWEST, {"account": account_id})).all()


async def touched_together(
    session: ReadSession, account_id: UUID, touched: Sequence[Touched]
) -> dict[UUID, tuple[float, UUID]]:
    """Return what people touched who touched the same: its cosine, and with which of `touched`; {} for a few users."""
    anchors = {one.id: one.weight for one in touched[:ANCHORS]}
    if not anchors or (await session.scalar(_READERS) or 0) < USERS:
        return {}
    rows = await session.execute(_PEERS, {"account": account_id, "anchors": list(anchors)})
    found = together(({*row.anchors, *row.theirs} for row in rows), anchors)
    best = sorted(found.items(), key=lambda one: (-one[1][0], one[0]))[:TOGETHER]
    return dict(best)


async def details(
    session: ReadSession, account_id: UUID, ids: Collection[UUID], centre: str | None
) -> list[dict[str, Any]]:
    """Return the rows of those that the account may see and has neither touched nor dismissed, and their `content`."""
    parameters = {"account": account_id, "ids": list(ids), "centre": centre}
    return [dict(row) for row in (await session.execute(_DETAILS, parameters)).mappings()]


async def alike(session: ReadSession, ids: Sequence[UUID], others: Sequence[UUID]) -> list[list[float]]:
    """Return the cosine of each of `ids` with each of `ids` and then `others`; 0 where one has no meaning yet."""
    if not ids:
        return []
    rows = await session.scalars(_ALIKE, {"ids": [*ids, *others], "rows": len(ids)})
    return [list(row) for row in rows]
