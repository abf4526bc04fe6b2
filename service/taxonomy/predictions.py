"""From a resource's vector to its most likely categories, and to the rows that say so."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import text

from service.database import ReadSession, Session
from service.outbox import emit
from service.search.inputs import EMBEDDING_INPUT
from service.tasks import CLASSIFY
from service.taxonomy.classifier import Classifier, Vectors
from service.taxonomy.events import ClassificationStale, ResourceClassified
from service.taxonomy.labels import ASSIGNED, TURN, learn
from service.taxonomy.loading import classifier, from_wire
from service.taxonomy.state import CURRENT, advance

MOST = 5  # predictions of a resource

_DRAFT = text(
    f"""SELECT e.input_hash, vector_send(e.mean) AS vector, {CURRENT} AS current,
        coalesce(s.version, 0) AS version, coalesce(s.model, 0) AS model, label.category_id AS labelled
    FROM resources r
    JOIN embeddings e ON e.resource_id = r.id
    LEFT JOIN taxonomy_state s ON true
    LEFT JOIN classifications label ON label.resource_id = r.id AND NOT label.is_predicted
    WHERE r.id = :id AND r.content_hash IS NOT NULL AND e.mean IS NOT NULL AND e.input_hash = {EMBEDDING_INPUT}
        AND NOT EXISTS (
            SELECT FROM classifications c WHERE c.resource_id = r.id AND c.is_predicted AND c.rank = 0
                AND c.input_hash = e.input_hash AND c.model = {CURRENT})"""  # noqa: S608
)
_STILL = text(
    """SELECT CASE WHEN r.private THEN r.owner_id END AS audience
    FROM resources r JOIN embeddings e ON e.resource_id = r.id
    WHERE r.id = :id AND e.input_hash = :input_hash FOR KEY SHARE OF r"""
)
_BEFORE = text(
    """SELECT is_predicted, category_id, confidence, assigned FROM classifications
    WHERE resource_id = :id ORDER BY is_predicted, rank"""
)
_PRESENT = text("SELECT id FROM categories WHERE id = ANY(CAST(:ids AS uuid[])) ORDER BY id FOR KEY SHARE")
_FORGET = text("DELETE FROM classifications WHERE resource_id = :id AND is_predicted")
_WRITE = text(
    """INSERT INTO classifications
        (resource_id, is_predicted, rank, category_id, confidence, assigned, input_hash, model, classified_at)
    SELECT :id, true, ordinality - 1, category_id, confidence, assigned, :input_hash, :model, clock_timestamp()
    FROM unnest(CAST(:ids AS uuid[]), CAST(:confidences AS float8[]), CAST(:assigned AS bool[]))
        WITH ORDINALITY AS made(category_id, confidence, assigned)"""
)
_CONFIRM = text(
    """UPDATE classifications SET input_hash = :input_hash, model = :model, classified_at = clock_timestamp()
    WHERE resource_id = :id AND is_predicted"""
)
_DISCARD = text("UPDATE classifications SET input_hash = '' WHERE resource_id = :id AND is_predicted")
# Where the embedding itself is stale, its renewal brings the classification. What failed for good is left alone.
_STALE = text(
    f"""SELECT r.id, CASE WHEN r.private THEN r.owner_id END AS audience
    FROM resources r
    JOIN embeddings e ON e.resource_id = r.id AND e.mean IS NOT NULL
    LEFT JOIN classifications c ON c.resource_id = r.id AND c.is_predicted AND c.rank = 0
    WHERE r.content_hash IS NOT NULL AND r.updated_at < now() - make_interval(secs => :age)
        AND (c.input_hash IS DISTINCT FROM e.input_hash OR c.model IS DISTINCT FROM {CURRENT})
        AND e.input_hash = {EMBEDDING_INPUT}
        AND EXISTS (SELECT FROM categories WHERE prior IS NOT NULL OR centroid IS NOT NULL)
        AND NOT EXISTS (
            SELECT FROM dead_letters l WHERE l.name = :task AND l.failed_at > r.updated_at
                AND l.arguments ->> 'resource_id' = CAST(r.id AS text))
    ORDER BY r.updated_at LIMIT :most"""  # noqa: S608
)


@dataclass(frozen=True, slots=True)
class Draft:
    """A resource that is to be classified, from what, and by which classifier."""

    resource_id: UUID
    vector: Vectors
    classifier: Classifier
    input_hash: str
    model: str
    labelled: UUID | None  # the category that a person put it into, if any

    def predictions(self) -> list[tuple[UUID, float]]:
        """Return the most likely categories, best first, with confidences of four digits."""
        return self.classifier.predict(self.vector, MOST)


async def drafted(session: ReadSession, resource_id: UUID) -> Draft | None:
    """Read what a resource is classified from; None where that is done or cannot be done yet.

    It cannot without its embedding (embedding.generated starts the task again) or any category that means something
    (the reconciler does).
    """
    row = (await session.execute(_DRAFT, {"id": resource_id})).one_or_none()
    if row is None:
        return None
    vector, known = from_wire(row.vector), await classifier(session, row.version, row.model)
    if vector is None or not known.ids:
        return None
    return Draft(resource_id, vector, known, row.input_hash, row.current, row.labelled)


async def keep(session: Session, draft: Draft, predictions: list[tuple[UUID, float]]) -> bool:
    """Replace the predictions of a resource; False where it was changed or deleted since the draft was read.

    A category that was deleted meanwhile is left out, and the rest counts as stale.
    """
    id = draft.resource_id
    await session.execute(TURN, {"id": id})
    still = (await session.execute(_STILL, {"id": id, "input_hash": draft.input_hash})).one_or_none()
    if still is None:
        return False
    before = (await session.execute(_BEFORE, {"id": id})).all()
    concerned = [one for one, _ in predictions] + [row.category_id for row in before if row.category_id]
    present = set(await session.scalars(_PRESENT, {"ids": concerned}))
    said = [row.category_id for row in before if not row.is_predicted]
    rows = [(one, share, not said and share >= ASSIGNED) for one, share in predictions if one in present]
    made_by = {
        "id": id,
        "input_hash": draft.input_hash if len(rows) == len(predictions) else "",
        "model": draft.model,
    }
    if rows == [(row.category_id, row.confidence, row.assigned) for row in before if row.is_predicted]:
        await session.execute(_CONFIRM, made_by)
        return True
    await session.execute(_FORGET, {"id": id})
    ids, confidences, assigned = zip(*rows, strict=True) if rows else ((), (), ())
    columns = {"ids": list(ids), "confidences": list(confidences), "assigned": list(assigned)}
    await session.execute(_WRITE, made_by | columns)
    counts = [one for one in said if one] if said else [one for one, _, counts in rows if counts]
    emit(session, ResourceClassified(resource_id=id, taxonomy_ids=counts), audience=still.audience)
    return True


async def learn_label(session: Session, category_id: UUID) -> None:
    """Learn from a resource that was labelled before it had this embedding."""
    await learn(session, [category_id], await advance(session))


async def discard(session: Session, resource_id: UUID) -> None:
    """Let the predictions of a resource count as made from something else; whoever calls this makes them again."""
    await session.execute(_DISCARD, {"id": resource_id})


async def announce_stale(session: Session, limit: int = 2000, age: float = 120) -> int:
    """Ask again for predictions that are missing or made by or from something else; returns how many.

    Only of resources unchanged for `age` seconds. Where a task still waits in the queue, the new one merges into it.
    """
    rows = (await session.execute(_STALE, {"most": limit, "age": age, "task": CLASSIFY.name})).all()
    for row in rows:
        emit(session, ClassificationStale(resource_id=row.id), audience=row.audience)
    return len(rows)
