"""PostgreSQL: one pooled engine per process, a session that writes, a session that only reads.

SQLAlchemy runs in autocommit, and asyncpg opens the transactions. Thus a hot path can go past SQLAlchemy inside the
transaction of its session (`Session.fetch`): a statement costs a quarter of the processor time then.
"""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import asdict, dataclass
from inspect import isawaitable
from time import perf_counter
from typing import Any, ClassVar

import asyncpg
import structlog
from sqlalchemy import ClauseElement, Connection, MetaData, event, text
from sqlalchemy.dialects.postgresql.asyncpg import dialect
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, AsyncSession, create_async_engine
from sqlalchemy.orm import DeclarativeBase

from service.errors import Unavailable
from service.pool import PatientPool, watch
from service.settings import settings
from service.slow import SlowQueries

log = structlog.get_logger(__name__)

REPORTED = 60.0  # seconds between two lines about the pool in the log


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
        return await _fetch(self._driver, statement, values)


_DIALECT = dialect()
_engine: AsyncEngine | None = None
_WAIT = 4.0  # seconds for a connection; the answer that there is none comes within five
_PREPARED = 200  # statements that a connection keeps prepared; PostgreSQL keeps some ten kilobytes for each


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
        pool_timeout=_WAIT,
        connect_args={
            "timeout": 5,
            "statement_cache_size": _PREPARED,  # of `fetch`
            "prepared_statement_cache_size": _PREPARED,  # of the ORM
            "server_settings": {
                "application_name": f"pharos {application_name}",
                "jit": "off",
                "hnsw.iterative_scan": "strict_order",  # a filter must not eat the neighbours
            },
        },
    )
    watch(_engine.sync_engine.pool)
    event.listen(_engine.sync_engine, "before_cursor_execute", _begins)
    event.listen(_engine.sync_engine, "after_cursor_execute", _ends)


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
    """Keep this process's engine open for the block, and log once a minute how much of it is in use."""
    await connect(application_name, size, overflow)
    reporting = asyncio.create_task(_report(application_name), name="pool statistics")
    try:
        yield
    finally:
        reporting.cancel()
        await asyncio.gather(reporting, return_exceptions=True)
        await slow.stop()
        await disconnect()


async def _report(process: str) -> None:
    while True:
        await asyncio.sleep(REPORTED)
        log.info("the pool", process=process, **asdict(pool_status()))


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
        return await _fetch(driver, statement, values)


async def _fetch(driver: asyncpg.Connection, statement: Statement, values: dict[str, Any]) -> list[asyncpg.Record]:
    began = perf_counter()
    rows = await driver.fetch(statement.sql, *statement.positional(values))
    slow.note(statement.sql, perf_counter() - began)
    return rows


def _begins(connection: Connection, *_: object) -> None:
    connection.info["began"] = perf_counter()


def _ends(connection: Connection, cursor: object, statement: str, *_: object) -> None:
    slow.note(statement, perf_counter() - connection.info["began"])


async def _explain(sql: str) -> list[dict[str, Any]]:
    """Return the plan of a statement for whatever values."""
    async with _connected() as (_, driver):
        prepared = await driver.prepare(f"EXPLAIN (GENERIC_PLAN, VERBOSE, FORMAT JSON) {sql}")
        return await prepared.fetchval(*[None] * len(prepared.get_parameters()))


slow = SlowQueries(_explain)


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
    """Connections of this process: kept (`size`), in use, idle, and the most there may be.

    `waits` counts since the start who waited in vain for a kept one, `exhausted` who got none at all.
    """

    size: int
    checked_in: int
    checked_out: int
    overflow: int
    total: int
    max_connections: int
    utilization_percent: float
    waits: int
    exhausted: int


def pool_status() -> PoolStatus:
    """Return how much of the pool is in use now."""
    pool = engine().pool
    assert isinstance(pool, PatientPool)
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
        waits=pool.waits,
        exhausted=pool.exhausted,
    )
