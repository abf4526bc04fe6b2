"""Verbs of quality: read what it is computed from, keep what was computed, correct it, see to it that it is there."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import orjson

from service.database import ReadSession, Session, Statement
from service.errors import NotFound
from service.outbox import emit
from service.quality import inputs
from service.quality.assessment import Assessment
from service.quality.events import QualityComputed, QualityStale
from service.quality.evidence import Cited, Evidence, Surroundings
from service.quality.relevance import FEWEST
from service.quality.scores import DIMENSIONS, Dimension, overall
from service.quality.tables import Quality
from service.resources import actions as resources
from service.security.accounts import Account
from service.settings import settings
from service.tasks import QUALITY

_COMPUTING = 7262023
_TURN = Statement("SELECT pg_advisory_xact_lock(:task, uuid_hash(CAST(:id AS uuid)))")
KEPT = 100  # rows of history of a resource
SETTLED = 90  # seconds without a change, after which its quality should be there

_COLUMNS = {
    "resource_id": "uuid", "computed": "jsonb", "corrections": "jsonb", "reasons": "jsonb", "readability": "jsonb",
    "input_hash": "text", "source_hash": "text", "computed_at": "timestamptz",
}  # fmt: skip
_SCORES = ", ".join(("overall", *DIMENSIONS))
_TYPES = ", ".join(
    f"{name} {type}" for name, type in {**_COLUMNS, **dict.fromkeys(_SCORES.split(", "), "float")}.items()
)
_NAMES = ", ".join((*_COLUMNS, _SCORES))
_NEWEST = "SELECT id FROM quality_history n WHERE n.resource_id = h.resource_id {} ORDER BY recorded_at DESC, id DESC"
# What equals the last row of the history is no change; the last one that is 30 days old is what is compared with.
_WRITE = Statement(
    f"""WITH row AS (SELECT * FROM jsonb_to_record(CAST(CAST(:row AS text) AS jsonb)) AS row({_TYPES})),
    kept AS (
        INSERT INTO quality ({_NAMES}) SELECT {_NAMES} FROM row ON CONFLICT (resource_id) DO UPDATE SET
            {", ".join(f"{name} = excluded.{name}" for name in _NAMES.split(", "))}),
    last AS (
        SELECT {_SCORES} FROM quality_history h WHERE h.resource_id = (SELECT resource_id FROM row)
        ORDER BY recorded_at DESC, id DESC LIMIT 1),
    added AS (
        INSERT INTO quality_history (resource_id, recorded_at, {_SCORES})
        SELECT resource_id, clock_timestamp(), {_SCORES} FROM row
        WHERE ({_SCORES}) IS DISTINCT FROM (SELECT ({_SCORES}) FROM last) RETURNING resource_id)
    DELETE FROM quality_history h USING added WHERE h.resource_id = added.resource_id
        AND h.id NOT IN ({_NEWEST.format("")} LIMIT {KEPT - 1})
        AND h.id NOT IN ({_NEWEST.format("AND recorded_at <= now() - interval '30 days'")} LIMIT 1)"""  # noqa: S608
)
_SAME = Statement("UPDATE quality SET source_hash = :source_hash WHERE resource_id = :id")


class NotComputed(NotFound):
    """The quality of resource {id} is not computed yet; that takes about ten seconds from when its text is there."""


@dataclass(frozen=True, slots=True)
class Draft:
    """What quality is to be computed from, and the hash of all of it."""

    evidence: Evidence
    input_hash: str


async def drafted(session: ReadSession, resource_id: UUID) -> Draft | None:
    """Read what quality is computed from; None where it is computed from that, or there is no text (any more)."""
    found = await session.execute(inputs.SOURCE, {"id": resource_id, "weights": _weights()})
    row = dict(found.mappings().one_or_none() or {})
    if not row:
        return None
    known = row.pop("known_input"), row.pop("known_source")
    cited = (await session.execute(inputs.CITED, {"id": resource_id})).all()
    around = (await session.execute(inputs.AROUND, {"id": resource_id, "subjects": row["subjects"]})).mappings().one()
    fields: dict[str, Any] = row | {
        "subjects": tuple(row["subjects"]),
        "tags": tuple(row["tags"]),
        "citations": tuple(Cited(one.kind, one.value, one.resolved) for one in cited),
        "around": Surroundings(**around) if around["size"] >= FEWEST else Surroundings(),
    }
    evidence = Evidence(**fields)
    input_hash = evidence.hash(settings().quality_weights, inputs.VERSION)
    if known == (input_hash, evidence.source_hash):
        return None
    return Draft(evidence, input_hash)


def _weights() -> str:
    return ",".join(f"{weight:g}" for weight in settings().quality_weights)


async def keep(session: Session, draft: Draft, assessment: Assessment) -> bool:
    """Write what was computed, under what people corrected; False where that is there already.

    Nothing is written either where the resource was changed or deleted since the draft was read.
    """
    id, source_hash = draft.evidence.resource_id, draft.evidence.source_hash
    await session.fetch(_TURN, task=_COMPUTING, id=id)
    still = await session.fetch(inputs.STILL, id=id, weights=_weights(), source_hash=source_hash)
    if not still:
        return False
    if still[0]["known"] == draft.input_hash:
        await session.fetch(_SAME, id=id, source_hash=source_hash)
        return False
    computed = {name: score.value for name, score in assessment.scores.items()}
    corrections = orjson.loads(still[0]["corrections"])
    readability = assessment.readability
    row = {
        "resource_id": id,
        "computed": computed,
        "corrections": corrections,
        "reasons": {name: score.reasons for name, score in assessment.scores.items()},
        "readability": None if readability is None else readability._asdict(),
        "input_hash": draft.input_hash,
        "source_hash": source_hash,
        "computed_at": datetime.now(UTC),
    }
    await _write(session, row, still[0]["audience"])
    return True


async def _write(session: Session, row: Mapping[str, Any], audience: UUID | None) -> None:
    """Write a row, with the scores that follow from what was computed and corrected, and tell of it."""
    scores = _scores(row["computed"], row["corrections"])
    written = orjson.dumps({**row, **scores}, default=str)
    await session.fetch(_WRITE, row=written.decode())
    dimensions = {name: scores[name] for name in DIMENSIONS}
    computed = QualityComputed(resource_id=row["resource_id"], score=scores["overall"], dimensions=dimensions)
    emit(session, computed, audience=audience)


def _scores(computed: Mapping[str, float], corrections: Mapping[str, Mapping[str, Any]]) -> dict[str, float]:
    """Return the dimensions as they count, and `overall`."""
    counts = {name: float(corrections[name]["value"]) if name in corrections else computed[name] for name in DIMENSIONS}
    return {**counts, "overall": overall(counts, settings().quality_weights)}


async def read(session: ReadSession, account: Account, resource_id: UUID) -> Quality:
    """Return the quality of a resource that this account may see; raises NotFound or NotComputed."""
    await resources.read(session, account, resource_id)
    found = await session.get(Quality, resource_id, populate_existing=True)
    if found is None:
        raise NotComputed(id=resource_id)
    return found


def shown(quality: Quality) -> dict[str, Any]:
    """Return a quality as it is answered; a corrected dimension says so first among its reasons."""
    corrections: dict[str, dict[str, Any]] = {
        name: {**correction, "computed": quality.computed[name]} for name, correction in quality.corrections.items()
    }
    said = {
        name: [f"A person set this to {one['value']:g} on {one['at'][:10]}; computed was {one['computed']:g}:"]
        for name, one in corrections.items()
    }
    return {
        "overall": quality.overall,
        "dimensions": {name: getattr(quality, name) for name in DIMENSIONS},
        "reasons": {name: [*said.get(name, ()), *quality.reasons[name]] for name in DIMENSIONS},
        "readability": quality.readability,
        "corrections": corrections,
        "computed_at": quality.computed_at,
        "is_outlier": quality.is_outlier,
    }


async def correct(
    session: Session, account: Account, resource_id: UUID, values: Mapping[Dimension, float | None]
) -> Quality:
    """Let dimensions count as a person says, or as computed again where the value is None; raises as `read` does."""
    audience = (await resources.read(session, account, resource_id)).audience
    await session.fetch(_TURN, task=_COMPUTING, id=resource_id)
    quality = await read(session, account, resource_id)
    corrections = dict(quality.corrections)
    for name, value in values.items():
        if value is None:
            corrections.pop(name, None)
        elif name not in corrections or corrections[name]["value"] != value:
            corrections[name] = {"value": value, "user_id": str(account.id), "at": datetime.now(UTC).isoformat()}
    if corrections == quality.corrections:
        return quality
    row = {name: getattr(quality, name) for name in _COLUMNS}
    await _write(session, row | {"corrections": corrections}, audience)
    return await read(session, account, resource_id)


async def announce_stale(session: Session, limit: int = 500, age: float = SETTLED) -> int:
    """Ask again for quality that is missing or was computed from something else; returns for how many resources.

    They are unchanged for `age` seconds. Where a task still waits in the queue, the new one merges into it.
    """
    parameters = {"most": limit, "age": age, "task": QUALITY.name, "weights": _weights()}
    rows = (await session.execute(inputs.STALE, parameters)).all()
    for row in rows:
        emit(session, QualityStale(resource_id=row.id), audience=row.audience)
    return len(rows)
