"""Derived rows that are lost or made from something else come back by themselves, and nothing else is touched."""

import random
from uuid import UUID

import pytest
from sqlalchemy import text

from service.database import reading, transaction
from service.security.accounts import Account
from service.tasks import QUALITY
from tests.derived.conftest import Process, library, rows

pytestmark = [pytest.mark.integration, pytest.mark.timeout(600)]

SIZE, HARMED = 1000, 100
HARM = [  # each takes the id of a resource
    "DELETE FROM search_documents WHERE resource_id = :id",
    "UPDATE search_documents SET input_hash = 'of another text', labels = '{}' WHERE resource_id = :id",
    "DELETE FROM embeddings WHERE resource_id = :id",
    "UPDATE embeddings SET input_hash = 'of another text', mean = NULL WHERE resource_id = :id",
    "UPDATE embeddings SET model = 'another', input_hash = 'by another' WHERE resource_id = :id",
    "DELETE FROM chunks WHERE resource_id = :id",
    "DELETE FROM quality WHERE resource_id = :id",
    "UPDATE quality SET source_hash = '', input_hash = '', overall = 0, accuracy = 0 WHERE resource_id = :id",
    "DELETE FROM classifications WHERE resource_id = :id",
    "UPDATE classifications SET input_hash = 'of another text', confidence = 0 WHERE resource_id = :id",
    "DELETE FROM graph_nodes WHERE resource_id = :id",
    "UPDATE citations SET keys = NULL, target_id = NULL WHERE resource_id = :id",
    "DELETE FROM graph_ranks WHERE resource_id = :id",
    "DELETE FROM author_readings WHERE resource_id = :id",
    "UPDATE author_readings SET input_hash = 'of another text' WHERE resource_id = :id",
]


async def sources() -> set[tuple[UUID, str]]:
    """Return of which state of what it is measured by the quality of each resource tells."""
    async with reading() as session:
        return {
            (id, source) for id, source in await session.execute(text("SELECT resource_id, source_hash FROM quality"))
        }


@pytest.mark.e2e  # a minute
async def test_one_pass_repairs_what_was_harmed_and_touches_nothing_else(ada: Account, process: Process) -> None:
    ids = await library(ada, process, SIZE)
    before, written, read = await rows(), await rows(versions=True), await sources()
    chosen = random.Random(7).sample(ids, HARMED)
    async with transaction() as session:
        for number, id in enumerate(chosen):
            harmed = await session.execute(text(HARM[number % len(HARM)] + " RETURNING 1"), {"id": id})
            assert harmed.all() or "citations" in HARM[number % len(HARM)], HARM[number % len(HARM)]
    assert {table for table in before if before[table] != (await rows())[table]} >= {
        "search_documents", "embeddings", "quality", "classifications", "graph_nodes", "graph_ranks", "author_readings",
        "chunks",
    }  # fmt: skip

    found = await process.reconcile()

    assert sum(found.values()) >= HARMED, found
    assert await sources() == read
    for id in chosen:  # some were measured against the library while others of it had no meaning yet
        await process.run(QUALITY, resource_id=id)
    await process.settle(60)
    after = await rows()
    for table in before:
        assert after[table] == before[table], table
    assert await process.reconcile() == {}
    harmed = {str(id) for id in chosen}
    for table, lines in (await rows(versions=True)).items():
        rewritten = set(lines) - set(written[table])
        others = [line for line in rewritten if "resource_id" in line and not any(id in line for id in harmed)]
        assert others == [], table


async def test_truncated_embeddings_come_back(ada: Account, process: Process) -> None:
    await library(ada, process, 12)
    before = await rows()
    async with transaction() as session:
        await session.execute(text("TRUNCATE embeddings, chunks"))

    found = await process.reconcile()

    assert found["embedded"] == 12
    assert await rows() == before


async def test_what_another_model_made_is_made_again(ada: Account, process: Process) -> None:
    ids = await library(ada, process, 12)
    before = await rows()
    async with transaction() as session:
        await session.execute(text("UPDATE embeddings SET model = 'older', input_hash = 'by an older one'"))
        await session.execute(text("UPDATE categories SET prior_hash = 'by an older one'"))

    await process.reconcile()

    assert await rows() == before
    async with reading() as session:
        lanes = await session.scalars(text("SELECT DISTINCT bulk FROM events WHERE name = 'embedding.stale'"))
        assert lanes.all() == [True]  # urgent work goes before it
    assert all(isinstance(id, UUID) for id in ids)
