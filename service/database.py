"""PostgreSQL: one pooled engine per process, a session that writes, a session that only reads.

SQLAlchemy runs in autocommit, and asyncpg opens the transactions. Thus a hot path can go past SQLAlchemy inside the
transaction of its session (`Session.fetch`): a statement costs a quarter of the processor time then.
"""

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from inspect import isawaitable
from typing import Any, ClassVar

import asyncpg
from sqlalchemy import ClauseElement, MetaData, text
from sqlalchemy.dialects.postgresql.asyncpg import dialect
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, AsyncSession, create_async_engine
from sqlalchemy.orm import DeclarativeBase
from sqlalchemy.pool import QueuePool

from service.errors import Unavailable
from service.pool import PatientPool, watch
from service.settings import settings


class DatabaseClosed(Unavailable):
    """This process has no open database; `database.connect()` comes first."""


class DatabaseAway(Unavailable):
    """PostgreSQL went away: {reason}. Nothing was changed; try again in a moment."""


_AWAY = (
    asyncpg.PostgresConnectionError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.InternalClientError,  # the server said farewell, the socket still is open
    asyncpg.InterfaceError,  # also a mistake of ours, unless the connection is closed
)


class Base(DeclarativeBase):
    """The base of every table."""

    metadata: ClassVar[MetaData] = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


class ReadSession(AsyncSession):
    """A session that sees committed rows, statement by statement, and has no duties."""


class Statement:
    """SQL, or a Core statement, compiled once, for `fetch`; its parameters are named by `:name` or `bindparam`."""

    def __init__(self, statement: ClauseElement | str) -> None:
        clause = text(statement) if isinstance(statement, str) else statement
        compiled = clause.compile(dialect=_DIALECT)
        self.sql = str(compiled)
        self.names: tuple[str, ...] = tuple(getattr(compiled, "positiontup", None) or ())

    def positional(self, values: dict[str, Any]) -> list[Any]:
        """Return the values in the order of the placeholders; KeyError for one that is missing."""
        return [values[name] for name in self.names]


class Session(ReadSession):
    """A session inside a transaction; what is registered here happens around its commit."""

    def __init__(self, connection: AsyncConnection, driver: asyncpg.Connection) -> None:
        super().__init__(connection, expire_on_commit=False)
        self._driver = driver
        self.before_commit: list[Callable[[Session], Awaitable[None]]] = []
        self.after_commit: list[Callable[[], object]] = []

    async def fetch(self, statement: Statement, **values: Any) -> list[asyncpg.Record]:
        """Run a statement on the driver and return its rows; what the ORM still holds back is not flushed before."""
        return await self._driver.fetch(statement.sql, *statement.positional(values))


_DIALECT = dialect()
_engine: AsyncEngine | None = None


def dsn(url: str) -> str:
    """Return a `postgresql://` address with the driver that we use."""
    scheme, _, rest = url.partition("://")
    return f"postgresql+asyncpg://{rest}" if scheme in ("postgres", "postgresql", "postgresql+asyncpg") else url


async def connect(application_name: str, size: int | None = None, overflow: int | None = None) -> None:
    """Open this process's engine; `size` and `overflow` are those of the web process unless given."""
    global _engine
    configuration = settings()
    if configuration.database_url is None:
        raise DatabaseClosed("PHAROS_DATABASE_URL is not set; `make up` sets it for the processes that it starts.")
    _engine = create_async_engine(
        dsn(configuration.database_url),
        isolation_level="AUTOCOMMIT",
        poolclass=PatientPool,
        pool_size=size or configuration.pool_size,
        max_overflow=configuration.pool_overflow if overflow is None else overflow,
        pool_recycle=configuration.pool_recycle,
        pool_timeout=5,
        connect_args={
            "timeout": 5,
            "server_settings": {
                "application_name": f"pharos {application_name}",
                "jit": "off",
                "hnsw.iterative_scan": "strict_order",  # a filter must not eat the neighbours
            },
        },
    )
    watch(_engine.sync_engine.pool)


async def disconnect() -> None:
    """Close every connection of this process."""
    global _engine
    if _engine is not None:
        await _engine.dispose()
    _engine = None


@asynccontextmanager
async def connected(
    application_name: str, size: int | None = None, overflow: int | None = None
) -> AsyncGenerator[None]:
    """Keep this process's engine open for the block."""
    await connect(application_name, size, overflow)
    try:
        yield
    finally:
        await disconnect()


def engine() -> AsyncEngine:
    """Return this process's engine, for DDL and listeners; slices use `transaction()` and `reading()`."""
    if _engine is None:
        raise DatabaseClosed
    return _engine


@asynccontextmanager
async def transaction() -> AsyncGenerator[Session]:
    """Open the one transaction of a request or a task: commits at the end, rolls back on an exception."""
    async with _connected() as (connection, driver):
        await driver.execute("BEGIN")
        session = Session(connection, driver)
        try:
            yield session
            for prepare in session.before_commit:
                await prepare(session)
            if session.in_transaction():  # as SQLAlchemy sees it: the session was used, it may have to flush
                await session.commit()
        except BaseException:
            with suppress(*_AWAY):  # then PostgreSQL has rolled back
                await driver.execute("ROLLBACK")
            raise
        finally:
            if session.in_transaction():
                await session.close()
        await driver.execute("COMMIT")
    for follow_up in session.after_commit:
        followed = follow_up()
        if isawaitable(followed):
            await followed


async def fetch(statement: Statement, **values: Any) -> list[asyncpg.Record]:
    """Run one statement, a transaction by itself, on the driver, and return its rows."""
    async with _connected() as (_, driver):
        return await driver.fetch(statement.sql, *statement.positional(values))


@asynccontextmanager
async def _connected() -> AsyncGenerator[tuple[AsyncConnection, asyncpg.Connection]]:
    """Lend a connection, as SQLAlchemy and as asyncpg know it; DatabaseAway where asyncpg loses it."""
    connection = await engine().connect()
    try:
        driver = (await connection.get_raw_connection()).driver_connection
        assert isinstance(driver, asyncpg.Connection)
        try:
            yield connection, driver
        except _AWAY as error:
            if isinstance(error, asyncpg.InterfaceError) and not driver.is_closed():
                raise
            driver.terminate()  # the pool replaces what is closed
            raise DatabaseAway(reason=str(error)) from error
    finally:
        await connection.close()  # gives it back to the pool, which waits for nothing


@asynccontextmanager
async def reading() -> AsyncGenerator[ReadSession]:
    """Open a session that only reads; each statement sees what is committed when it starts."""
    async with ReadSession(engine(), expire_on_commit=False, autoflush=False) as session:
        yield session


@dataclass(frozen=True, slots=True)
class PoolStatus:
    """Connections of this process: kept (`size`), in use, idle, and the most there may be."""

    size: int
    checked_in: int
    checked_out: int
    overflow: int
    total: int
    max_connections: int
    utilization_percent: float


def pool_status() -> PoolStatus:
    """Return how much of the pool is in use now."""
    pool = engine().pool
    assert isinstance(pool, QueuePool)
    most = pool.size() + max(pool._max_overflow, 0)  # pyright: ignore[reportPrivateUsage]
    out = pool.checkedout()
    return PoolStatus(
        size=pool.size(),
        checked_in=pool.checkedin(),
        checked_out=out,
        overflow=max(pool.overflow(), 0),
        total=out + pool.checkedin(),
        max_connections=most,
        utilization_percent=round(100 * out / most, 1),
    )
