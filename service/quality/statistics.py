"""How the scores of what an account may see are spread, and how they went."""

from typing import Any
from uuid import UUID

from sqlalchemy import text

from service.database import ReadSession
from service.quality.scores import DIMENSIONS

BINS = 10
_SCORES = ("overall", *DIMENSIONS)
_VISIBLE = "(NOT r.private OR r.owner_id = :account)"
_DISTRIBUTION = text(
    f"""SELECT score.name, least(width_bucket(score.value, 0, 1, {BINS}), {BINS}) AS bin, count(*) AS number,
        sum(score.value) AS total
    FROM quality q JOIN resources r ON r.id = q.resource_id,
        LATERAL (VALUES {", ".join(f"('{name}', q.{name})" for name in _SCORES)}) AS score(name, value)
    WHERE {_VISIBLE} GROUP BY 1, 2"""  # noqa: S608
)
_MEANS = ", ".join(f"round(CAST(avg({name}) AS numeric), 4) AS {name}" for name in _SCORES)
_TRENDS = text(
    f"""SELECT day, count(*) AS resources, {_MEANS}
    FROM (SELECT DISTINCT ON (h.resource_id, day) CAST(h.recorded_at AT TIME ZONE 'UTC' AS date) AS day, h.*
        FROM quality_history h JOIN resources r ON r.id = h.resource_id
        WHERE {_VISIBLE} AND h.recorded_at > now() - make_interval(days => :days)
        ORDER BY h.resource_id, day, h.recorded_at DESC, h.id DESC) last
    GROUP BY day ORDER BY day"""  # noqa: S608
)


async def distribution(session: ReadSession, account_id: UUID) -> dict[str, Any]:
    """Return for `overall` and each dimension how many scores are in each tenth from 0 to 1, and their mean."""
    shown: dict[str, Any] = {name: {"counts": [0] * BINS, "mean": None} for name in _SCORES}
    totals = dict.fromkeys(_SCORES, 0.0)
    for row in await session.execute(_DISTRIBUTION, {"account": account_id}):
        shown[row.name]["counts"][row.bin - 1] = row.number
        totals[row.name] += row.total
    number = sum(shown["overall"]["counts"])
    if number:
        for name in _SCORES:
            shown[name]["mean"] = round(totals[name] / number, 4)
    edges = [round(edge / BINS, 4) for edge in range(BINS + 1)]
    return {"total": number, "edges": edges, "overall": shown.pop("overall"), "dimensions": shown}


async def trends(session: ReadSession, account_id: UUID, days: int) -> list[dict[str, Any]]:
    """Return the means of the scores that were computed on each of the last days; of each resource its last ones."""
    rows = (await session.execute(_TRENDS, {"account": account_id, "days": days})).mappings()
    return [
        {"day": row["day"], "resources": row["resources"], "overall": float(row["overall"])}
        | {"dimensions": {name: float(row[name]) for name in DIMENSIONS}}
        for row in rows
    ]
