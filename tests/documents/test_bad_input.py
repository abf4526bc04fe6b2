"""What documents can be like besides good: too short, only tables, in another language, huge, cut off in the middle."""

import asyncio
import io
import os
import signal
import subprocess
import sys
from pathlib import Path
from uuid import UUID

import httpx
import pytest
from reportlab.pdfgen.canvas import Canvas
from sqlalchemy import text

from service import storage
from service.database import reading, transaction
from service.documents.cutting import cut
from service.documents.indexing import announce_stale
from service.documents.structure import blocks
from service.ingestion.actions import announce_stalled
from service.ingestion.tables import Ingestion
from service.queue.broker import PharosBroker
from service.queue.engine import Engine
from service.settings import settings
from tests.documents.conftest import Upload, prose, reached, status, told, working
from tests.ingestion.samples import word
from tests.model_server import ModelServer
from tests.queue.conftest import until

pytestmark = pytest.mark.integration

ROOT = Path(__file__).parents[2]


async def passages(api: httpx.AsyncClient, id: str) -> list[dict[str, object]]:
    return (await api.get(f"/documents/{id}/passages", params={"limit": 100})).json()["items"]


async def test_too_little_text_is_found_and_says_so(api: httpx.AsyncClient, worker: Engine, upload: Upload) -> None:
    item = await upload("short.txt", "A lamp that is lit by a single keeper.")
    done = await reached(api, item["id"], "ready")
    assert done["message"] == "It is found, but has too little text for a quiz: 9 words."
    assert [one["text"] for one in await passages(api, item["id"])] == ["A lamp that is lit by a single keeper."]


async def test_only_tables_stay_tables(api: httpx.AsyncClient, worker: Engine, upload: Upload) -> None:
    rows = "\n".join(f"| keeper {n} | {1800 + n} | island {n * 3} |" for n in range(150))
    item = await upload("tables.md", f"| name | year | place |\n|---|---|---|\n{rows}\n", "text/markdown")
    await reached(api, item["id"], "ready")
    found = await passages(api, item["id"])
    assert {one["kind"] for one in found} == {"table"}
    assert len(found) > 1


async def test_a_word_file_keeps_its_lists_and_tables(api: httpx.AsyncClient, worker: Engine, upload: Upload) -> None:
    item = await upload("word.docx", word(), "application/vnd.openxmlformats-officedocument.wordprocessingml.document")
    await reached(api, item["id"], "ready")
    async with reading() as session:
        found = await session.execute(
            text("SELECT content, content_html FROM resources WHERE id = :id"), {"id": UUID(item["resource_id"])}
        )
        content, html = found.one()
    assert [one.kind for one in blocks(content, html)] == ["heading", "text", "list", "table"]
    assert (await passages(api, item["id"]))[0]["heading"] == ["On Lighthouses"]


@pytest.mark.parametrize(
    ("sentence", "language"),
    [
        ("Der Leuchtturm Nr. {n} stand z. B. auf der Insel {n}, und sein Licht war bei Sturm kaum zu sehen. ", "de"),
        ("灯塔{n}号建在第{n}个岛上。它的光在五十公里外就能看见。", "zh"),
    ],
)
async def test_another_language_is_cut_into_its_sentences(
    api: httpx.AsyncClient, worker: Engine, upload: Upload, sentence: str, language: str
) -> None:
    item = await upload(f"{language}.txt", "".join(sentence.format(n=n) for n in range(60)))
    await reached(api, item["id"], "ready")
    assert (await api.get(f"/documents/{item['id']}")).json()["language"] == language
    found = await passages(api, item["id"])
    assert len(found) > 2
    assert all(str(one["text"]).rstrip()[-1] in ".。" for one in found)


def long_pdf(pages: int) -> bytes:
    target = io.BytesIO()
    canvas = Canvas(target, pageCompression=0)
    for number in range(pages):
        canvas.drawString(72, 750, f"{number % 90 + 1}.{number} Of island {number}")
        for line in range(6):
            words = f"Keeper {number}-{line} saw ship {number * 7 + line} pass the reef in a storm."
            canvas.drawString(72, 720 - 20 * line, words)
        canvas.showPage()
    canvas.save()
    return target.getvalue()


