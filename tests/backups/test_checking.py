"""What does not fit is found, named, and repaired where that can be."""

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from service import storage
from service.backups.checking import Finding, check
from service.database import transaction
from service.search import counting
from service.settings import Settings
from tests.backups.test_restoring import library, settled
from tests.search.conftest import index

pytestmark = pytest.mark.integration


@pytest.fixture(autouse=True)
def own_storage(pharos: Settings) -> Iterator[None]:
    storage.configured.cache_clear()
    yield
    storage.configured.cache_clear()


async def run(statement: str) -> None:
    async with transaction() as session:
        await session.execute(text("SET LOCAL session_replication_role = replica"))
        await session.execute(text(statement))


async def found(kind: str, *, repair: bool = False) -> Finding | None:
    return next((one for one in await check(repair=repair) if one.kind == kind), None)


def originals(pharos: Settings) -> list[Path]:
    return sorted((pharos.home / "files").rglob("?" * 64))


async def test_originals_that_are_missing_or_others_are_named_and_stay(pharos: Settings) -> None:
    await library(3)
    assert await found("originals missing") is None
    assert await found("originals changed") is None
    missing, changed, _ = originals(pharos)
    missing.unlink()
    changed.write_bytes(b"something else")
    for repair in (False, True):
        lost, other = await found("originals missing", repair=repair), await found("originals changed", repair=repair)
        assert lost is not None
        assert other is not None
        assert (lost.count, lost.examples, lost.repaired) == (1, [missing.name], False)
        assert (other.count, other.examples, other.repaired) == (1, [changed.name], False)
    assert changed.read_bytes() == b"something else"


async def test_originals_that_nothing_refers_to_are_deleted_after_a_day(pharos: Settings) -> None:
    await library(1)
    key = await storage.put(b"nobody's")
    assert await found("originals unused") is None
    [file] = [path for path in originals(pharos) if path.name == key]
    day = time.time() - 25 * 3600
    os.utime(file, (day, day))
    unused = await found("originals unused")
    assert unused is not None
    assert (unused.count, unused.examples, unused.repaired) == (1, [key], False)
    assert file.exists()
    assert await found("originals unused", repair=True) is not None
    assert not file.exists()
    assert await found("originals unused") is None
    assert len(originals(pharos)) == 1


async def test_documents_without_a_resource_go(pharos: Settings) -> None:
    await library(3)
    assert await found("references") is None
    await run("DELETE FROM resources WHERE title LIKE 'Note 1 %'")
    dangling = {one.words for one in await check() if one.kind == "references"}
    assert "1 rows of documents refer to rows of resources that are not there" in dangling
    assert await found("references", repair=True) is not None
    assert await found("references") is None
    async with transaction() as session:
        assert await session.scalar(text("SELECT count(*) FROM documents")) == 2


async def test_counters_of_the_search_are_counted_anew(pharos: Settings) -> None:
    await library(6)
    assert await found("search counters") is None
    await run("UPDATE search_terms SET documents = documents + 5 WHERE lexeme LIKE 'n%'")
    await run("UPDATE search_corpora SET documents = 1")
    await run("DELETE FROM search_terms WHERE lexeme = 'reef'")
    wrong = await found("search counters")
    assert wrong is not None
    assert not wrong.repaired
    await settled()
    repaired = await found("search counters", repair=True)
    assert repaired is not None
    assert (repaired.count, repaired.repaired) == (wrong.count, True)
    async with transaction() as session:  # what had the word that was lost is to be indexed again
        ids = (await session.scalars(text("SELECT resource_id FROM search_documents WHERE weights IS NULL"))).all()
        asked = "SELECT subject FROM outbox WHERE name = 'search.index_stale'"
        assert {*(await session.scalars(text(asked))).all()} == {*ids} != set()
    for id in ids:
        await index(id)
    async with transaction() as session:
        assert await counting.wrong(session) == 0


async def test_what_is_derived_is_only_asked_for_in_a_repair(pharos: Settings) -> None:
    await library(2)
    await settled()

    async def asked() -> int:
        async with transaction() as session:
            return await session.scalar(text("SELECT count(*) FROM outbox WHERE name = 'quality.stale'")) or 0

    stale = await found("quality")
    assert stale is not None
    assert (stale.count, stale.repaired, await asked()) == (2, False, 0)
    again = await found("quality", repair=True)
    assert again is not None
    assert (again.repaired, await asked()) == (True, 2)
