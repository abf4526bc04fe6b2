"""What a user touched, as far as that user may still see it."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import text

from service.database import ReadSession
from service.recommendations.interests import Touched, weight

RECENT = 500  # interactions that are looked at
MADE_OF = 200  # resources, the heaviest, that a profile is made from

_INTERACTIONS = text(
    """SELECT i.resource_id, i.interaction_type, i.strength, i.created_at,
        r.title, r.subjects, r.authors, r.content_hash, CASE WHEN e.mean IS NOT NULL THEN e.input_hash END AS embedding
    FROM (SELECT * FROM interactions WHERE user_id = :account ORDER BY id DESC LIMIT :most) i
    JOIN resources r ON r.id = i.resource_id AND (NOT r.private OR r.owner_id = :account)
    LEFT JOIN embeddings e ON e.resource_id = r.id
    ORDER BY i.id DESC"""
)
_VECTORS = text(
    """SELECT resource_id, CAST(mean AS real[]) AS vector FROM embeddings
    WHERE resource_id = ANY(CAST(:ids AS uuid[])) AND mean IS NOT NULL"""
)


async def history(session: ReadSession, account_id: UUID) -> list[Touched]:
    """Return the resources that the last `RECENT` interactions of an account touched, the heaviest first."""
    rows = (await session.execute(_INTERACTIONS, {"account": account_id, "most": RECENT})).all()
    newest = max((row.created_at for row in rows), default=None)
    kinds: dict[UUID, dict[str, float]] = {}
    for row in rows:
        assert newest is not None
        by_kind = kinds.setdefault(row.resource_id, {})
        by_kind[row.interaction_type] = by_kind.get(row.interaction_type, 0.0) + weight(
            row.strength, row.created_at, newest
        )
    last = {row.resource_id: row for row in reversed(rows)}
    touched = [
        Touched(
            id,
            last[id].title,
            max(by_kind, key=lambda kind: (by_kind[kind], kind)),
            sum(by_kind.values()),
            last[id].created_at,
            last[id].subjects,
            last[id].authors,
            last[id].content_hash,
            last[id].embedding,
        )
        for id, by_kind in kinds.items()
    ]
    return sorted(touched, key=lambda one: (-one.weight, one.id))


async def vectors(session: ReadSession, touched: Sequence[Touched]) -> dict[UUID, Sequence[float]]:
    """Return the embeddings of those that have one."""
    ids = [one.id for one in touched if one.embedding_hash]
    rows = await session.execute(_VECTORS, {"ids": ids})
    return {row.resource_id: row.vector for row in rows}