@pytest.mark.performance
@pytest.mark.timeout(240)
async def test_five_thousand_pages(api: httpx.AsyncClient, worker: Engine, upload: Upload) -> None:
    item = await upload("long.pdf", long_pdf(5000), "application/pdf")

    async def is_indexed() -> bool:
        found = await status(api, item["id"])
        assert found["status"] != "failed", found
        return found["percent"] >= 75  # its meaning takes as long as a million characters take

    await until(is_indexed, 180)
    assert (await api.get(f"/documents/{item['id']}")).json()["pages"] == 5000
    passages = f"/documents/{item['id']}/passages"
    total = (await api.get(passages)).json()["total"]
    last = (await api.get(passages, params={"offset": total - 1})).json()["items"][-1]
    content = (await api.get(f"/resources/{item['resource_id']}")).json()["content"]
    assert "Keeper 4999" in content
    assert (total > 500, last["end"]) == (True, len(content))


async def test_too_many_pages_are_refused_with_a_reason(api: httpx.AsyncClient, worker: Engine, upload: Upload) -> None:
    item = await upload("longer.pdf", long_pdf(5001), "application/pdf")
    failed = await reached(api, item["id"], "failed")
    assert "5001 pages" in failed["message"]


KILLED = """
import asyncio, os, signal, sys
from uuid import UUID
import workers.ingestion, workers.documents
from service import database
from service.documents import indexing
from service.ingestion import actions

async def main():
    await database.connect("killed", 2, 2)
    def dies(*_, **__): os.kill(os.getpid(), signal.SIGKILL)
    if sys.argv[2] == "processing":
        workers.ingestion.extract = dies
        await workers.ingestion.read_in(UUID(sys.argv[1]))
    else:
        workers.documents.cut = dies
        await workers.documents.make_passages(UUID(sys.argv[1]))

asyncio.run(main())
"""


async def killed_in(stage: str, resource_id: str) -> None:
    """Run a task in a worker that is killed in the middle of it."""
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", KILLED, resource_id, stage, cwd=ROOT, env=environment, stderr=subprocess.PIPE
    )
    _, said = await process.communicate()
    assert process.returncode == -signal.SIGKILL, said.decode()


async def test_a_worker_killed_while_it_reads_is_healed(
    api: httpx.AsyncClient, upload: Upload, broker: PharosBroker, server: ModelServer
) -> None:
    item = await upload("killed.txt", prose(1))
    await killed_in("processing", item["resource_id"])
    assert (await status(api, item["id"]))["status"] == "processing"
    async with transaction() as session:  # its lease runs out, as it does after five minutes
        entered = await session.get_one(Ingestion, UUID(item["resource_id"]))
        entered.leased_until = None
        await session.flush()
        await session.execute(text("UPDATE ingestions SET updated_at = now() - interval '1 hour'"))
        assert await announce_stalled(session) == 1
    async with working(broker):
        await reached(api, item["id"], "ready")
    names = [row.name for row in await told(item["resource_id"], "document")]
    assert names.count("document.processed") == 1


async def test_a_worker_killed_while_it_cuts_is_healed(api: httpx.AsyncClient, worker: Engine, upload: Upload) -> None:
    item = await upload("killed.txt", prose(1))
    await reached(api, item["id"], "ready")
    async with transaction() as session:
        await session.execute(text("DELETE FROM passages"))
        await session.execute(text("UPDATE documents SET passages_hash = NULL, ready_hash = NULL"))
        await session.execute(text("UPDATE resources SET updated_at = now() - interval '1 hour'"))
    await killed_in("indexing", item["resource_id"])
    assert (await status(api, item["id"]))["status"] == "processed"
    async with transaction() as session:
        assert await announce_stale(session) == 1
    await reached(api, item["id"], "ready")
    assert len(await passages(api, item["id"])) == len(cut(prose(1)))


async def test_ten_files_at_once_are_kept_whole(api: httpx.AsyncClient) -> None:
    bodies = [os.urandom(300_000) + bytes([n]) for n in range(10)]
    answer = await api.post("/documents", files=[("file", (f"{n}.bin", body)) for n, body in enumerate(bodies)])
    assert answer.status_code == 202
    items = answer.json()["items"]
    assert [item["filename"] for item in items] == [f"{n}.bin" for n in range(10)]
    for item, body in zip(items, bodies, strict=True):
        assert (await api.get(f"/documents/{item['id']}/download")).content == body
    assert settings().max_upload_mb * 2**20 > 10 * 100 * 2**20  # ten of the largest fit into one request
    assert await storage.configured().parts(-1) == []
