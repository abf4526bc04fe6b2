"""From the database and the storage into one file: all rows as they were at one moment, and the originals they name."""

import asyncio
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime
from graphlib import TopologicalSorter
from pathlib import Path

import asyncpg

from service import storage
from service.backups.archive import Head, Manifest, TableOf, Writer, writing
from service.errors import PharosError
from service.openapi import VERSION
from service.storage import FileGone

VERSION_TABLE = "alembic_version"  # said in the head

_TABLES = """
SELECT c.relname AS name, array_agg(a.attname::text ORDER BY a.attnum) AS columns
FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT attisdropped AND attgenerated = ''
WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace
GROUP BY c.relname"""
_REFERENCES = """
SELECT t.relname AS name, o.relname AS other
FROM pg_constraint k JOIN pg_class t ON t.oid = k.conrelid JOIN pg_class o ON o.oid = k.confrelid
WHERE contype = 'f' AND conrelid <> confrelid AND k.connamespace = 'public'::regnamespace"""
_SEQUENCES = """
SELECT sequencename AS name, last_value AS value FROM pg_sequences
WHERE schemaname = 'public' AND last_value IS NOT NULL"""
ORIGINALS = """
SELECT original FROM documents UNION SELECT original FROM ingestions WHERE original IS NOT NULL
UNION SELECT unnest(originals) FROM trash ORDER BY 1"""


class NothingThere(PharosError):
    """The database holds no Pharos: there is nothing to back up."""


@dataclass(frozen=True, slots=True)
class Taken:
    """What a backup holds; `missing` originals were not there."""

    rows: int
    originals: int
    missing: int
    size: int  # bytes


async def take(url: str, file: Path) -> Taken:
    """Write everything into `file`, which must not exist; Pharos may run meanwhile."""
    connection = await asyncpg.connect(url, server_settings={"application_name": "backup"})
    try:
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            if await connection.fetchval("SELECT to_regclass($1)", VERSION_TABLE) is None:
                raise NothingThere
            head = Head(
                format="pharos-backup",
                version=1,
                release=VERSION,
                revision=await connection.fetchval(f"SELECT version_num FROM {VERSION_TABLE}"),  # noqa: S608
                postgres=await connection.fetchval("SHOW server_version"),
                created_at=datetime.now(UTC),
            )
            with writing(file, head) as writer:
                manifest = await _write(connection, writer, file.parent)
    finally:
        await connection.close()
    rows = sum(table.rows for table in manifest.tables.values())
    size = await asyncio.to_thread(lambda: file.stat().st_size)
    return Taken(rows, manifest.originals, len(manifest.missing), size)


async def _write(connection: asyncpg.Connection, writer: Writer, folder: Path) -> Manifest:
    tables: dict[str, TableOf] = {}
    for name, columns in await ordered_tables(connection):
        with tempfile.TemporaryFile(dir=folder, prefix=".rows-") as rows:
            copied = await connection.copy_from_table(name, schema_name="public", columns=columns, output=rows)
            digest = await asyncio.to_thread(writer.table, name, rows)
        tables[name] = TableOf(columns=columns, rows=int(copied.split()[-1]), sha256=digest)
    sequences = {row["name"]: row["value"] for row in await connection.fetch(_SEQUENCES)}
    originals, missing = 0, list[str]()
    async for row in connection.cursor(ORIGINALS):
        try:
            with await storage.configured().open(row["original"]) as original:
                await asyncio.to_thread(writer.original, row["original"], original)
            originals += 1
        except FileGone:  # deleted meanwhile, or lost: `pharos check` knows
            missing.append(row["original"])
    manifest = Manifest(tables=tables, sequences=sequences, originals=originals, missing=missing)
    await asyncio.to_thread(writer.finish, manifest)
    return manifest


async def ordered_tables(connection: asyncpg.Connection) -> list[tuple[str, list[str]]]:
    """Return every table with its columns, each after those that it refers to."""
    tables = {row["name"]: row["columns"] for row in await connection.fetch(_TABLES) if row["name"] != VERSION_TABLE}
    order: TopologicalSorter[str] = TopologicalSorter({name: () for name in sorted(tables)})
    for row in await connection.fetch(_REFERENCES):
        order.add(row["name"], row["other"])
    return [(name, tables[name]) for name in order.static_order()]
