"""Verbs of watching quality, each a bounded step that may run twice: what got worse, what stands out."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple
from uuid import UUID

import orjson
from sqlalchemy import text

from service.database import ReadSession, Session
from service.outbox import emit
from service.quality.events import QualityDegraded, QualityOutlierDetected
from service.quality.outliers import Verdict, Yardstick, judge, yardstick
from service.quality.scores import DIMENSIONS

STEP = 500  # rows
DROP = 0.2
REFERENCE = 2000  # rows that others are compared with; in a larger library a sample, always the same

_SCORES = ("overall", *DIMENSIONS)
_SEEN = "md5(ROW({})::text)".format(", ".join(f"q.{name}" for name in _SCORES))
_AUDIENCE = "CASE WHEN r.private THEN r.owner_id END AS audience"
_STEP = f"""FROM (SELECT * FROM quality WHERE CAST(:after AS uuid) IS NULL OR resource_id > :after
        ORDER BY resource_id LIMIT {STEP}) q JOIN resources r ON r.id = q.resource_id"""  # noqa: S608
_COMPARED = text(
    f"""SELECT q.*, {_AUDIENCE}, {", ".join(f"before.{name} AS {name}_before" for name in _SCORES)}
    {_STEP} LEFT JOIN LATERAL (
        SELECT * FROM quality_history h
        WHERE h.resource_id = q.resource_id AND h.recorded_at <= now() - interval '30 days'
        ORDER BY h.recorded_at DESC, h.id DESC LIMIT 1) before ON true
    ORDER BY q.resource_id"""  # noqa: S608
)
# A finding that is settled comes back when it got much worse since, or after the 30 days that were compared.
_OPEN_DEGRADED = text(
    f"""INSERT INTO quality_reviews AS known (resource_id, kind, reasons, score)
    VALUES (:id, 'degraded', CAST(:reasons AS jsonb), :score)
    ON CONFLICT (resource_id, kind) DO UPDATE SET reasons = excluded.reasons, score = excluded.score,
        opened_at = now(), settled_at = NULL, settled_by = NULL, decision = NULL, note = NULL
    WHERE known.settled_at <= now() - interval '30 days'
        OR (known.settled_at IS NOT NULL AND excluded.score < known.score - {DROP})
    RETURNING resource_id"""  # noqa: S608
)
_REFERENCE = text(
    f"""SELECT q.resource_id, {", ".join(f"q.{name}" for name in DIMENSIONS)}
    FROM quality q JOIN resources r ON r.id = q.resource_id
    WHERE NOT r.private ORDER BY uuid_hash(q.resource_id), q.resource_id LIMIT {REFERENCE}"""  # noqa: S608
)
_NEXT = text(f"SELECT q.*, {_SEEN} AS seen {_STEP} ORDER BY q.resource_id")
_MARK = text(
    f"""WITH wanted AS (
        SELECT * FROM unnest(CAST(:ids AS uuid[]), CAST(:seen AS text[]), CAST(:flags AS boolean[]))
            AS wanted(id, seen, flag)),
    changing AS (
        SELECT q.resource_id, wanted.flag, {_SEEN} = wanted.seen AS still
        FROM quality q JOIN wanted ON wanted.id = q.resource_id
        WHERE q.is_outlier <> wanted.flag ORDER BY q.resource_id FOR UPDATE OF q)
    UPDATE quality q SET is_outlier = flag FROM changing c JOIN resources r ON r.id = c.resource_id
    WHERE q.resource_id = c.resource_id AND c.still AND q.is_outlier <> c.flag
    RETURNING q.resource_id, q.overall, q.is_outlier, {_AUDIENCE}"""  # noqa: S608
)
_OPEN_OUTLIER = text(
    """INSERT INTO quality_reviews AS known (resource_id, kind, reasons, score)
    VALUES (:id, 'outlier', CAST(:reasons AS jsonb), :score)
    ON CONFLICT (resource_id, kind) DO UPDATE SET reasons = excluded.reasons, score = excluded.score,
        opened_at = now(), settled_at = NULL, settled_by = NULL, decision = NULL, note = NULL
    WHERE known.settled_at IS NOT NULL"""
)
_CLOSE_OUTLIER = text("DELETE FROM quality_reviews WHERE resource_id = :id AND kind = 'outlier' AND settled_at IS NULL")


class Step(NamedTuple):
    """What a step did: the last resource that it looked at (None: it was the last step), and what it found."""

    last: UUID | None
    found: int


async def degraded(session: Session, after: UUID | None) -> Step:
    """Look at the next resources for a drop of more than `DROP` against 30 days ago; tell of each once."""
    rows = (await session.execute(_COMPARED, {"after": after})).mappings().all()
    found = 0
    for row in rows:
        previous, score = row["overall_before"], row["overall"]
        if previous is None or previous - score <= DROP + 1e-9:
            continue
        reasons = [
            f"Its {name} fell from {row[f'{name}_before']:.2f} to {row[name]:.2f} within 30 days."
            for name in _SCORES
            if row[f"{name}_before"] - row[name] > DROP / 2
        ]
        opened = {"id": row["resource_id"], "reasons": _json(reasons), "score": score}
        if (await session.execute(_OPEN_DEGRADED, opened)).first():
            found += 1
            event = QualityDegraded(resource_id=row["resource_id"], score=score, previous=previous)
            emit(session, event, audience=row["audience"])
    return Step(rows[-1]["resource_id"] if len(rows) == STEP else None, found)


@dataclass(frozen=True, slots=True)
class Reference:
    """The shared resources that outliers are measured by, and where each stands among them."""

    against: Yardstick | None
    places: dict[UUID, int]


class Row(NamedTuple):
    """A resource's scores, and a hash of them."""

    resource_id: UUID
    scores: tuple[float, ...]
    seen: str


