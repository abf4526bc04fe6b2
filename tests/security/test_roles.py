"""The workers' database role: what is derived is theirs, who gets in is not."""

from collections.abc import AsyncIterator, Awaitable, Callable
from uuid import uuid4

import asyncpg
import pytest
from sqlalchemy.engine import make_url

from service.migrations import migrate
from service.migrations.roles import NoSuchRole

pytestmark = pytest.mark.integration


@pytest.fixture
async def urls(new_database: Callable[[], Awaitable[str]]) -> AsyncIterator[tuple[str, str]]:
    """A database, and its address for a worker."""
    owner = await new_database()
    role = f"worker_{uuid4().hex[:8]}"
    worker = make_url(owner).set(username=role, password='it\'s a "secret"').render_as_string(hide_password=False)
    await migrate(owner, worker)
    yield owner, worker
    connection = await asyncpg.connect(owner)
    await connection.execute(f"DROP OWNED BY {role}; DROP ROLE {role}")
    await connection.close()


@pytest.fixture
async def worker(urls: tuple[str, str]) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(urls[1])
    yield connection
    await connection.close()


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT password_hash FROM users",
        "SELECT * FROM users",
        "UPDATE users SET role = 'admin'",
        "DELETE FROM users",
        "SELECT digest FROM tokens",
        "INSERT INTO tokens DEFAULT VALUES",
        "SELECT * FROM sessions",
        "SELECT * FROM login_links",
        "SELECT * FROM invitations",
        "SELECT * FROM feed_links",
        "SELECT * FROM audit_log",
        "DELETE FROM audit_log",
        "UPDATE alembic_version SET version_num = 'x'",
        "CREATE TABLE mine (id int)",
        "DROP TABLE resources",
        "ALTER TABLE users DISABLE TRIGGER ALL",
        "CREATE ROLE another SUPERUSER",
        "COPY (SELECT 1) TO PROGRAM 'true'",
        "SELECT pg_read_file('/etc/passwd')",
        "SET ROLE pharos",
    ],
)
async def test_a_worker_cannot(worker: asyncpg.Connection, statement: str) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await worker.execute(statement)


async def test_a_worker_reads_and_writes_everything_else(worker: asyncpg.Connection) -> None:
    tables = {
        row["tablename"] for row in await worker.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    }
    secret = {"users", "tokens", "sessions", "login_links", "invitations", "feed_links", "audit_log"}
    theirs = tables - secret - {"alembic_version"}
    assert {"resources", "embeddings", "outbox", "events"} < theirs
    for table in theirs:
        for right in ("SELECT", "INSERT", "UPDATE", "DELETE"):
            assert await worker.fetchval("SELECT has_table_privilege($1, $2)", table, right), (table, right)
    await worker.fetch("SELECT id, username, role, disabled_at FROM users")


async def test_the_password_follows_its_setting(urls: tuple[str, str]) -> None:
    owner, worker = urls
    other = make_url(worker).set(password="another").render_as_string(hide_password=False)
    await migrate(owner, other)
    with pytest.raises(asyncpg.InvalidPasswordError):
        await asyncpg.connect(worker)
    await (await asyncpg.connect(other)).close()


async def test_who_may_not_make_roles_is_told_what_to_do(urls: tuple[str, str]) -> None:
    owner, worker = urls
    connection = await asyncpg.connect(owner)
    poor = f"poor_{uuid4().hex[:8]}"
    await connection.execute(f"CREATE ROLE {poor} LOGIN PASSWORD 'x'; GRANT ALL ON SCHEMA public TO {poor}")
    await connection.execute(f"GRANT ALL ON ALL TABLES IN SCHEMA public TO {poor}")
    url = make_url(owner).set(username=poor, password="x").render_as_string(hide_password=False)
    missing = make_url(worker).set(username="nobody_made_it").render_as_string(hide_password=False)
    with pytest.raises(NoSuchRole, match="CREATE ROLE nobody_made_it"):
        await migrate(url, missing)
    await connection.execute(f"DROP OWNED BY {poor}; DROP ROLE {poor}")
    await connection.close()
