"""The schema's history (alembic), run by `migrate()`; several processes may call it at once."""

from importlib import import_module
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, MetaData, text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

import service
from service.database import Base, dsn
from service.migrations.roles import grant

KERNEL = ("event_log", "outbox", "idempotency")  # modules that declare tables and are no slice


def metadata() -> MetaData:
    """Return all tables: the kernel's, and those of every `service/<slice>/tables.py`."""
    slices = [f"{path.parent.name}.tables" for path in sorted(Path(service.__path__[0]).glob("*/tables.py"))]
    for name in (*KERNEL, *slices):
        import_module(f"service.{name}")
    return Base.metadata


def configuration(connection: Connection | None = None) -> Config:
    """Return alembic's configuration; its `env.py` uses the connection that is handed over here."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    config.attributes["connection"] = connection
    return config


async def migrate(url: str, worker_url: str | None = None) -> None:
    """Bring a database to the newest schema; the role of `worker_url` may use it as a worker does."""
    engine = create_async_engine(dsn(url), poolclass=NullPool)
    try:
        async with engine.begin() as connection:
            await connection.execute(text("SELECT pg_advisory_xact_lock(7262010)"))
            await connection.run_sync(_upgrade)
            if worker_url is not None:
                await connection.run_sync(grant, worker_url)
    finally:
        await engine.dispose()


def _upgrade(connection: Connection) -> None:
    """Run what is missing; where nothing is, the tables need not be imported, and the start is quicker."""
    found = MigrationContext.configure(connection).get_current_heads()
    if set(found) != set(ScriptDirectory.from_config(configuration()).get_heads()):
        command.upgrade(configuration(connection), "head")
