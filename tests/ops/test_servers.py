"""The servers of the suite: they are ours, private, and each test finds them empty."""

import os

import asyncpg
import pytest
import redis.asyncio
from redis.exceptions import AuthenticationError
from sqlalchemy import text

from service.database import reading, transaction
from service.settings import Settings

pytestmark = pytest.mark.integration


@pytest.mark.parametrize("turn", ["fills", "finds nothing"])
async def test_each_test_starts_empty(pharos: Settings, turn: str) -> None:
    async with reading() as session:
        assert await session.scalar(text("SELECT count(*) FROM outbox")) == 0
    async with transaction() as session:
        await session.execute(
            text("""INSERT INTO outbox (id, name, version, data, priority, bulk, timestamp, correlation_id)
            VALUES (gen_random_uuid(), 'x', 1, '{}', 1, false, now(), 'c')""")
        )
    for url in (pharos.broker_url, pharos.cache_url):
        async with redis.asyncio.Redis.from_url(str(url)) as client:
            assert await client.dbsize() == 0
            await client.set("left by", turn)


async def test_extensions_are_there(database_url: str) -> None:
    connection = await asyncpg.connect(database_url)
    try:
        names = {row["extname"] for row in await connection.fetch("SELECT extname FROM pg_extension")}
        assert names >= {"vector", "pg_trgm", "unaccent"}
        assert await connection.fetchval("SELECT '[1,2]'::vector <=> '[2,1]'::vector") == pytest.approx(0.2)
    finally:
        await connection.close()


@pytest.mark.skipif("PHAROS_TEST_DATABASE_URL" in os.environ, reason="concerns our own servers")
async def test_a_password_is_needed(database_url: str, broker_url: str) -> None:
    user_and_password, _, place = database_url.removeprefix("postgresql://").rpartition("@")
    user = user_and_password.partition(":")[0]
    with pytest.raises(asyncpg.InvalidPasswordError):
        await asyncpg.connect(f"postgresql://{user}:guess@{place}")
    async with redis.asyncio.Redis.from_url("redis://" + broker_url.rpartition("@")[2]) as stranger:
        with pytest.raises(AuthenticationError):
            await stranger.get("anything")
