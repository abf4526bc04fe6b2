"""The status of a document follows from its hashes and its resource, whoever writes them, in whatever order."""

import asyncio
import random
from uuid import UUID

import asyncpg
import httpx
import pytest
from sqlalchemy import text

from service.database import reading, transaction
from service.documents.tables import PASSAGES_VERSION
from tests.documents.conftest import Upload
from tests.ingestion.samples import SENTENCE

pytestmark = pytest.mark.integration

# As the definition reads, apart from the triggers.
EXPECTED = text(
    """SELECT d.status, CASE
        WHEN r.status = 'failed' THEN 'failed'
        WHEN r.status = 'pending' THEN 'uploaded'
        WHEN r.status = 'processing' THEN 'processing'
        WHEN d.ready_hash = concat(CAST(:version AS text), ' ', r.content_hash) THEN 'ready'
        WHEN d.failed_hash = concat(CAST(:version AS text), ' ', r.content_hash) THEN 'failed'
        WHEN d.passages_hash = concat(CAST(:version AS text), ' ', r.content_hash) THEN 'indexed'
        ELSE 'processed' END
    FROM documents d JOIN resources r ON r.id = d.resource_id WHERE d.id = :id"""
)


async def test_the_triggers_know_the_version_of_the_passages(api: httpx.AsyncClient) -> None:
    async with reading() as session:
        source = await session.scalar(text("SELECT prosrc FROM pg_proc WHERE proname = 'pharos_document_status'"))
    assert source is not None
    assert f"'{PASSAGES_VERSION} '" in source


async def test_the_status_is_true_whatever_is_written_at_once(
    api: httpx.AsyncClient, upload: Upload, database_url: str
) -> None:
    id = UUID((await upload("light.txt", SENTENCE.encode(), "text/plain"))["id"])
    chosen = random.Random(7)
    hashes = [f"{PASSAGES_VERSION} {name}" for name in ("one", "two")]
    seen = set[str]()

    def step() -> tuple[str, list[object]]:
        if chosen.random() < 0.5:
            column = chosen.choice(["ready_hash", "failed_hash", "passages_hash"])
            return f"UPDATE documents SET {column} = $2 WHERE id = $1", [id, chosen.choice([None, *hashes])]
        status = chosen.choice(["pending", "processing", "failed", "completed", "completed", "completed"])
        return (
            "UPDATE resources SET status = $2, content_hash = $3 "
            "WHERE id = (SELECT resource_id FROM documents WHERE id = $1)",
            [id, status, chosen.choice(["one", "two"])],
        )

    async def write(rounds: int) -> None:
        connection = await asyncpg.connect(database_url)
        try:
            for _ in range(rounds):
                async with connection.transaction():
                    statement, arguments = step()
                    await connection.execute(statement, *arguments)
                    await asyncio.sleep(chosen.random() / 500)  # others come in between
        finally:
            await connection.close()

    for _ in range(40):
        await asyncio.gather(*(write(3) for _ in range(4)))
        async with transaction() as session:
            status, expected = (await session.execute(EXPECTED, {"version": PASSAGES_VERSION, "id": id})).one()
        assert status == expected
        seen.add(status)
    assert len(seen) >= 4
