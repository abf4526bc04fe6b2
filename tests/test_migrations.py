"""The schema that the migrations make is the one that the code declares."""

from collections.abc import Awaitable, Callable

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import create_async_engine

from service.database import dsn
from service.migrations import metadata, migrate

pytestmark = pytest.mark.integration


@pytest.mark.filterwarnings("ignore:Did not recognize type")  # halfvec and vector, which pgvector adds
async def test_migrations_and_tables_say_the_same(new_database: Callable[[], Awaitable[str]]) -> None:
    def differences(connection: Connection) -> list[object]:
        return compare_metadata(MigrationContext.configure(connection, opts={"compare_type": True}), metadata())

    engine = create_async_engine(dsn(await new_database()))
    async with engine.connect() as connection:
        assert await connection.run_sync(differences) == []
    await engine.dispose()


async def test_migrating_again_changes_nothing(new_database: Callable[[], Awaitable[str]]) -> None:
    url = await new_database()
    await migrate(url)
    engine = create_async_engine(dsn(url))
    async with engine.connect() as connection:
        version = await connection.run_sync(lambda sync: MigrationContext.configure(sync).get_current_revision())
    await engine.dispose()
    assert version == "0003"
