"""Has the searches that were made most lately in the cache before somebody makes them again.

What people search is read from the event log, which outlives the cache: it is known after the cache was emptied, too.
"""

import asyncio

from service.database import Statement, fetch
from service.errors import Invalid
from service.search.cached import search
from service.search.filters import Filters

LAST = 20_000  # searches that count
MOST = 100
REST = 0.05  # seconds between two: others come first

_SEARCHED = Statement(
    """SELECT audience, data ->> 'query' AS query, data ->> 'mode' AS mode FROM (
        SELECT audience, data FROM events
        WHERE name = 'search.executed' AND audience IS NOT NULL ORDER BY position DESC LIMIT :last) recent
    GROUP BY 1, 2, 3 ORDER BY count(*) DESC, 2 LIMIT :most"""
)


async def warm() -> int:
    """Search what was searched most, each as the reader who did, without filters; returns how many there were."""
    rows = await fetch(_SEARCHED, last=LAST, most=MOST)
    warmed = 0
    for row in rows:
        try:
            await search(row["query"], Filters(row["audience"]), row["mode"])
            warmed += 1
        except Invalid:  # as this version understands queries
            continue
        await asyncio.sleep(REST)
    return warmed
