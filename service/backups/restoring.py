"""Back from a backup: into an empty Pharos, in one transaction; what fails leaves nothing behind.

The schema is made by our own migrations, up to that of the backup; then its rows come in, and the later migrations
carry them on.
"""

import asyncio
import shutil
import tempfile
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import unquote, urlsplit, urlunsplit

import asyncpg
from alembic import command
from alembic.script import ScriptDirectory
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine
from sqlalchemy.pool import NullPool

from service import storage
from service.backups.archive import Damaged, Head, Manifest, Member, members, verify
from service.database import dsn
from service.errors import PharosError
from service.migrations import configuration

# What a Pharos has that was only started.
OF_A_START = frozenset(
    "alembic_version audit_log backups categories events idempotency_keys login_links outbox sessions taxonomy_state"
    " tokens users".split()
)
_OTHERS = (
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE 'pharos %'"
)
_INDEXES = """
SELECT i.relname AS name, pg_get_indexdef(i.oid) AS made_by
FROM pg_index x JOIN pg_class i ON i.oid = indexrelid
WHERE i.relnamespace = 'public'::regnamespace AND NOT indisunique"""


class NotEmpty(PharosError):
    """This Pharos is not empty: {found}. A backup goes into an empty one; with --force it goes into a new database,
    which takes the place of this one, and this one is kept under another name."""


class StillRunning(PharosError):
    """Pharos is running on this database ({count} connections). Stop it first: `make down`."""


class OfALaterRelease(PharosError):
    """The backup was made by Pharos {release}, whose schema {revision} this release does not know. Restore it with that
    release, or a later one."""


@dataclass(frozen=True, slots=True)
class Restored:
    """What came back; `before` is the database that held what was there, where there was something."""

    head: Head
    rows: int
    originals: int
    missing: int
    before: str | None = None


async def restore(url: str, file: Path, *, force: bool = False) -> Restored:
    """Restore a backup.

    Raises NotABackup, Damaged, OfALaterRelease, NotEmpty, StillRunning, and then everything is as it was.
    """
    head, manifest = await asyncio.to_thread(verify, file)
    known = {script.revision for script in ScriptDirectory.from_config(configuration()).walk_revisions()}
    if head.revision not in known:
        raise OfALaterRelease(release=head.release, revision=head.revision)
    found = await _found(url)
    if found is not None and not force:
        raise NotEmpty(found=found)
    before = None
    if found is None:
        await _into(url, file, head, manifest)
    else:
        before = await _beside(url, lambda fresh: _into(fresh, file, head, manifest))
    await _analyze(url)
    rows = sum(table.rows for table in manifest.tables.values())
    return Restored(head, rows, manifest.originals, len(manifest.missing), before)


async def _found(url: str) -> str | None:
    """Say what a database holds besides what a first start makes; raises StillRunning."""
    connection = await asyncpg.connect(url, server_settings={"application_name": "restore"})
    try:
        if count := await connection.fetchval(_OTHERS):
            raise StillRunning(count=count)
        names = [
            row["tablename"]
            for row in await connection.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        ]
        for name in sorted(names):
            rows = await connection.fetchval(f'SELECT count(*) FROM (SELECT FROM "{name}" LIMIT 1000) AS rows')  # noqa: S608
            if name == "users" and rows > 1:
                return f"it has {rows} accounts"
            if name not in OF_A_START and rows:
                return f"it has rows in {name}"
        return None
    finally:
        await connection.close()


async def _beside(url: str, fill: Callable[[str], Awaitable[None]]) -> str:
    """Fill a new database, and have it change names with the present one; returns what that is called now."""
    parts = urlsplit(url)
    name = unquote(parts.path.lstrip("/"))
    stamp = datetime.now(UTC).strftime("%Y%m%d_%H%M%S")
    fresh, before = f"{name}_restored_{stamp}", f"{name}_before_{stamp}"
    connection = await asyncpg.connect(urlunsplit(parts._replace(path="/postgres")))
    try:
        await connection.execute(f'CREATE DATABASE "{fresh}"')
        try:
            await fill(urlunsplit(parts._replace(path=f"/{fresh}")))
            async with connection.transaction():
                await connection.execute(f'ALTER DATABASE "{name}" RENAME TO "{before}"')
                await connection.execute(f'ALTER DATABASE "{fresh}" RENAME TO "{name}"')
        except BaseException:
            await connection.execute(f'DROP DATABASE IF EXISTS "{fresh}" WITH (FORCE)')
            raise
    finally:
        await connection.close()
    return before


