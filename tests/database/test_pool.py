"""What the pool says of itself, and what it answers when it is empty."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from time import monotonic
from urllib.parse import urlsplit, urlunsplit

import httpx
import pytest
import structlog
from sqlalchemy import text

from service import connections, database
from service.connections import TooFewConnections, need
from service.database import Statement, fetch, pool_status, reading, transaction
from service.pool import NoMoreConnections, PoolExhausted
from service.settings import Settings, settings
from tests.conftest import Servers

pytestmark = pytest.mark.integration

BACKEND = Statement("SELECT pg_backend_pid() AS pid")


@pytest.fixture
async def two(pharos: Settings) -> AsyncIterator[None]:
    """One kept connection and one beyond it."""
    await database.disconnect()
    await database.connect("test", size=1, overflow=1)
    yield
    await database.disconnect()
    await database.connect("test", size=5, overflow=10)


async def hold(stack: AsyncExitStack, number: int) -> None:
    for _ in range(number):
        session = await stack.enter_async_context(transaction())
        await session.fetch(BACKEND)


async def test_an_empty_pool_is_said_within_five_seconds_whoever_asks(two: None) -> None:
    async with AsyncExitStack() as stack:
        await hold(stack, 2)
        began = monotonic()

        async def ask() -> None:
            async with reading() as session:
                await session.connection()

        found = await asyncio.gather(fetch(BACKEND), ask(), return_exceptions=True)
        assert monotonic() - began < 5
        assert all(isinstance(error, PoolExhausted) and "All 2 connections" in error.detail for error in found)
        assert pool_status().exhausted == 2
    assert await fetch(BACKEND)


@pytest.fixture
def small(pharos: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """The web application that is opened next has six connections."""
    monkeypatch.setenv("PHAROS_POOL_SIZE", "4")
    monkeypatch.setenv("PHAROS_POOL_OVERFLOW", "2")


async def test_requests_get_503_and_when_to_come_again(small: None, api: httpx.AsyncClient) -> None:
    assert (await api.get("/resources")).status_code == 200
    async with AsyncExitStack() as stack:
        await hold(stack, 6)
        began = monotonic()
        answers = await asyncio.gather(*(api.get("/resources") for _ in range(5)), api.post("/ingest", json={}))
        assert monotonic() - began < 5.5  # who is waiting may be asked who they are first
    assert {answer.status_code for answer in answers[:5]} == {503}
    assert all(answer.headers["retry-after"] == "1" for answer in answers[:5])
    assert all(answer.headers["content-type"] == "application/problem+json" for answer in answers)
    assert (await api.get("/resources")).status_code == 200
    assert (await api.get("/db/pool")).json()["exhausted"] >= 1


@pytest.fixture
async def two_of_the_server(
    pharos: Settings, servers: Servers, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[None]:
    """A role that PostgreSQL gives two connections; our pool would have three."""
    await servers.administer("CREATE ROLE pharos_of_two LOGIN PASSWORD 'two' CONNECTION LIMIT 2")
    address = urlsplit(database_url)
    netloc = f"pharos_of_two:two@{address.netloc.rpartition('@')[2]}"
    await database.disconnect()
    monkeypatch.setenv("PHAROS_DATABASE_URL", urlunsplit(address._replace(netloc=netloc)))
    settings.cache_clear()
    await database.connect("test", size=3, overflow=0)
    yield
    await database.disconnect()
    await servers.administer("DROP ROLE pharos_of_two")
    await database.connect("test", size=5, overflow=10)


async def test_a_server_that_takes_no_more_is_said_too(two_of_the_server: None) -> None:
    async with AsyncExitStack() as stack:
        await hold(stack, 2)
        with pytest.raises(NoMoreConnections, match="max_connections"):
            await fetch(BACKEND)
    assert await fetch(BACKEND)


async def test_what_does_not_fit_is_said_at_start(two_of_the_server: None, pharos: Settings) -> None:
    assert await connections.allowed() == 2
    with pytest.raises(TooFewConnections, match=r"takes 2 connections .* keep 52 open \(web 20 \+ 40, 2 workers"):
        await connections.check(pharos)
    tight = pharos.model_copy(update={"pool_size": 1, "workers": 1, "worker_concurrency": 1})
    assert "503" in (await connections.check(tight) or "")
    fits = tight.model_copy(update={"pool_overflow": 0})
    assert need(fits).most == 6  # a worker has four beyond those that it keeps


async def test_the_suites_own_server_has_room_for_all(pharos: Settings) -> None:
    assert await connections.check(pharos) is None
    assert need(pharos.model_copy(update={"workers_max": 8})).most == 60 + 8 * 20


async def test_the_pool_is_logged_again_and_again(pharos: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "REPORTED", 0.01)
    await database.disconnect()
    with structlog.testing.capture_logs() as lines:
        async with database.connected("tester", size=3, overflow=4), asyncio.timeout(10):
            [row] = await fetch(Statement("SELECT current_setting('application_name') AS name"))
            while len(told := [line for line in lines if line["event"] == "the pool"]) < 2:
                await asyncio.sleep(0.01)
    await database.connect("test", size=5, overflow=10)
    assert row["name"] == "pharos tester"
    assert {(line["process"], line["size"], line["max_connections"]) for line in told} == {("tester", 3, 7)}
    assert all({"checked_out", "waits", "exhausted", "utilization_percent"} <= line.keys() for line in told)


async def test_a_statement_is_prepared_once_for_a_connection(pharos: Settings) -> None:
    async with transaction() as session:
        for _ in range(5):
            await session.fetch(BACKEND)
            await session.execute(text("SELECT 1 AS prepared_once"))
        [row] = await session.fetch(
            Statement(
                "SELECT count(*) FILTER (WHERE statement = 'SELECT pg_backend_pid() AS pid') AS own,"
                " count(*) FILTER (WHERE statement LIKE '%AS prepared_once') AS orm FROM pg_prepared_statements"
                " WHERE statement NOT LIKE '%FILTER%'"
            )
        )
    assert (row["own"], row["orm"]) == (1, 1)
