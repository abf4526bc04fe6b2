"""Slow queries in the log: with their plans, without what was asked for."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
import structlog
from sqlalchemy import select, text

from service import database
from service.database import Statement, fetch, reading, transaction
from service.security.tables import User
from service.settings import Settings, settings
from service.slow import Plan, SlowQueries, plan_of

SLOW = Statement("SELECT id FROM users WHERE username = :name AND pg_sleep(0.02) IS NOT NULL")


@pytest.fixture
async def lines(pharos: Settings, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[list[Any]]:
    """What is logged, from 10 ms on."""
    monkeypatch.setenv("PHAROS_SLOW_QUERY_MS", "10")
    settings.cache_clear()
    with structlog.testing.capture_logs() as found:
        yield found
    await database.slow.stop()


@pytest.fixture(autouse=True)
def forgotten() -> None:
    """No plan is known."""
    database.slow._plans.clear()


async def logged(lines: list[Any], number: int) -> list[Any]:
    async with asyncio.timeout(10):
        while len(found := [line for line in lines if line["event"] == "slow query"]) < number:
            await asyncio.sleep(0.01)
    return found


@pytest.mark.integration
async def test_a_slow_query_is_logged_with_its_plan_and_without_its_values(lines: list[Any]) -> None:
    async with transaction() as session:
        session.add(User(username="secret name", role="reader"))
    await fetch(SLOW, name="secret name")
    [first] = await logged(lines, 1)
    await fetch(SLOW, name="secret name")
    _, second = await logged(lines, 2)
    assert first["ms"] >= 20
    assert first["sql"] == "SELECT id FROM users WHERE username = $1 AND pg_sleep(0.02) IS NOT NULL"
    assert len(first["plan_id"]) == 16
    assert (second["plan_id"], second["query_id"]) == (first["plan_id"], first["query_id"])
    assert isinstance(first["query_id"], int)  # the embedded server counts its queries
    assert "secret" not in str(lines)


@pytest.mark.integration
async def test_what_the_orm_asks_is_timed_too_and_quick_queries_are_not_logged(lines: list[Any]) -> None:
    async with reading() as session:
        await session.execute(select(User.id).where(User.username == "secret name"))
        await session.execute(select(User.id).where(text("pg_sleep(0.02) IS NULL OR true"), User.username == "secret"))
        await session.execute(text("SELECT pg_sleep(0.02)"))
    found = await logged(lines, 1)
    assert all("pg_sleep" in line["sql"] for line in found)
    assert "secret" not in str(lines)


async def test_a_plan_is_its_steps_not_its_costs() -> None:
    scan: dict[str, Any] = {"Node Type": "Index Scan", "Relation Name": "users", "Index Name": "pk", "Total Cost": 1.0}
    dearer, other = scan | {"Total Cost": 9.0}, scan | {"Index Name": "ix"}
    first = plan_of([{"Plan": {"Node Type": "Limit", "Plans": [scan]}, "Query Identifier": 7}])
    assert first == plan_of([{"Plan": {"Node Type": "Limit", "Plans": [dearer]}, "Query Identifier": 7}])
    assert first.plan_id != plan_of([{"Plan": {"Node Type": "Limit", "Plans": [other]}}]).plan_id
    assert first.query_id == 7


async def test_a_plan_that_cannot_be_had_costs_nothing_else(lines: list[Any]) -> None:
    async def fail(sql: str) -> Any:
        raise RuntimeError("no")

    asking = SlowQueries(fail)
    asking.note("SELECT 1", 1.0)
    asking.note("CREATE TABLE t ()", 2.0)
    found = await logged(lines, 2)
    assert sorted((line["ms"], line["plan_id"]) for line in found) == [(1000, None), (2000, None)]
    assert asking._plans == {"SELECT 1": Plan(None, None)}