async def _into(url: str, file: Path, head: Head, manifest: Manifest) -> None:
    engine = create_async_engine(dsn(url), poolclass=NullPool)
    added: list[str] = []
    try:
        async with engine.begin() as connection:
            await connection.execute(text("SELECT pg_advisory_xact_lock(7262010)"))
            driver = (await connection.get_raw_connection()).driver_connection
            assert isinstance(driver, asyncpg.Connection)
            await _clear(driver)
            await connection.run_sync(lambda sync: command.upgrade(configuration(sync), head.revision))
            async with _without_indexes(driver):
                await _fill(driver, file, manifest, added)
            await _verify(driver, file, manifest)
            await _upgrade(connection)
    except BaseException:
        for key in added:
            await storage.delete(key)
        raise
    finally:
        await engine.dispose()


async def _clear(driver: asyncpg.Connection) -> None:
    """Take away the tables of a Pharos that is empty."""
    for row in await driver.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'"):
        await driver.execute(f'DROP TABLE "{row["tablename"]}" CASCADE')
    for row in await driver.fetch("SELECT sequencename FROM pg_sequences WHERE schemaname = 'public'"):
        await driver.execute(f'DROP SEQUENCE "{row["sequencename"]}"')


@asynccontextmanager
async def _without_indexes(driver: asyncpg.Connection) -> AsyncGenerator[None]:
    """Build the indexes once all rows are there: one of vectors takes many times as long row by row."""
    indexes = await driver.fetch(_INDEXES)
    for index in indexes:
        await driver.execute(f'DROP INDEX "{index["name"]}"')
    yield
    for index in indexes:
        await driver.execute(index["made_by"])


async def _fill(driver: asyncpg.Connection, file: Path, manifest: Manifest, added: list[str]) -> None:
    known = {
        row["tablename"] for row in await driver.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    }
    if strange := sorted(manifest.tables.keys() - known):
        raise Damaged(file=file, reason=f"it has a table {strange[0]}, which its schema does not")
    await driver.execute(f"TRUNCATE {', '.join(sorted(known - {'alembic_version'}))}")
    archived = members(file)
    while (member := await asyncio.to_thread(next, archived, None)) is not None:
        if member.kind == "original":
            await _keep(member, added)
            continue
        try:
            columns = manifest.tables[member.name].columns
            await driver.copy_to_table(member.name, schema_name="public", columns=columns, source=member.file)
        except asyncpg.PostgresError as error:
            raise Damaged(file=file, reason=f"PostgreSQL refuses its rows of {member.name}: {error}") from error
    for name, value in manifest.sequences.items():
        if await driver.fetchval("SELECT to_regclass($1)", f'public."{name}"') is not None:
            await driver.execute("SELECT setval($1, $2)", f'public."{name}"', value)


async def _keep(member: Member, added: list[str]) -> None:
    if not await storage.exists(member.name):
        added.append(member.name)
        with tempfile.TemporaryFile() as copy:  # a member can be read once, and is hashed before it is sent
            await asyncio.to_thread(shutil.copyfileobj, member.file, copy)
            await storage.keep(copy)


async def _verify(driver: asyncpg.Connection, file: Path, manifest: Manifest) -> None:
    for name, table in manifest.tables.items():
        count = await driver.fetchval(f'SELECT count(*) FROM "{name}"')  # noqa: S608
        if count != table.rows:
            raise Damaged(file=file, reason=f"{count} of {table.rows} rows of {name} came back")


async def _upgrade(connection: AsyncConnection) -> None:
    await connection.run_sync(lambda sync: command.upgrade(configuration(sync), "head"))


async def _analyze(url: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute("ANALYZE")
    finally:
        await connection.close()
