"""Items that belong together: alike in meaning, citing the same, about the same subjects, of the same category."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import select, text

from service.database import ReadSession
from service.search.filters import Filters
from service.search.semantic import neighbours as nearest
from service.search.tables import Embedding
from service.security.accounts import Account

SIMILARITY, SHARED, CATEGORY = 0.6, 0.3, 0.1
NEAREST = 50  # candidates by meaning
SHARING = 100  # candidates by each kind of thing that is shared
LOOKED_AT = 2000  # rows of what a popular thing is shared by
NAMED = 3  # subjects that a reason lists

_SHARING = text(
    f"""WITH own AS (SELECT coalesce(array_agg(DISTINCT key), '{{}}') AS keys
        FROM citations, unnest(keys) AS key WHERE resource_id = :id),
    topics AS (SELECT coalesce(array_agg(key), '{{}}') AS keys
        FROM graph_nodes, unnest(keys) AS key WHERE resource_id = :id AND key LIKE 'subject:%')
    (SELECT resource_id FROM (SELECT c.resource_id FROM own, citations c WHERE c.keys && own.keys LIMIT {LOOKED_AT}) s
        GROUP BY resource_id ORDER BY count(*) DESC, resource_id LIMIT {SHARING})
    UNION (SELECT n.resource_id FROM topics, graph_nodes n WHERE n.keys && topics.keys LIMIT {SHARING})
    UNION (SELECT target_id FROM citations WHERE resource_id = :id AND target_id IS NOT NULL LIMIT {SHARING})
    UNION (SELECT resource_id FROM citations WHERE target_id = :id LIMIT {SHARING})"""  # noqa: S608
)
_FACTS = text(
    """SELECT r.id, r.title, r.url, r.type, k.importance,
        greatest(0, 1 - (e.mean <=> own.mean)) AS similarity,
        ARRAY(SELECT key FROM unnest(n.keys) AS key WHERE key LIKE 'subject:%') AS subjects,
        ARRAY(SELECT DISTINCT coalesce(CAST(c.target_id AS text), c.keys[1]) FROM citations c
            WHERE c.resource_id = r.id AND cardinality(c.keys) > 0 AND c.target_id IS DISTINCT FROM r.id) AS works,
        ARRAY(SELECT DISTINCT CAST(one AS text) FROM classifications k JOIN categories c ON c.id = k.category_id,
            unnest(c.lineage) AS one WHERE k.resource_id = r.id AND k.assigned) AS categories,
        ARRAY(SELECT c.name FROM classifications k JOIN categories c ON c.id = k.category_id
            WHERE k.resource_id = r.id AND k.assigned ORDER BY k.rank) AS called,
        EXISTS (SELECT FROM citations c WHERE c.resource_id = r.id AND c.target_id = :id) AS cites,
        EXISTS (SELECT FROM citations c WHERE c.resource_id = :id AND c.target_id = r.id) AS cited
    FROM resources r
    LEFT JOIN graph_nodes n ON n.resource_id = r.id LEFT JOIN graph_ranks k ON k.resource_id = r.id
    LEFT JOIN embeddings e ON e.resource_id = r.id LEFT JOIN embeddings own ON own.resource_id = :id
    WHERE r.id = ANY(CAST(:ids AS uuid[])) AND (NOT r.private OR r.owner_id = :account)"""
)


@dataclass(frozen=True, slots=True)
class Neighbour:
    """An item near to another one: how near, from 0 to 1, made up of what, and why in words."""

    id: UUID
    title: str
    url: str | None
    type: str
    importance: float | None
    weight: float
    similarity: float
    shared: float
    category: float
    reasons: list[str]


def weight(similarity: float, shared: float, category: float = 0.0) -> float:
    """Return how near two items are, 0 to 1, out of how alike they are in meaning, citations or subjects, categories.

    Each part is 0 to 1. An item that is not classified yet has 0.9 at most.
    """
    return SIMILARITY * similarity + SHARED * shared + CATEGORY * category


def overlap(one: Collection[str], other: Collection[str]) -> float:
    """Return the Jaccard index of two sets, 0 to 1; 0 for two empty ones."""
    either = len(set(one) | set(other))
    return len(set(one) & set(other)) / either if either else 0.0


async def neighbours(session: ReadSession, account: Account, resource_id: UUID, limit: int) -> list[Neighbour]:
    """Return the items nearest to one, as far as the account may see them, nearest first."""
    vector = await session.scalar(select(Embedding.mean).where(Embedding.resource_id == resource_id))
    ids = {row[0] for row in await session.execute(_SHARING, {"id": resource_id})} | {resource_id}
    if vector is not None:
        ids |= {one.id for one in await nearest(session, vector, None, Filters(account.id), NEAREST)}
    values = {"id": resource_id, "ids": sorted(ids), "account": account.id}
    facts = {row["id"]: row for row in (await session.execute(_FACTS, values)).mappings()}
    own = facts.pop(resource_id, None)
    if own is None:
        return []
    found = [_neighbour(own, other) for other in facts.values()]
    return sorted((one for one in found if one.weight > 0), key=lambda one: (-one.weight, one.id))[:limit]


def _neighbour(own: Any, other: Any) -> Neighbour:
    linked = other["cites"] or other["cited"]
    shared = 1.0 if linked else max(overlap(own["works"], other["works"]), overlap(own["subjects"], other["subjects"]))
    similarity = other["similarity"] or 0.0
    category = overlap(own["categories"], other["categories"])
    return Neighbour(
        other["id"],
        other["title"],
        other["url"],
        other["type"],
        other["importance"],
        round(weight(similarity, shared, category), 6),
        round(similarity, 6),
        round(shared, 6),
        round(category, 6),
        list(_reasons(own, other, similarity)),
    )


def _reasons(own: Any, other: Any, similarity: float) -> Sequence[str]:
    reasons: list[str] = []
    if other["cited"]:
        reasons.append("it is cited here")
    if other["cites"]:
        reasons.append("it cites this")
    if works := len(set(own["works"]) & set(other["works"])):
        reasons.append(f"{works} {'citation' if works == 1 else 'citations'} in common")
    if subjects := sorted(set(own["subjects"]) & set(other["subjects"])):
        reasons.append("about " + ", ".join(one.partition(":")[2] for one in subjects[:NAMED]))
    if called := [name for name in own["called"] if name in other["called"]]:
        reasons.append("both in " + ", ".join(called[:NAMED]))
    if similarity > 0:
        reasons.append(f"{similarity:.2f} alike in meaning")
    return reasons
