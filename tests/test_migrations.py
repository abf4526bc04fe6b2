"""The schema that the migrations make is the one that the code declares."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import create_async_engine

from service.database import dsn
from service.migrations import configuration, metadata, migrate

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
    assert version == ScriptDirectory.from_config(configuration()).get_current_head()


async def test_a_dead_letter_of_before_keeps_its_positional_arguments(
    new_database: Callable[[], Awaitable[str]],
) -> None:
    url = await new_database()
    engine = create_async_engine(dsn(url))
    letters = text("SELECT * FROM dead_letters ORDER BY task_id")

    async def to(revision: str) -> list[dict[str, Any]]:
        def move(sync: Connection) -> None:
            step = command.downgrade if revision == "0001" else command.upgrade
            step(configuration(sync), revision)

        async with engine.begin() as connection:
            await connection.run_sync(move)
        async with engine.connect() as connection:
            return [dict(row) for row in (await connection.execute(letters)).mappings()]

    await to("0001")
    async with engine.begin() as connection:
        arguments = {"a": '{"args": [1, "x"], "n": 7}', "b": '{"args": "a name", "n": 7}', "c": '{"args": []}'}
        for task_id, given in arguments.items():
            insert = text(
                "INSERT INTO dead_letters (id, task_id, name, queue, arguments, exception, attempts, reason) "
                "VALUES (gen_random_uuid(), :task_id, 'guest', 'x', CAST(:given AS jsonb), 'OSError', 1, 'poison')"
            )
            await connection.execute(insert, {"task_id": task_id, "given": given})
    old = await to("0001")
    assert [(row["arguments"], row["positional"], row["options"]) for row in await to("0002")] == [
        ({"n": 7}, [1, "x"], {}),
        ({"args": "a name", "n": 7}, [], {}),
        ({}, [], {}),
    ]
    old[2]["arguments"] = {}  # an empty list says nothing
    assert await to("0001") == old
    await engine.dispose()
