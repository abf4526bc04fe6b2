"""What people say resources are about, and what is learnt from it: the centroid of each category."""

from collections.abc import Iterable
from uuid import UUID

from sqlalchemy import text

from service.database import Session

ASSIGNED = 0.2  # confidence; a prediction below it is shown, and counts for nothing
NEWEST = 1000  # labels that a centroid is the mean of: learning one costs the same in a library of any size

# Those who classify one resource follow one another.
TURN = text("SELECT pg_advisory_xact_lock(7262023, uuid_hash(CAST(:id AS uuid)))")

_LEARN = text(
    f"""UPDATE categories c SET centroid = learnt.mean, label_count = learnt.number, revision = :version
    FROM (
        SELECT avg(mean) AS mean, count(*) AS number FROM (
            SELECT e.mean FROM classifications k JOIN embeddings e USING (resource_id)
            WHERE k.category_id = :id AND NOT k.is_predicted AND e.mean IS NOT NULL
            ORDER BY k.classified_at DESC, k.resource_id LIMIT {NEWEST}
        ) newest
    ) learnt
    WHERE c.id = :id"""  # noqa: S608
)
# What was labelled so goes by its predictions again.
_UNLABELLED = text(
    f"""UPDATE classifications p SET assigned = p.confidence >= {ASSIGNED}
    FROM classifications k JOIN categories c ON c.id = k.category_id
    WHERE c.lineage @> ARRAY[CAST(:id AS uuid)] AND NOT k.is_predicted
        AND p.resource_id = k.resource_id AND p.is_predicted"""  # noqa: S608
)
_TWICE = text(
    """DELETE FROM classifications p USING classifications q
    WHERE p.category_id = :id AND p.is_predicted AND q.category_id = :into_id AND q.is_predicted
        AND q.resource_id = p.resource_id"""
)
_HAND_OVER = text("UPDATE classifications SET category_id = :into_id WHERE category_id = :id")


async def learn(session: Session, category_ids: Iterable[UUID], version: int) -> None:
    """Make the centroids of categories the means of the newest that people put into each."""
    for id in category_ids:
        await session.execute(_LEARN, {"id": id, "version": version})


async def release(session: Session, category_id: UUID) -> None:
    """Let what people put into a category, or below it, go by its predictions."""
    await session.execute(_UNLABELLED, {"id": category_id})


async def hand_over(session: Session, category_id: UUID, into_id: UUID) -> None:
    """Put what is in one category into another; where both were predicted, the other's confidence stays."""
    await session.execute(_TWICE, {"id": category_id, "into_id": into_id})
    await session.execute(_HAND_OVER, {"id": category_id, "into_id": into_id})
