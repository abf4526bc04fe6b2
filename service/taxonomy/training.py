"""The monthly training: what is learnt from, which model it made, and the way back to another one."""

from hashlib import sha256

import numpy as np
from sqlalchemy import func, select, text, update

from service.database import ReadSession, Session
from service.outbox import emit
from service.taxonomy.contest import Lessons, Outcome
from service.taxonomy.events import ModelTrained
from service.taxonomy.loading import from_wire
from service.taxonomy.models import newest_input
from service.taxonomy.state import advance
from service.taxonomy.tables import ClassificationModel, TaxonomyState

NEWEST = 20_000  # labels that are learnt from
FEWEST = 50  # labels, below which nothing is trained: a figure of ten tests says nothing

_LESSONS = text(
    f"""SELECT k.resource_id, k.category_id, e.input_hash, vector_send(e.mean) AS vector
    FROM classifications k JOIN embeddings e USING (resource_id)
    WHERE NOT k.is_predicted AND k.category_id IS NOT NULL AND e.mean IS NOT NULL
    ORDER BY k.classified_at DESC, k.resource_id LIMIT {NEWEST}"""  # noqa: S608
)
_PRIORS = text(
    "SELECT id, prior_hash, vector_send(prior) AS vector FROM categories WHERE prior IS NOT NULL ORDER BY id"
)


async def lessons(session: ReadSession) -> Lessons | None:
    """Read what there is to learn from; None where that is too little, or the newest model has learnt it already."""
    rows = (await session.execute(_LESSONS)).all()
    priors = (await session.execute(_PRIORS)).all()
    if len(rows) < FEWEST or len({row.category_id for row in rows}) < 2:
        return None
    digest = sha256()
    for row in sorted(rows):
        digest.update(f"{row.resource_id} {row.category_id} {row.input_hash}\n".encode())
    for row in priors:
        digest.update(f"{row.id} {row.prior_hash}\n".encode())
    if await newest_input(session) == digest.hexdigest():
        return None
    return Lessons(
        [row.resource_id for row in rows],
        np.array([from_wire(row.vector) for row in rows]),
        [row.category_id for row in rows],
        {row.id: vector for row in priors if (vector := from_wire(row.vector)) is not None},
        digest.hexdigest(),
    )


async def keep(session: Session, lessons: Lessons, outcome: Outcome) -> int | None:
    """Record a model and make it the active one; returns its version, None where another run was first."""
    version = await advance(session)
    if await newest_input(session) == lessons.input_hash:
        return None
    number = (await session.scalar(select(func.max(ClassificationModel.version))) or 0) + 1
    won = outcome.contest[outcome.kind]
    session.add(
        ClassificationModel(
            version=number, kind=outcome.kind, **won, contest=outcome.contest, labels=outcome.labels,
            held_out=outcome.held_out, classes=outcome.classes, input_hash=lessons.input_hash,
            parameters=outcome.parameters,
        )
    )  # fmt: skip
    await session.execute(update(TaxonomyState).where(TaxonomyState.version == version).values(model=number))
    emit(session, ModelTrained(model=number, kind=outcome.kind, **won, labels=outcome.labels), audience=None)
    return number
