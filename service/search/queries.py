"""What people search for, and do not find: counted over the kept events of the last `DAYS` days, for operators.

Queries that differ in case, accents or blanks only are one; nobody's name is kept with them.
"""

from collections.abc import Sequence

from sqlalchemy import RowMapping, text

from service.database import ReadSession
from service.events import SystemEvent

DAYS = 30

_COUNTED = text(
    """WITH searches AS (
        SELECT data ->> 'query' AS query, CAST(data ->> 'results_count' AS bigint) AS results,
            CAST(data ->> 'latency_ms' AS float8) AS latency, timestamp
        FROM events WHERE name = :name AND timestamp > now() - make_interval(days => :days)
    ),
    counted AS (
        SELECT (array_agg(query ORDER BY timestamp DESC))[1] AS query, count(*) AS count,
            count(*) FILTER (WHERE results = 0) AS without_results,
            (array_agg(results ORDER BY timestamp DESC))[1] AS last_results,
            round(avg(results), 1) AS mean_results,
            round(CAST(percentile_cont(0.95) WITHIN GROUP (ORDER BY latency) AS numeric), 1) AS p95_latency_ms,
            max(timestamp) AS last_at
        FROM searches GROUP BY lower(unaccent(btrim(regexp_replace(query, '\\s+', ' ', 'g'))))
    )
    SELECT *, count(*) OVER () AS total FROM counted WHERE NOT :zero OR last_results = 0
    ORDER BY count DESC, last_at DESC, query LIMIT :limit OFFSET :offset"""
)


async def counted(
    session: ReadSession, limit: int, offset: int, *, zero: bool = False
) -> tuple[int, Sequence[RowMapping]]:
    """Return how many different queries there were, and a page of them, the most frequent first.

    With `zero`, of those alone whose last search found nothing.
    """
    given = {"name": SystemEvent.SEARCH_EXECUTED, "days": DAYS, "zero": zero, "limit": limit, "offset": offset}
    rows = (await session.execute(_COUNTED, given)).mappings().all()
    return rows[0]["total"] if rows else 0, rows
