"""Counts for the operations page: what happened today, and what is searched for."""

from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import func, select, text

from service.database import ReadSession
from service.event_log import EventRow

TOP = 8

_SEARCHES = text(
    """SELECT count(*) AS number, percentile_cont(0.5) WITHIN GROUP (ORDER BY ms) AS p50,
           percentile_cont(0.95) WITHIN GROUP (ORDER BY ms) AS p95, count(*) FILTER (WHERE results = 0) AS empty
    FROM (SELECT CAST(data->>'latency_ms' AS float) AS ms, CAST(data->>'results_count' AS int) AS results
          FROM events WHERE name = 'search.executed' AND timestamp >= :since) AS searches"""
)
_TOP = text(
    """SELECT lower(btrim(data->>'query')) AS query, count(*) AS number,
           round(avg(CAST(data->>'results_count' AS int))) AS results
    FROM events WHERE name = 'search.executed' AND timestamp >= :since
    GROUP BY 1 HAVING count(DISTINCT audience) > 1 OR bool_and(audience = :who)
    ORDER BY 2 DESC, 1 LIMIT :top"""
)


@dataclass(frozen=True, slots=True)
class Top:
    """A query and how often it was asked lately; `results` is the mean of what it found."""

    query: str
    number: int
    results: int


@dataclass(frozen=True, slots=True)
class Searches:
    """What was searched lately; times in milliseconds, None where nothing was."""

    number: int
    empty: int
    p50: float | None
    p95: float | None
    top: list[Top]


async def searches(session: ReadSession, who: UUID, since: datetime) -> Searches:
    """Return what was searched; of queries only those that several accounts asked, and one's own: they are private."""
    row = (await session.execute(_SEARCHES, {"since": since})).one()
    top = await session.execute(_TOP, {"since": since, "who": who, "top": TOP})
    return Searches(row.number, row.empty, row.p50, row.p95, [Top(one.query, one.number, one.results) for one in top])


def midnight() -> datetime:
    """Return when today began, in UTC."""
    return datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


async def events_since(session: ReadSession, since: datetime) -> dict[str, int]:
    """Return how many events there were since then, by name."""
    counted = select(EventRow.name, func.count()).where(EventRow.timestamp >= since).group_by(EventRow.name)
    return {name: number for name, number in (await session.execute(counted)).all()}
