"""The mean embedding of a collection: the unit mean of its members' unit vectors.

What counts is what everybody who may see the collection may see: of a private one its owner's and the shared resources,
of any other the shared ones alone, so that its neighbours tell nobody of a resource that is not theirs.
"""

from uuid import UUID

from sqlalchemy import text

from service.collections.events import CollectionEmbeddingUpdated, CollectionStale
from service.collections.tables import Collection
from service.database import Session
from service.inference import MODEL
from service.outbox import emit
from service.tasks import RECENTER

VERSION = f"mean/1 {MODEL}"
STEP = 200  # collections that are looked at in one transaction

_TURN = text("SELECT pg_advisory_xact_lock(7262032, uuid_hash(CAST(:id AS uuid)))")
_KEPT = text("SELECT id FROM collections WHERE id = :id FOR KEY SHARE")

_MEMBERS = """collections c
    LEFT JOIN collection_resources m ON m.collection_id = c.id
    LEFT JOIN resources r ON r.id = m.resource_id
        AND (NOT r.private OR (c.visibility = 'private' AND r.owner_id = c.owner_id))
    LEFT JOIN embeddings e ON e.resource_id = r.id AND e.model = :model AND e.mean IS NOT NULL"""
_INPUT = """md5(CAST(:version AS text)
    || coalesce(string_agg(e.resource_id || ' ' || e.input_hash, ',' ORDER BY e.resource_id), ''))"""

_RECENTER = text(
    f"""WITH present AS (
        SELECT c.id, {_INPUT} AS input_hash, avg(l2_normalize(e.mean)) AS centre, count(e.mean) AS members
        FROM {_MEMBERS} WHERE c.id = :id GROUP BY c.id
    )
    INSERT INTO collection_embeddings AS kept (collection_id, input_hash, model, mean, members, computed_at)
    SELECT id, input_hash, :model, CASE WHEN vector_norm(centre) > 1e-6 THEN l2_normalize(centre) END, members,
        clock_timestamp()
    FROM present
    ON CONFLICT (collection_id) DO UPDATE SET input_hash = excluded.input_hash, model = excluded.model,
        mean = excluded.mean, members = excluded.members, computed_at = excluded.computed_at
    WHERE kept.input_hash <> excluded.input_hash
    RETURNING members"""  # noqa: S608
)

# What failed for good lately is not tried again and again.
_DIFFERING = text(
    f"""WITH step AS MATERIALIZED (
        SELECT id FROM collections WHERE id > CAST(:after AS uuid) ORDER BY id LIMIT :most
    ),
    present AS (
        SELECT c.id, {_INPUT} AS input_hash, count(e.mean) AS members
        FROM {_MEMBERS} WHERE c.id IN (SELECT id FROM step) GROUP BY c.id
    )
    SELECT step.id,
        present.input_hash IS DISTINCT FROM kept.input_hash AND (present.members > 0 OR kept.collection_id IS NOT NULL)
            AND NOT EXISTS (SELECT FROM dead_letters l WHERE l.name = :task AND l.failed_at > now() - interval '1 day'
                AND l.arguments ->> 'collection_id' = CAST(step.id AS text)) AS stale
    FROM step JOIN present USING (id) LEFT JOIN collection_embeddings kept ON kept.collection_id = step.id
    ORDER BY step.id"""  # noqa: S608
)


async def recenter(session: Session, collection_id: UUID) -> bool:
    """Make the mean of a collection that of its present members; False where it is, or there is no such collection.

    Runs for one collection follow one another, so that none writes what it read before the other wrote.
    """
    await session.execute(_TURN, {"id": collection_id})
    if await session.scalar(_KEPT, {"id": collection_id}) is None:
        return False
    given = {"id": collection_id, "model": MODEL, "version": VERSION}
    row = (await session.execute(_RECENTER, given)).one_or_none()
    if row is None:
        return False
    collection = await session.get_one(Collection, collection_id)
    updated = CollectionEmbeddingUpdated(collection_id=collection_id, members=row.members)
    emit(session, updated, audience=collection.audience)
    return True


async def announce_stale(session: Session, after: UUID | None = None, most: int = STEP) -> tuple[int, UUID | None]:
    """Emit collection.stale for those of the next `most` collections whose mean is not that of their members.

    Returns how many there are, and after which id the next step begins; None at the end.
    """
    given = {"after": after or UUID(int=0), "most": most, "model": MODEL, "version": VERSION, "task": RECENTER.name}
    rows = (await session.execute(_DIFFERING, given)).all()
    stale = [row.id for row in rows if row.stale]
    for id in stale:
        collection = await session.get_one(Collection, id)
        emit(session, CollectionStale(collection_id=id), audience=collection.audience)
    return len(stale), rows[-1].id if len(rows) == most else None
