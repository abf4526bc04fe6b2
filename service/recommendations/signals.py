"""What other slices know of resources, besides their words and meanings: the one place that asks them."""

from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import text

from service.database import ReadSession

LATEST = 20  # resources whose citations are looked at for what is central
MOST_COUNTED = 5  # citations of one resource
HALF_WAY = 3  # citations by the library that make an importance of .5


@dataclass(frozen=True, slots=True)
class Signals:
    """How good a resource is and how central, 0 to 1 each, None where nobody knows; how many others here cite it."""

    quality: float | None = None
    importance: float | None = None
    citations: int = 0


_CITATIONS = text(
    """SELECT r.id, citing.number FROM resources r CROSS JOIN LATERAL (
        SELECT count(*) AS number FROM (
            SELECT FROM citations c
            JOIN resources s ON s.id = c.resource_id AND (NOT s.private OR s.owner_id = :account)
            WHERE c.kind = 'url' AND c.value = ANY(ARRAY[r.url, r.canonical_url]) AND c.resource_id <> r.id
            LIMIT :most
        ) those
    ) citing WHERE r.id = ANY(CAST(:ids AS uuid[])) AND coalesce(r.url, r.canonical_url) IS NOT NULL"""
)
_LEADERS = text(
    """SELECT cited.id FROM (
        SELECT id FROM resources WHERE NOT private OR owner_id = :account
        ORDER BY created_at DESC, id DESC LIMIT :latest
    ) citing
    JOIN citations c ON c.resource_id = citing.id AND c.kind = 'url'
    JOIN resources cited ON cited.canonical_url = c.value AND cited.id <> citing.id
        AND (NOT cited.private OR cited.owner_id = :account)
    GROUP BY cited.id ORDER BY count(DISTINCT citing.id) DESC, cited.id LIMIT :limit"""
)


async def signals(session: ReadSession, account_id: UUID, ids: Collection[UUID]) -> dict[UUID, Signals]:
    """Return what is known of these resources, as far as the account may see where it comes from."""
    parameters = {"account": account_id, "ids": list(ids), "most": MOST_COUNTED}
    cited = {row.id: row.number for row in await session.execute(_CITATIONS, parameters)}
    return {id: Signals(importance=(number := cited.get(id, 0)) / (number + HALF_WAY), citations=number) for id in ids}


async def leaders(session: ReadSession, account_id: UUID, limit: int) -> list[UUID]:
    """Return resources that stand out, the best first: cited by what was added last."""
    parameters = {"account": account_id, "latest": LATEST, "limit": limit}
    return list((await session.scalars(_LEADERS, parameters)).all())
