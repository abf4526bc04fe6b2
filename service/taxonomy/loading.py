"""The classifier of this process: read anew where its version number changed, and then only what changed."""

from dataclasses import dataclass, field
from uuid import UUID

import numpy as np
from sqlalchemy import text

from service.database import ReadSession
from service.taxonomy.classifier import Classifier, Trained, Vectors
from service.taxonomy.tables import ClassificationModel

_REVISIONS = text("SELECT id, revision FROM categories WHERE prior IS NOT NULL OR centroid IS NOT NULL ORDER BY id")
_CHANGED = text(
    """SELECT id, revision, label_count, vector_send(prior) AS prior, vector_send(centroid) AS centroid
    FROM categories WHERE id = ANY(CAST(:ids AS uuid[]))"""
)
_LEARNT_FROM = text("SELECT input_hash FROM classification_models WHERE version = :model")


@dataclass(frozen=True, slots=True)
class _Known:
    revision: int
    labels: int
    prior: Vectors | None
    centroid: Vectors | None


@dataclass(slots=True)
class _Loaded:
    version: int = -1
    model: int = 0
    learnt_from: str | None = None
    trained: Trained | None = None
    categories: dict[UUID, _Known] = field(default_factory=dict[UUID, _Known])
    classifier: Classifier = field(default_factory=Classifier.empty)


_loaded = _Loaded()


async def classifier(session: ReadSession, version: int, model: int) -> Classifier:
    """Return the classifier of a version of the taxonomy's state and an active model."""
    global _loaded
    if (_loaded.version, _loaded.model) == (version, model):
        return _loaded.classifier
    before = _loaded
    revisions = {row.id: row.revision for row in await session.execute(_REVISIONS)}
    known = {id: one for id, one in before.categories.items() if revisions.get(id) == one.revision}
    changed = [id for id in revisions if id not in known]
    for row in await session.execute(_CHANGED, {"ids": changed}) if changed else ():
        known[row.id] = _Known(row.revision, row.label_count, from_wire(row.prior), from_wire(row.centroid))
    learnt_from = await session.scalar(_LEARNT_FROM, {"model": model})
    trained = before.trained if learnt_from == before.learnt_from else await _trained(session, model)
    ids = sorted(known)
    made = Classifier.of(
        ids,
        [known[id].prior for id in ids],
        [known[id].centroid for id in ids],
        [known[id].labels for id in ids],
        trained,
    )
    _loaded = _Loaded(version, model, learnt_from, trained, known, made)
    return made


async def _trained(session: ReadSession, model: int) -> Trained | None:
    row = await session.get(ClassificationModel, model)
    return None if row is None or row.parameters is None else Trained.unpacked(row.parameters)


def from_wire(sent: bytes | None) -> Vectors | None:
    """Return a vector from what pgvector's `vector_send` makes: two int16, then float32, big-endian."""
    return None if sent is None else np.frombuffer(sent, dtype=">f4", offset=4).astype(np.float32)
