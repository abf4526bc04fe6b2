"""PostgreSQL: one pooled engine per process, a session that writes, a session that only reads."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, ClassVar

from sqlalchemy import MetaData
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, create_async_engine
from sqlalchemy.orm import DeclarativeBase
from sqlalchemy.pool import QueuePool

from service.errors import Unavailable
from service.settings import settings


class DatabaseClosed(Unavailable):
    """This process has no open database; `database.connect()` comes first."""


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


class Session(ReadSession):
    """A session inside a transaction; what is registered here happens around its commit."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.before_commit: list[Callable[[Session], Awaitable[None]]] = []
        self.after_commit: list[Callable[[], object]] = []


_engine: AsyncEngine | None = None
_reader: AsyncEngine | None = None


def dsn(url: str) -> str:
    """Return a `postgresql://` address with the driver that we use."""
    scheme, _, rest = url.partition("://")
    return f"postgresql+asyncpg://{rest}" if scheme in ("postgres", "postgresql", "postgresql+asyncpg") else url


async def connect(application_name: str, size: int | None = None, overflow: int | None = None) -> None:
    """Open this process's engine; `size` and `overflow` are those of the web process unless given."""
    global _engine, _reader
    configuration = settings()
    if configuration.database_url is None:
        raise DatabaseClosed("PHAROS_DATABASE_URL is not set; `make up` sets it for the processes that it starts.")
    _engine = create_async_engine(
        dsn(configuration.database_url),
        pool_size=size or configuration.pool_size,
        max_overflow=configuration.pool_overflow if overflow is None else overflow,
        pool_recycle=configuration.pool_recycle,
        pool_pre_ping=True,
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
    _reader = _engine.execution_options(isolation_level="AUTOCOMMIT")


async def disconnect() -> None:
    """Close every connection of this process."""
    global _engine, _reader
    if _engine is not None:
        await _engine.dispose()
    _engine = _reader = None


def engine() -> AsyncEngine:
    """Return this process's engine, for DDL and listeners; slices use `transaction()` and `reading()`."""
    if _engine is None:
        raise DatabaseClosed
    return _engine


@asynccontextmanager
async def transaction() -> AsyncIterator[Session]:
    """Open the one transaction of a request or a task: commits at the end, rolls back on an exception."""
    async with Session(engine(), expire_on_commit=False) as session:
        async with session.begin():
            yield session
            for prepare in session.before_commit:
                await prepare(session)
        for follow_up in session.after_commit:
            follow_up()


@asynccontextmanager
async def reading() -> AsyncIterator[ReadSession]:
    """Open a session that only reads; each statement sees what is committed when it starts."""
    if _reader is None:
        raise DatabaseClosed
    async with ReadSession(_reader, expire_on_commit=False, autoflush=False) as session:
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
