"""Keeps the offsets of all passages of a resource those of its present text."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Text, cast, func, select, text

from service.annotations.anchoring import Anchor, Selector
from service.annotations.events import AnnotationsStale, AnnotationUpdated
from service.annotations.tables import Annotation
from service.database import ReadSession, Session
from service.outbox import emit
from service.queue.tables import DeadLetter
from service.resources.tables import Resource
from service.tasks import ANCHOR

STEP = 50  # annotations that are looked for at a time

_TURN = text("SELECT pg_advisory_xact_lock(7262033, uuid_hash(CAST(:id AS uuid)))")
# Only what is still looked for in the same text as when it was read: its maker may have marked another passage.
_KEEP = text(
    """UPDATE annotations a
    SET start = found.start, "end" = found.stop, similarity = found.similarity, anchored_in = :present
    FROM unnest(CAST(:ids AS uuid[]), CAST(:starts AS int[]), CAST(:stops AS int[]), CAST(:similar AS float[]),
                CAST(:before AS text[])) AS found(id, start, stop, similarity, anchored_in),
        annotations old
    WHERE a.id = found.id AND a.anchored_in = found.anchored_in AND old.id = a.id
    RETURNING a.id, a.owner_id, (old.start IS NULL) <> (a.start IS NULL) AS turned"""
)


@dataclass(frozen=True, slots=True)
class Unanchored:
    """Passages to be found in a text, and the hash of the text that each was last found in."""

    resource_id: UUID
    content: str
    content_hash: str
    ids: list[UUID]
    selectors: list[Selector]
    before: list[str]


async def unanchored(session: ReadSession, resource_id: UUID) -> Unanchored | None:
    """Read the next annotations that were last looked for in another text; None where there are none."""
    chosen = (
        select(Annotation, Resource.content_hash)
        .join(Resource, Resource.id == Annotation.resource_id)
        .where(Resource.id == resource_id, Annotation.anchored_in != Resource.content_hash)
        .order_by(Annotation.id)
        .limit(STEP)
    )
    rows = (await session.execute(chosen)).all()
    if not rows:
        return None
    present = select(Resource.content, Resource.content_hash).where(Resource.id == resource_id)
    row = (await session.execute(present)).one_or_none()
    if row is None:
        return None
    annotations = [annotation for annotation, _ in rows]
    return Unanchored(
        resource_id,
        row.content,
        row.content_hash or "",
        [one.id for one in annotations],
        [Selector(one.quote, one.prefix, one.suffix, one.position) for one in annotations],
        [one.anchored_in for one in annotations],
    )


async def keep(session: Session, asked: Unanchored, found: Sequence[Anchor | None]) -> int:
    """Write where passages are, unless the text changed meanwhile, and tell of those that are lost or back.

    Returns how many were written.
    """
    await session.execute(_TURN, {"id": asked.resource_id})
    still = select(Resource.id).where(Resource.id == asked.resource_id, Resource.content_hash == asked.content_hash)
    if await session.scalar(still.with_for_update(read=True, key_share=True)) is None:
        return 0
    given = {
        "present": asked.content_hash,
        "ids": asked.ids,
        "starts": [one and one.start for one in found],
        "stops": [one and one.end for one in found],
        "similar": [one.similarity if one else 0.0 for one in found],
        "before": asked.before,
    }
    rows = (await session.execute(_KEEP, given)).all()
    for row in rows:
        if row.turned:
            told = AnnotationUpdated(annotation_id=row.id, resource_id=asked.resource_id, user_id=row.owner_id)
            emit(session, told, audience=row.owner_id)
    return len(rows)


async def announce_stale(session: Session, limit: int = 500) -> int:
    """Emit annotations.stale for resources with annotations last looked for in another text; returns how many.

    One whose task failed for good with the present text is left alone until the text changes.
    """
    failed = select(DeadLetter.id).where(
        DeadLetter.name == ANCHOR.name,
        DeadLetter.failed_at > Resource.updated_at,
        DeadLetter.arguments["resource_id"].astext == cast(Resource.id, Text),
    )
    chosen = (
        select(Resource.id, func.min(cast(Annotation.owner_id, Text)).label("owner_id"))
        .join(Annotation, Annotation.resource_id == Resource.id)
        .where(Annotation.anchored_in != Resource.content_hash, ~failed.exists())
        .group_by(Resource.id)
        .order_by(Resource.id)
        .limit(limit)
    )
    rows = (await session.execute(chosen)).all()
    for row in rows:
        emit(session, AnnotationsStale(resource_id=row.id), audience=UUID(row.owner_id))
    return len(rows)
