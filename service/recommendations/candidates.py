"""What might be recommended: near, new, central, touched by those who touched the same; bounded work.

Left out is what the user has touched or dismissed. What belongs to the user may come back when it was last touched
more than `RETURNS_AFTER` days ago: one forgets what is on one's own shelf.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import text

from service.database import ReadSession
from service.recommendations.cooccurrence import together
from service.recommendations.interests import Touched

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
    AND r.id NOT IN (SELECT unnest(CAST(CAST(:excluded AS text) AS uuid[])))"""
_EXCLUDED = text(
    f"""SELECT CAST(array_agg(id) AS text) FROM (
        SELECT i.resource_id AS id FROM interactions i
        WHERE i.user_id = :account AND (i.created_at > now() - make_interval(days => {RETURNS_AFTER})
            OR NOT EXISTS (SELECT FROM resources o WHERE o.id = i.resource_id AND o.owner_id = :account))
        UNION SELECT resource_id FROM dismissed_recommendations WHERE user_id = :account
    ) those"""  # noqa: S608
)
_NEAREST = text(
    f"""SELECT r.id FROM chunks c JOIN resources r ON r.id = c.resource_id
    WHERE {_VISIBLE.replace("r.id NOT IN", "c.resource_id NOT IN")}
    ORDER BY c.embedding <=> CAST(:centre AS halfvec) LIMIT {PASSAGES}"""  # noqa: S608
)
_NEWEST = text(
    f"SELECT r.id FROM resources r WHERE {_VISIBLE} ORDER BY r.created_at DESC, r.id DESC LIMIT {NEWEST}"  # noqa: S608
)
_DETAILS = text(
    f"""SELECT r.id, r.title, r.url, r.subjects, r.authors, r.created_at, r.content_hash
    FROM resources r WHERE r.id = ANY(CAST(:ids AS uuid[])) AND {_VISIBLE}"""  # noqa: S608
)
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


@dataclass(frozen=True, slots=True)
class Asking:
    """Who asks, and what is not to be recommended to that account."""

    account_id: UUID
    excluded: str  # ids, as PostgreSQL writes an array: thousands of them need not become objects here

    @property
    def parameters(self) -> dict[str, Any]:
        """The parameters of `_VISIBLE`."""
        return {"account": self.account_id, "excluded": self.excluded}


async def asking(session: ReadSession, account_id: UUID) -> Asking:
    """Read what an account has touched or dismissed."""
    return Asking(account_id, await session.scalar(_EXCLUDED, {"account": account_id}) or "{}")


async def near(session: ReadSession, who: Asking, centre: Sequence[float]) -> list[UUID]:
    """Return the resources whose passages are nearest to a vector, the nearest first."""
    written = f"[{','.join(map(str, centre))}]"
    return list(dict.fromkeys(await session.scalars(_NEAREST, who.parameters | {"centre": written})))


async def newest(session: ReadSession, who: Asking) -> Sequence[UUID]:
    """Return what was added last."""
    return (await session.scalars(_NEWEST, who.parameters)).all()


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


async def details(session: ReadSession, who: Asking, ids: Collection[UUID]) -> list[dict[str, Any]]:
    """Return the rows of those that may be recommended."""
    found = await session.execute(_DETAILS, who.parameters | {"ids": list(ids)})
    return [dict(row) for row in found.mappings()]


async def meanings(session: ReadSession, ids: Collection[UUID]) -> dict[UUID, bytes]:
    """Return the embeddings of those that have one, as PostgreSQL sends them."""
    rows = await session.execute(_MEANINGS, {"ids": list(ids)})
    return {row.resource_id: row.sent for row in rows}