async def reference(session: ReadSession) -> tuple[list[UUID], list[tuple[float, ...]]]:
    """Return the shared resources that are compared with, and their scores."""
    rows = (await session.execute(_REFERENCE)).all()
    return [row[0] for row in rows], [tuple(row[1:]) for row in rows]


def measured(ids: Sequence[UUID], points: Sequence[tuple[float, ...]]) -> Reference:
    """Compute what is typical of the distances among the shared resources."""
    return Reference(yardstick(points), {id: place for place, id in enumerate(ids)})


async def following(session: ReadSession, after: UUID | None) -> list[Row]:
    """Return the next resources to be judged; fewer than `STEP`: the last ones."""
    rows = (await session.execute(_NEXT, {"after": after})).mappings().all()
    return [Row(row["resource_id"], tuple(row[name] for name in DIMENSIONS), row["seen"]) for row in rows]


def judged(rows: Sequence[Row], measure: Reference) -> list[Verdict]:
    """Tell which of them stand out: none where there is too little to compare with."""
    if measure.against is None or not rows:
        return [Verdict(False, [], [])] * len(rows)
    own = [measure.places.get(row.resource_id, -1) for row in rows]
    return judge([row.scores for row in rows], own, measure.against)


async def mark(session: Session, rows: Sequence[Row], verdicts: Sequence[Verdict]) -> int:
    """Write which stand out, of those whose scores are still the same; tell of each new one; returns their number."""
    by_id = {row.resource_id: verdict for row, verdict in zip(rows, verdicts, strict=True)}
    wanted = {
        "ids": list(by_id),
        "seen": [row.seen for row in rows],
        "flags": [verdict.is_outlier for verdict in verdicts],
    }
    found = 0
    for row in (await session.execute(_MARK, wanted)).all():
        verdict = by_id[row.resource_id]
        if not row.is_outlier:
            await session.execute(_CLOSE_OUTLIER, {"id": row.resource_id})
            continue
        found += 1
        opened = {"id": row.resource_id, "reasons": _json(verdict.reasons), "score": row.overall}
        await session.execute(_OPEN_OUTLIER, opened)
        event = QualityOutlierDetected(resource_id=row.resource_id, score=row.overall, dimensions=verdict.dimensions)
        emit(session, event, audience=row.audience)
    return found


def _json(reasons: list[str]) -> str:
    return orjson.dumps(reasons).decode()
