"""What might be recommended: near, new, central, touched by those who touched the same; bounded work.

Left out is what the user has touched or dismissed. What belongs to the user may come back when it was last touched
more than `RETURNS_AFTER` days ago: one forgets what is on one's own shelf.
"""

from collections.abc import Collection, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping, TextClause, text

from service.database import ReadSession
from service.recommendations.cooccurrence import together
from service.recommendations.interests import Touched
from service.recommendations.signals import COLUMNS, JOINS, MOST_COUNTED, leaders

PASSAGES = 150  # nearest passages that are looked at
NEWEST = 60
CENTRAL = 20
TOGETHER = 50
RETURNS_AFTER = 90  # days
USERS = 5  # who touched something; from so many on, others are asked

ANCHORS = 10  # of one's own resources, the heaviest, for which others are asked;
PEERS = 20  # people for each, at most
ALL_PEERS = 40
THEIRS = 30  # interactions of each of them

_VISIBLE = """(NOT r.private OR r.owner_id = :account) AND r.content_hash IS NOT NULL
    AND r.id NOT IN (SELECT id FROM excluded)"""
_EXCLUDED = f"""excluded AS MATERIALIZED (
        SELECT i.resource_id AS id FROM interactions i
        WHERE i.user_id = :account AND (i.created_at > now() - make_interval(days => {RETURNS_AFTER})
            OR NOT EXISTS (SELECT FROM resources o WHERE o.id = i.resource_id AND o.owner_id = :account))
        UNION SELECT resource_id FROM dismissed_recommendations WHERE user_id = :account
    )"""  # noqa: S608
_NEAREST = f"""nearest AS MATERIALIZED (
        SELECT r.id FROM chunks c JOIN resources r ON r.id = c.resource_id
        WHERE {_VISIBLE.replace("r.id NOT IN", "c.resource_id NOT IN")}
        ORDER BY c.embedding <=> CAST(:centre AS halfvec) LIMIT {PASSAGES}
    ),"""  # noqa: S608
_NEWEST = f"SELECT r.id FROM resources r WHERE {_VISIBLE} ORDER BY r.created_at DESC, r.id DESC LIMIT {NEWEST}"  # noqa: S608
_MEANINGS = text(
    """SELECT resource_id, vector_send(mean) AS sent FROM embeddings
    WHERE resource_id = ANY(CAST(:ids AS uuid[])) AND mean IS NOT NULL"""
)
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
    ) AS theirs FROM peers
    WHERE (SELECT count(*) FROM (SELECT FROM interaction_counts LIMIT {USERS}) users) = {USERS}"""  # noqa: S608
)


def _found(*, near: bool) -> TextClause:
    """Return the statement that finds candidates and all that is known of them: each way to the database costs.

    They are looked up by an array, since a join with `found` reads every resource.
    """
    ways = [*(["SELECT id FROM nearest"] if near else []), f"({_NEWEST})", f"({leaders(CENTRAL)})"]
    return text(
        f"""WITH {_EXCLUDED}, {_NEAREST if near else ""}
        found AS MATERIALIZED ({" UNION ".join(ways)} UNION SELECT unnest(CAST(:shared AS uuid[])))
        SELECT r.id, r.title, r.url, r.subjects, r.authors, r.created_at, r.content_hash,
            vector_send(e.mean) AS sent, {COLUMNS}
        FROM resources r LEFT JOIN embeddings e ON e.resource_id = r.id {JOINS}
        WHERE r.id = ANY(ARRAY(SELECT id FROM found)) AND {_VISIBLE}"""  # noqa: S608
    )


_FOUND, _FOUND_NEAR = _found(near=False), _found(near=True)


async def found(
    session: ReadSession, account_id: UUID, centre: Sequence[float] | None, shared: Collection[UUID]
) -> Sequence[RowMapping]:
    """Return what is near to the centre, new, central or in `shared` and may be recommended, with all that is known.

    `sent` is the embedding, as pgvector sends it; None where there is none.
    """
    values: dict[str, Any] = {"account": account_id, "shared": list(shared), "most": MOST_COUNTED}
    if centre is None:
        return (await session.execute(_FOUND, values)).mappings().all()
    written = f"[{','.join(map(str, centre))}]"
    return (await session.execute(_FOUND_NEAR, values | {"centre": written})).mappings().all()


async def touched_together(
    session: ReadSession, account_id: UUID, touched: Sequence[Touched]
) -> dict[UUID, tuple[float, UUID]]:
    """Return what people touched who touched the same: its cosine, and with which of `touched`; {} for a few users."""
    anchors = {one.id: one.weight for one in touched[:ANCHORS]}
    if not anchors:
        return {}
    rows = await session.execute(_PEERS, {"account": account_id, "anchors": list(anchors)})
    found = together(({*row.anchors, *row.theirs} for row in rows), anchors)
    best = sorted(found.items(), key=lambda one: (-one[1][0], one[0]))[:TOGETHER]
    return dict(best)


async def meanings(session: ReadSession, ids: Collection[UUID]) -> dict[UUID, bytes]:
    """Return the embeddings of those that have one, as PostgreSQL sends them."""
    rows = await session.execute(_MEANINGS, {"ids": list(ids)})
    return {row.resource_id: row.sent for row in rows}
