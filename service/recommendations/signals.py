"""What other slices know of resources, besides their words and meanings: the one place that asks them."""

from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import text

from service.database import ReadSession

MOST_COUNTED = 5  # citations of one resource


@dataclass(frozen=True, slots=True)
class Signals:
    """How good a resource is and how central, 0 to 1 each, None where nobody knows; how many others here cite it."""

    quality: float | None = None
    importance: float | None = None
    citations: int = 0


_SIGNALS = text(
    """SELECT r.id, q.overall AS quality, sqrt(k.importance / (SELECT max(importance) FROM graph_ranks)) AS importance,
        citing.number AS citations
    FROM unnest(CAST(:ids AS uuid[])) AS r (id)
    LEFT JOIN quality q ON q.resource_id = r.id
    LEFT JOIN graph_ranks k ON k.resource_id = r.id
    CROSS JOIN LATERAL (
        SELECT count(*) AS number FROM (
            SELECT FROM citations c
            JOIN resources s ON s.id = c.resource_id AND (NOT s.private OR s.owner_id = :account)
            WHERE c.target_id = r.id AND c.resource_id <> r.id
            LIMIT :most
        ) those
    ) citing"""
)
_LEADERS = text(
    """SELECT r.id FROM graph_ranks k JOIN resources r ON r.id = k.resource_id
    WHERE NOT r.private OR r.owner_id = :account
    ORDER BY k.importance DESC LIMIT :limit"""
)


async def signals(session: ReadSession, account_id: UUID, ids: Collection[UUID]) -> dict[UUID, Signals]:
    """Return what is known of these resources, as far as the account may see where it comes from.

    Importance is the root of the PageRank as a share of the highest one.
    """
    rows = await session.execute(_SIGNALS, {"account": account_id, "ids": list(ids), "most": MOST_COUNTED})
    return {row.id: Signals(row.quality, row.importance, row.citations) for row in rows}


async def leaders(session: ReadSession, account_id: UUID, limit: int) -> list[UUID]:
    """Return the most central resources, the best first."""
    return list((await session.scalars(_LEADERS, {"account": account_id, "limit": limit})).all())
