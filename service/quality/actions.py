"""Verbs of quality: read what it is computed from, keep what was computed, correct it, see to it that it is there."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import delete, func, select, text
from sqlalchemy.dialects.postgresql import insert

from service.database import ReadSession, Session
from service.errors import NotFound
from service.hooks import QUALITY
from service.outbox import emit
from service.quality import inputs
from service.quality.assessment import Assessment
from service.quality.events import QualityComputed, QualityStale
from service.quality.evidence import Cited, Evidence, Surroundings
from service.quality.scores import DIMENSIONS, Dimension, overall
from service.quality.tables import Quality, QualityChange
from service.resources import actions as resources
from service.search.languages import CONFIGURATIONS
from service.security.accounts import Account
from service.settings import settings

_COMPUTING = 7262023
_TURN = text("SELECT pg_advisory_xact_lock(:task, uuid_hash(CAST(:id AS uuid)))")
_GUESSED = {name: code for code, name in CONFIGURATIONS.items() if code not in ("nb", "nn")}  # Norwegian is "no"
KEPT = 100  # rows of history of a resource
SETTLED = 90  # seconds without a change, after which its quality should be there


class NotComputed(NotFound):
    """The quality of resource {id} is not computed yet; that takes about ten seconds from when its text is there."""


@dataclass(frozen=True, slots=True)
class Draft:
    """What quality is to be computed from, and the hash of all of it."""

    evidence: Evidence
    input_hash: str


async def drafted(session: ReadSession, resource_id: UUID) -> Draft | None:
    """Read what quality is computed from; None where it is computed from that, or there is no text (any more)."""
    row = (await session.execute(inputs.SOURCE, {"id": resource_id, "weights": _weights()})).mappings().one_or_none()
    if row is None:
        return None
    cited = (await session.execute(inputs.CITED, {"id": resource_id})).all()
    around = (await session.execute(inputs.AROUND, {"id": resource_id, "subjects": row["subjects"]})).mappings().one()
    fields: dict[str, Any] = dict(row) | {
        "guessed": _GUESSED.get(row["guessed"]),
        "subjects": tuple(row["subjects"]),
        "tags": tuple(row["tags"]),
        "citations": tuple(Cited(one.kind, one.value, one.resolved) for one in cited),
        "around": Surroundings(**around),
    }
    evidence = Evidence(**fields)
    input_hash = evidence.hash(settings().quality_weights, inputs.VERSION)
    known = await session.get(Quality, resource_id)
    if known is not None and (known.input_hash, known.source_hash) == (input_hash, evidence.source_hash):
        return None
    return Draft(evidence, input_hash)


def _weights() -> str:
    return ",".join(f"{weight:g}" for weight in settings().quality_weights)


async def keep(session: Session, draft: Draft, assessment: Assessment) -> bool:
    """Write what was computed, under what people corrected; False where that is there already.

    Nothing is written either where the resource was changed or deleted since the draft was read.
    """
    id, source_hash = draft.evidence.resource_id, draft.evidence.source_hash
    await _turn(session, id)
    still = {"id": id, "weights": _weights(), "source_hash": source_hash}
    row = (await session.execute(inputs.STILL, still)).one_or_none()
    if row is None:
        return False
    known = await session.get(Quality, id)
    if known is not None and known.input_hash == draft.input_hash:
        known.source_hash = source_hash
        return False
    computed: dict[str, float] = {name: score.value for name, score in assessment.scores.items()}
    readability = assessment.readability
    values: dict[str, Any] = {
        "resource_id": id,
        "computed": computed,
        "corrections": {} if known is None else known.corrections,
        "reasons": {name: score.reasons for name, score in assessment.scores.items()},
        "readability": None if readability is None else readability._asdict(),
        "input_hash": draft.input_hash,
        "source_hash": source_hash,
        "computed_at": datetime.now(UTC),
    }
    scores = _scores(computed, values["corrections"])
    changed = insert(Quality).values(values | scores)
    kept = changed.on_conflict_do_update(
        index_elements=["resource_id"], set_={name: changed.excluded[name] for name in (*values, *scores)}
    )
    await session.execute(kept.execution_options(synchronize_session=False))
    await _record(session, id, scores)
    _announce(session, id, scores, row.audience)
    return True


def _scores(computed: Mapping[str, float], corrections: Mapping[str, Mapping[str, Any]]) -> dict[str, float]:
    """Return the dimensions as they count, and `overall`."""
    counts = {name: float(corrections[name]["value"]) if name in corrections else computed[name] for name in DIMENSIONS}
    return {**counts, "overall": overall(counts, settings().quality_weights)}


async def _turn(session: Session, resource_id: UUID) -> None:
    await session.execute(_TURN, {"task": _COMPUTING, "id": resource_id})


async def _record(session: Session, resource_id: UUID, scores: Mapping[str, float]) -> None:
    """Add to the history what differs from its last row, and forget all but the newest `KEPT` rows.

    The last row that is 30 days old stays, since that is what the present is compared with.
    """
    own = QualityChange.resource_id == resource_id
    newest = select(QualityChange).where(own).order_by(QualityChange.recorded_at.desc(), QualityChange.id.desc())
    last = await session.scalar(newest.limit(1))
    if last is not None and all(getattr(last, name) == value for name, value in scores.items()):
        return
    session.add(QualityChange(resource_id=resource_id, recorded_at=datetime.now(UTC), **scores))
    await session.flush()
    ids = newest.with_only_columns(QualityChange.id)
    compared = ids.where(QualityChange.recorded_at <= func.now() - text("interval '30 days'")).limit(1)
    await session.execute(
        delete(QualityChange)
        .where(own, QualityChange.id.not_in(ids.limit(KEPT)), QualityChange.id.not_in(compared))
        .execution_options(synchronize_session=False)
    )


def _announce(session: Session, resource_id: UUID, scores: Mapping[str, float], audience: UUID | None) -> None:
    dimensions = {name: scores[name] for name in DIMENSIONS}
    computed = QualityComputed(resource_id=resource_id, score=scores["overall"], dimensions=dimensions)
    emit(session, computed, audience=audience)


async def read(session: ReadSession, account: Account, resource_id: UUID) -> Quality:
    """Return the quality of a resource that this account may see; raises NotFound or NotComputed."""
    await resources.read(session, account, resource_id)
    found = await session.get(Quality, resource_id, populate_existing=True)
    if found is None:
        raise NotComputed(id=resource_id)
    return found


async def correct(
    session: Session, account: Account, resource_id: UUID, values: Mapping[Dimension, float | None]
) -> Quality:
    """Let dimensions count as a person says, or as computed again where the value is None; raises as `read` does."""
    audience = (await resources.read(session, account, resource_id)).audience
    await _turn(session, resource_id)
    quality = await read(session, account, resource_id)
    corrections = dict(quality.corrections)
    for name, value in values.items():
        if value is None:
            corrections.pop(name, None)
        elif name not in corrections or corrections[name]["value"] != value:
            corrections[name] = {"value": value, "user_id": str(account.id), "at": datetime.now(UTC).isoformat()}
    if corrections == quality.corrections:
        return quality
    quality.corrections = corrections
    scores = _scores(quality.computed, corrections)
    for name, value in scores.items():
        setattr(quality, name, value)
    await session.flush()
    await _record(session, resource_id, scores)
    _announce(session, resource_id, scores, audience)
    return quality


async def announce_stale(session: Session, limit: int = 500, age: float = SETTLED) -> int:
    """Ask again for quality that is missing or was computed from something else; returns for how many resources.

    They are unchanged for `age` seconds. Where a task still waits in the queue, the new one merges into it.
    """
    parameters = {"most": limit, "age": age, "task": QUALITY.name, "weights": _weights()}
    rows = (await session.execute(inputs.STALE, parameters)).all()
    for row in rows:
        emit(session, QualityStale(resource_id=row.id), audience=row.audience)
    return len(rows)
