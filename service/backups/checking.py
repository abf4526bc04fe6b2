"""What does not fit together: rows that refer to nothing, originals, counters, and what is derived."""

import asyncio
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import text

from service import storage
from service.backups.taking import ORIGINALS
from service.database import Session, reading, transaction
from service.documents.cleaning import UNUSED, drop_unused, unused
from service.search import counting
from service.storage import FileGone
from service.sweeps import sweep

SHOWN = 5  # examples of each
LOST = "Restore it from a backup, or delete the resource and add it again."

_REFERENCES = text(
    """SELECT quote_ident(t.relname) AS holder, quote_ident(o.relname) AS other, t.relname AS name, o.relname AS target,
        confdeltype = 'n' AS kept,
        array_agg(quote_ident(a.attname) ORDER BY n) AS columns, array_agg(quote_ident(b.attname) ORDER BY n) AS keys
    FROM pg_constraint k JOIN pg_class t ON t.oid = k.conrelid JOIN pg_class o ON o.oid = k.confrelid,
        unnest(conkey, confkey) WITH ORDINALITY AS pairs (mine, theirs, n)
        JOIN pg_attribute a ON true JOIN pg_attribute b ON true
    WHERE contype = 'f' AND k.connamespace = 'public'::regnamespace
        AND a.attrelid = k.conrelid AND a.attnum = mine AND b.attrelid = k.confrelid AND b.attnum = theirs
    GROUP BY k.oid, t.relname, o.relname, confdeltype ORDER BY t.relname, o.relname"""
)
DERIVED = {
    "ingestions": "pages and files whose reading stopped half-way",
    "documents": "documents whose passages are not those of their text",
    "indexed": "resources that are not indexed as they are",
    "embedded": "resources without the meaning of their present text",
    "quality": "resources without the quality of their present state",
    "annotated": "resources whose annotations stand at another text",
    "cited": "resources whose citations were not read from their present text",
    "citations": "citations that were not looked up again",
    "ranks": "ranks of the citation graph that are out of date",
    "authors": "resources whose authors were not matched",
    "profiles": "reading profiles that are behind",
    "notifications": "notifications that were not made",
    "categories": "categories whose meaning is out of date",
    "quizzes": "quizzes that are not made to their end",
    "classified": "resources that were not classified as they are",
    "collections": "collections whose common meaning is out of date",
}


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that does not fit: how often, in words, examples; and what a repair does, or did, or who has to act."""

    kind: str
    count: int
    words: str
    examples: Sequence[str]
    repair: str | None  # None: nothing here can repair it
    repaired: bool


async def check(*, repair: bool = False) -> list[Finding]:
    """Look at everything, and return what does not fit; with `repair` set right what can be."""
    return [
        *await _references(repair),
        *await _originals(),
        *await _orphans(repair),
        *await _counters(repair),
        *await _derived(repair),
    ]


async def _references(repair: bool) -> list[Finding]:
    """PostgreSQL keeps these by itself; a damaged disk, or rows that were written past it, do not."""
    found: list[Finding] = []
    async with transaction() as session:
        for row in (await session.execute(_REFERENCES)).all():
            count = await _dangling(session, row, repair)
            if count:
                what = "lose that reference" if row.kept else "are deleted"
                words = f"{count:,} rows of {row.name} refer to rows of {row.target} that are not there"
                found.append(Finding("references", count, words, [], f"These rows {what}.", repair))
    return found


async def _dangling(session: Session, row: object, repair: bool) -> int:
    holder, other, columns, keys, kept = (getattr(row, name) for name in ("holder", "other", "columns", "keys", "kept"))
    pairs = " AND ".join(f"h.{column} = o.{key}" for column, key in zip(columns, keys, strict=True))
    filled = " AND ".join(f"h.{column} IS NOT NULL" for column in columns)
    where = f"WHERE {filled} AND NOT EXISTS (SELECT FROM {other} o WHERE {pairs})"
    if not repair:
        return await session.scalar(text(f"SELECT count(*) FROM {holder} h {where}")) or 0  # noqa: S608
    empty = ", ".join(f"{column} = NULL" for column in columns)
    change = f"UPDATE {holder} h SET {empty} {where}" if kept else f"DELETE FROM {holder} h {where}"  # noqa: S608
    return await session.scalar(text(f"WITH c AS ({change} RETURNING 1) SELECT count(*) FROM c")) or 0  # noqa: S608


async def _originals() -> list[Finding]:
    async with reading() as session:
        keys = (await session.scalars(text(ORIGINALS))).all()
    missing: list[str] = []
    other: list[str] = []
    for key in keys:
        try:
            with await storage.configured().open(key) as file:
                digest = await asyncio.to_thread(hashlib.file_digest, file, "sha256")  # pyright: ignore[reportArgumentType]
        except FileGone:
            missing.append(key)
            continue
        if digest.hexdigest() != key:
            other.append(key)
    found: list[Finding] = []
    if missing:
        words = f"{len(missing):,} originals are missing. {LOST}"
        found.append(Finding("originals missing", len(missing), words, missing[:SHOWN], None, repaired=False))
    if other:
        words = f"{len(other):,} originals have other bytes than they came with. {LOST}"
        found.append(Finding("originals changed", len(other), words, other[:SHOWN], None, repaired=False))
    return found


async def _orphans(repair: bool) -> list[Finding]:
    keys = await unused()
    if not keys:
        return []
    if repair:
        await drop_unused()
    words = f"{len(keys):,} originals are stored that nothing refers to, for more than {UNUSED / 3600:g} hours"
    return [Finding("originals unused", len(keys), words, keys[:SHOWN], "They are deleted.", repair)]


async def _counters(repair: bool) -> list[Finding]:
    async with transaction() as session:
        count = await (counting.recount(session) if repair else counting.wrong(session))
    if not count:
        return []
    words = f"{count:,} counters of the search say something else than the texts that are indexed"
    return [Finding("search counters", count, words, [], "They are counted anew.", repair)]


async def _derived(repair: bool) -> list[Finding]:
    asked = "They are asked for again; workers make them while Pharos runs."
    return [
        Finding(kind, count, f"{count:,} {DERIVED.get(kind, kind)}", [], asked, repair)
        for kind, count in (await sweep(ask=repair)).items()
        if count
    ]
