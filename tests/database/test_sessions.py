"""Sessions and the pool beneath them: what commits, what rolls back, and how connections are lost and kept."""

import asyncio
from collections.abc import AsyncIterator

import asyncpg
import pytest
from sqlalchemy import func, select, text

from service import database, pool
from service.database import DatabaseAway, Statement, engine, fetch, pool_status, reading, transaction
from service.security.tables import User

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("pharos")]

BACKEND = Statement("SELECT pg_backend_pid() AS pid")
NAMES = Statement("SELECT username FROM users ORDER BY username")
RENAME = Statement("UPDATE users SET username = :new WHERE username = :old")


@pytest.fixture
async def small_pool(pharos: object) -> AsyncIterator[None]:
    """Two kept connections and three beyond them."""
    await database.disconnect()
    await database.connect("test", size=2, overflow=3)
    yield
    await database.disconnect()
    await database.connect("test", size=5, overflow=10)


async def usernames() -> list[str]:
    return [row["username"] for row in await fetch(NAMES)]


async def test_the_orm_and_fetch_share_one_transaction() -> None:
    async with transaction() as session:
        session.add(User(username="anna", role="reader"))
        await session.flush()
        await session.fetch(RENAME, old="anna", new="berta")
        assert await usernames() == []
        assert await session.scalar(select(User.username).where(User.username == "berta")) == "berta"
    assert await usernames() == ["berta"]


async def test_what_the_orm_holds_back_is_written_with_the_commit() -> None:
    async with transaction() as session:
        session.add(User(username="anna", role="reader"))
    assert await usernames() == ["anna"]


async def test_an_exception_takes_everything_back() -> None:
    with pytest.raises(RuntimeError, match="no"):  # noqa: PT012
        async with transaction() as session:
            session.add(User(username="anna", role="reader"))
            await session.flush()
            await session.fetch(RENAME, old="anna", new="berta")
            raise RuntimeError("no")
    assert await usernames() == []


async def test_a_value_of_the_wrong_type_is_a_mistake_and_no_outage() -> None:
    with pytest.raises(asyncpg.DataError):
        await fetch(RENAME, old="anna", new=7)


async def test_a_cancelled_transaction_is_rolled_back_and_its_connection_usable() -> None:
    entered = asyncio.Event()

    async def slow() -> None:
        async with transaction() as session:
            session.add(User(username="anna", role="reader"))
            await session.flush()
            entered.set()
            await session.fetch(Statement("SELECT pg_sleep(30)"))

    task = asyncio.create_task(slow())
    await entered.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await usernames() == []
    assert pool_status().checked_out == 0


async def test_a_connection_that_dies_in_a_transaction_is_said_and_replaced(small_pool: None) -> None:
    with pytest.raises(DatabaseAway):  # noqa: PT012
        async with transaction() as session:
            [row] = await session.fetch(BACKEND)
            await fetch(Statement("SELECT pg_terminate_backend(:pid)"), pid=row["pid"])
            await session.fetch(BACKEND)
    async with transaction() as session:
        assert await session.fetch(BACKEND)


@pytest.mark.parametrize("rest", [pool.REST, 0.0], ids=["asyncpg heard of it", "the server is asked"])
async def test_connections_that_died_at_rest_are_replaced_unnoticed(
    small_pool: None, monkeypatch: pytest.MonkeyPatch, rest: float
) -> None:
    monkeypatch.setattr(pool, "REST", rest)

    async def busy() -> None:
        async with reading() as session:
            await session.execute(text("SELECT pg_sleep(0.05)"))

    await asyncio.gather(busy(), busy())
    async with transaction() as session:
        [row] = await session.fetch(
            Statement(
                "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
            )
        )
    assert row["count"] >= 1
    await asyncio.sleep(0.1)  # the server hangs up
    await asyncio.gather(*(fetch(BACKEND) for _ in range(10)))
    async with reading() as session:
        assert await session.scalar(select(func.count()).select_from(User)) == 0


async def test_a_rush_of_short_transactions_opens_no_further_connections(small_pool: None) -> None:
    pids: set[int] = set()

    async def short() -> None:
        async with transaction() as session:
            pids.update(row["pid"] for row in await session.fetch(BACKEND))

    await asyncio.gather(*(short() for _ in range(40)))
    assert len(pids) == 2


async def test_long_transactions_get_the_connections_beyond_the_kept_ones(small_pool: None) -> None:
    entered, leave = asyncio.Semaphore(0), asyncio.Event()

    async def long() -> None:
        async with transaction() as session:
            await session.fetch(BACKEND)
            entered.release()
            await leave.wait()

    tasks = [asyncio.create_task(long()) for _ in range(5)]
    async with asyncio.timeout(10):
        for _ in tasks:
            await entered.acquire()
    assert pool_status().checked_out == pool_status().max_connections == 5
    leave.set()
    await asyncio.gather(*tasks)
    assert engine().pool.checkedin() == 2


async def test_what_is_in_use_when_the_database_is_let_go_is_closed_when_it_comes_back() -> None:
    async with database._connected() as (_, driver):
        await database.disconnect()
        assert await driver.fetchval("SELECT 1") == 1
    assert driver.is_closed()
    await database.connect("test", 5, 10)
