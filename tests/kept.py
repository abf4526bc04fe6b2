"""What the suite keeps from test to test, so that a test pays for nothing that another paid for: the connections of the
engines (with what is prepared on them), and those that empty tables and keys.

To open a connection and to prepare a query again took two thirds of the time of a test of the API.
"""

import asyncio
from collections.abc import Iterable
from typing import Any

import asyncpg
import redis.asyncio
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from service.pool import PatientPool


class KeptEngine(AsyncEngine):
    """An engine whose connections stay open when it is let go; the next that is asked for alike is this one."""

    async def dispose(self, close: bool = True) -> None:
        """Keep everything."""


class Engines:
    """Makes the engines of the loop in which the suite runs; those of other loops are as they always are."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._kept: dict[str, KeptEngine] = {}

    def create(self, url: str, **options: Any) -> AsyncEngine:
        """Return an engine, as `create_async_engine` does."""
        if asyncio.get_running_loop() is not self._loop:
            return create_async_engine(url, **options)
        key = f"{url} {sorted(options.items(), key=str)}"
        engine = self._kept.get(key)
        if engine is None:
            # A plan that was made for empty tables must not outlive them.
            options["connect_args"]["server_settings"]["plan_cache_mode"] = "force_custom_plan"
            engine = self._kept[key] = KeptEngine(create_async_engine(url, **options).sync_engine)
        pool = engine.pool
        assert isinstance(pool, PatientPool)
        pool.waits = pool.exhausted = 0
        return engine

    async def close(self) -> None:
        """Let all go."""
        for engine in self._kept.values():
            await AsyncEngine.dispose(engine)


# Rows are deleted, without their triggers: to truncate forty tables with their indexes takes a quarter of a second. But
# an index of vectors keeps what is deleted until a vacuum, and finds less then.
_TABLES = """
SELECT format('%I', relname) AS name, EXISTS (
    SELECT FROM pg_index JOIN pg_class i ON i.oid = indexrelid JOIN pg_am m ON m.oid = i.relam
    WHERE indrelid = c.oid AND amname = 'hnsw') AS vectors
FROM pg_class c
WHERE relkind IN ('r', 'p') AND NOT relispartition AND relnamespace = 'public'::regnamespace
    AND relname <> 'alembic_version'
ORDER BY relname
"""


async def _connected(url: str) -> asyncpg.Connection:
    connection = await asyncpg.connect(url)
    await connection.execute("SET session_replication_role = replica; SET lock_timeout = '10s'")
    return connection


class Broom:
    """Empties the tables of a database and the keys of Redis databases."""

    def __init__(self, url: str, connection: asyncpg.Connection, clients: list[redis.asyncio.Redis]):
        self._url, self._connection, self._clients = url, connection, clients

    async def _look_round(self) -> None:
        rows = await self._connection.fetch(_TABLES)
        self._tables = {row["name"]: row["vectors"] for row in rows}
        self._looking = "SELECT " + ", ".join(f"EXISTS (SELECT FROM {name}) AS {name}" for name in self._tables)

    @classmethod
    async def over(cls, database_url: str, redis_urls: Iterable[str]) -> "Broom":
        """Connect."""
        clients = [redis.asyncio.Redis.from_url(url) for url in redis_urls]
        broom = cls(database_url, await _connected(database_url), clients)
        await broom._look_round()
        return broom

    async def sweep(self) -> None:
        """Leave no row and no key."""
        try:
            row = await self._connection.fetchrow(self._looking)
        except (asyncpg.InterfaceError, asyncpg.PostgresConnectionError, OSError):  # a test ended all connections
            self._connection = await _connected(self._url)
            row = await self._connection.fetchrow(self._looking)
        assert row is not None
        filled = [name for name in self._tables if row[name.strip('"')]]
        if filled:
            actions = (f"{'TRUNCATE' if self._tables[name] else 'DELETE FROM'} {name}" for name in filled)
            await self._connection.execute("; ".join(actions))  # one transaction
        for client in self._clients:
            await client.flushdb()

    async def close(self) -> None:
        """Disconnect."""
        await self._connection.close()
        for client in self._clients:
            await client.aclose()
