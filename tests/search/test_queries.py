"""What was searched for: counted by the folded query, the most frequent first."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import httpx
import pytest
from sqlalchemy import insert

from service.database import transaction
from service.event_log import EventRow

pytestmark = pytest.mark.integration

Person = Callable[..., Awaitable[httpx.AsyncClient]]


async def searched(query: str, results: int, latency: float = 10, *, age: timedelta = timedelta(0)) -> None:
    """Log that somebody searched."""
    data = {"query": query, "mode": "hybrid", "results_count": results, "latency_ms": latency}
    row = {"id": uuid4(), "name": "search.executed", "version": 1, "data": data, "priority": 25, "correlation_id": "",
        "audience": uuid4(), "bulk": False, "timestamp": datetime.now(UTC) - age}  # fmt: skip
    async with transaction() as session:
        await session.execute(insert(EventRow).values(row))


async def test_queries_are_counted_whatever_their_case_accents_and_blanks(api: httpx.AsyncClient) -> None:
    for number, query in enumerate(("Café  de nuit", "cafe de nuit", "CAFÉ DE NUIT ")):
        await searched(query, number, 100 * number, age=timedelta(minutes=3 - number))
    await searched("lamp", 7)
    await searched("too long ago", 1, age=timedelta(days=31))
    answer = (await api.get("/search/queries")).json()
    assert (answer["total"], answer["limit"], answer["offset"]) == (2, 25, 0)
    first, second = answer["items"]
    del first["last_at"]
    assert first == {"query": "CAFÉ DE NUIT ", "count": 3, "without_results": 1, "last_results": 2, "mean_results": 1,
        "p95_latency_ms": 190}  # fmt: skip
    assert (second["query"], second["count"]) == ("lamp", 1)
    page = (await api.get("/search/queries", params={"limit": 1, "offset": 1})).json()
    assert (page["total"], page["items"]) == (2, [second])


async def test_what_nothing_is_found_for_is_told_until_something_is(api: httpx.AsyncClient) -> None:
    await searched("found since", 0, age=timedelta(hours=1))
    await searched("found since", 3)
    await searched("missing", 5, age=timedelta(hours=1))
    await searched("missing", 0)
    answer = (await api.get("/search/queries", params={"zero": "true"})).json()
    assert [(one["query"], one["without_results"]) for one in answer["items"]] == [("missing", 1)]
    assert (await api.get("/search/queries", params={"zero": "perhaps"})).status_code == 422


async def test_only_operators_are_told(person: Person) -> None:
    assert (await (await person("ada", "editor")).get("/search/queries")).status_code == 403
