"""What a user touched, as far as that user may still see it."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import text

from service.database import ReadSession
from service.recommendations.interests import Touched, weight

RECENT = 500  # interactions that are looked at
MADE_OF = 200  # resources, the heaviest, that a profile is made from

_INTERACTIONS = text(
    """SELECT resource_id, interaction_type, strength, created_at FROM interactions
    WHERE user_id = :account ORDER BY id DESC LIMIT :most"""
)
_RESOURCES = text(
    """SELECT r.id, r.title, r.subjects, r.authors, r.content_hash,
        CASE WHEN e.mean IS NOT NULL THEN e.input_hash END AS embedding_hash
    FROM resources r LEFT JOIN embeddings e ON e.resource_id = r.id
    WHERE r.id = ANY(CAST(:ids AS uuid[])) AND (NOT r.private OR r.owner_id = :account)"""
)
_VECTORS = text(
    """SELECT resource_id, CAST(mean AS real[]) AS vector FROM embeddings
    WHERE resource_id = ANY(CAST(:ids AS uuid[])) AND mean IS NOT NULL"""
)


async def history(session: ReadSession, account_id: UUID, most: int = MADE_OF) -> list[Touched]:
    """Return the `most` resources that weigh most in the last `RECENT` interactions of an account, heaviest first."""
    rows = (await session.execute(_INTERACTIONS, {"account": account_id, "most": RECENT})).all()
    if not rows:
        return []
    newest = max(row.created_at for row in rows)
    kinds: dict[UUID, dict[str, float]] = {}
    for id, kind, strength, at in rows:
        by_kind = kinds.setdefault(id, {})
        by_kind[kind] = by_kind.get(kind, 0.0) + weight(strength, at, newest)
    weights = {id: sum(by_kind.values()) for id, by_kind in kinds.items()}
    heaviest = sorted(weights, key=lambda id: (-weights[id], id))[:most]
    found = await session.execute(_RESOURCES, {"account": account_id, "ids": heaviest})
    known = {row["id"]: row for row in found.mappings()}
    return [
        Touched(
            interaction_type=max(kinds[id], key=lambda kind: (kinds[id][kind], kind)), weight=weights[id], **known[id]
        )
        for id in heaviest
        if id in known
    ]


async def vectors(session: ReadSession, touched: Sequence[Touched]) -> dict[UUID, Sequence[float]]:
    """Return the embeddings of those that have one."""
    ids = [one.id for one in touched if one.embedding_hash]
    rows = await session.execute(_VECTORS, {"ids": ids})
    return {row.resource_id: row.vector for row in rows}
