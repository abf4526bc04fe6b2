"""Real pages and real documents, in at one end and found at the other, while things break."""

import asyncio
import os
import signal
import sys
from io import BytesIO
from pathlib import Path
from typing import Any

import httpx
import pytest
import redis.asyncio
from docx import Document
from reportlab.pdfgen.canvas import Canvas

from tests.installation import Installation
from tests.journey.conftest import Prose, eventually, pages, prose
from tests.origin import Origin, Page

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]


async def found(api: httpx.AsyncClient, phrase: str, mode: str = "keyword") -> list[str]:
    answer = await api.get("/search", params={"query": f'"{phrase}"', "mode": mode})
    assert answer.status_code == 200, answer.text
    return [item["id"] for item in answer.json()["items"]]


async def status(api: httpx.AsyncClient, id: str) -> dict[str, Any]:
    return (await api.get(f"/resources/{id}/status")).json()


async def completed(api: httpx.AsyncClient, ids: list[str]) -> bool:
    states = [(await status(api, id))["status"] for id in ids]
    assert "failed" not in states, [await status(api, id) for id in ids]
    return set(states) == {"completed"}


async def ingest(api: httpx.AsyncClient, origin: Origin, pages: list[Prose]) -> list[str]:
    answers = await asyncio.gather(*(api.post("/ingest", json={"url": origin.url(page.path)}) for page in pages))
    assert {answer.status_code for answer in answers} <= {200, 202}
    return [answer.json()["id"] for answer in answers]


async def emptied_of(api: httpx.AsyncClient, ids: list[str]) -> None:
    for id in ids:
        await api.delete(f"/resources/{id}")


async def test_pages_are_read_and_found(api: httpx.AsyncClient, origin: Origin) -> None:
    ids = await ingest(api, origin, pages()[:12])
    await eventually(lambda: completed(api, ids), 60)

    async def searchable() -> bool:
        return [await found(api, page.phrase) for page in pages()[:12]] == [[id] for id in ids]

    await eventually(searchable, 10)

    async def embedded() -> bool:
        steps = (await status(api, ids[0]))["steps"]
        return {step["name"]: step["state"] for step in steps} == dict.fromkeys(
            ["fetched", "extracted", "stored", "indexed", "embedded"], "completed"
        )

    await eventually(embedded, 60)
    again = await api.post("/ingest", json={"url": origin.url(pages()[0].path)})
    assert (again.status_code, again.json()["id"], again.json()["duplicate"]) == (200, ids[0], True)
    await emptied_of(api, ids)


async def test_documents_are_read_and_found(api: httpx.AsyncClient) -> None:
    pdf, docx = BytesIO(), BytesIO()
    canvas = Canvas(pdf)
    canvas.drawString(72, 700, "The portable lamp shines from a page that was printed long ago.")
    canvas.save()
    document = Document()
    document.add_paragraph("The office lamp shines from a paragraph that was typed long ago.")
    document.save(docx)
    markdown = b"# Lamps\n\nThe plain lamp shines from a line that was *marked down* long ago.\n"
    files = [("lamp.pdf", pdf.getvalue()), ("lamp.docx", docx.getvalue()), ("lamp.md", markdown)]
    answer = await api.post("/documents", files=[("file", file) for file in files])
    assert answer.status_code == 202, answer.text
    items = answer.json()["items"]
    ids = [item["resource_id"] for item in items]
    await eventually(lambda: completed(api, ids), 60)

    async def searchable() -> bool:
        return [await found(api, f"{kind} lamp shines") for kind in ("portable", "office", "plain")] == [
            [id] for id in ids
        ]

    await eventually(searchable, 10)
    download = await api.get(f"/documents/{items[0]['id']}/download")
    assert download.content == pdf.getvalue()
    assert download.headers["content-security-policy"] == "sandbox; default-src 'none'"
    again = await api.post("/documents", files=[("file", files[2])])
    assert (again.json()["items"][0]["id"], again.json()["items"][0]["duplicate"]) == (items[2]["id"], True)
    await emptied_of(api, ids)


async def test_thirty_changes_are_one_embedding_and_the_last_text_is_found(api: httpx.AsyncClient) -> None:
    id = (await api.post("/resources", json={"title": "Changes", "content": "version zero of the text"})).json()["id"]

    async def embedded() -> bool:
        steps = {step["name"]: step["state"] for step in (await status(api, id))["steps"]}
        return steps["embedded"] == "completed"

    await eventually(embedded, 40)
    before = await embeddings(api, id)
    for number in range(30):
        answer = await api.put(f"/resources/{id}", json={"content": f"revision number {number} of the lamp"})
        assert answer.status_code == 200
        await asyncio.sleep(0.08)
    await eventually(embedded, 40)
    assert await embeddings(api, id) - before == 1
    assert await found(api, "revision number 29") == [id]
    assert await found(api, "revision number 28") == []
    await emptied_of(api, [id])


async def embeddings(api: httpx.AsyncClient, id: str) -> int:
    items = (await api.get(f"/resources/{id}/timeline")).json()["items"]
    return sum(item["name"] == "embedding.generated" for item in items)


async def test_everything_accepted_survives_a_killed_web_process_and_killed_workers(
    api: httpx.AsyncClient, origin: Origin, installation: Installation
) -> None:
    ids = await ingest(api, origin, pages())
    installation.processes()["web"].kill()
    await eventually(lambda: some_completed(api, ids), 60)
    processes = installation.processes()
    processes["worker-1"].kill()
    processes["worker-2"].kill()
    installation.up()
    await eventually(lambda: completed(api, ids), 120)
    listed = (await api.get("/resources", params={"limit": 100})).json()
    assert sorted(item["id"] for item in listed["items"]) == sorted(ids)
    await emptied_of(api, ids)


async def some_completed(api: httpx.AsyncClient, ids: list[str]) -> bool:
    return any([(await status(api, id))["status"] == "completed" for id in ids])


async def test_redis_away_while_changes_are_answered(api: httpx.AsyncClient, installation: Installation) -> None:
    made = [
        (await api.post("/resources", json={"title": f"Note {n}", "content": f"old form {n}"})).json()["id"]
        for n in range(200)
    ]
    valkey = installation.processes()["valkey"]
    valkey.send_signal(signal.SIGSTOP)
    try:
        for n, id in enumerate(made):
            answer = await api.put(f"/resources/{id}", json={"content": f"new form {n} while the broker was away"})
            assert answer.status_code == 200
            await asyncio.sleep(0.1)
    finally:
        valkey.send_signal(signal.SIGCONT)

    async def searchable() -> bool:
        answer = await api.get("/search", params={"query": '"while the broker was away"', "mode": "keyword"})
        return answer.json()["total"] == 200

    await eventually(searchable, 60)
    for n in (0, 99, 199):
        assert await found(api, f"new form {n} while the broker was away") == [made[n]]
    await emptied_of(api, made)


async def test_redis_emptied_in_the_middle(api: httpx.AsyncClient, origin: Origin, installation: Installation) -> None:
    ids = await ingest(api, origin, pages())
    await eventually(lambda: some_completed(api, ids), 60)
    async with redis.asyncio.Redis.from_url(installation.broker_url()) as broker:
        await broker.flushall()
    await eventually(lambda: completed(api, ids), 180)

    async def searchable() -> bool:
        return [await found(api, page.phrase) for page in (pages()[0], pages()[-1])] == [[ids[0]], [ids[-1]]]

    await eventually(searchable, 60)
    assert await completed(api, ids)  # still, with all of them
    await emptied_of(api, ids)


async def test_what_cannot_be_read_fails_with_a_sentence_and_works_once_the_cause_is_gone(
    api: httpx.AsyncClient, origin: Origin
) -> None:
    assert (await api.post("/ingest", json={"url": "file:///etc/passwd"})).status_code == 422
    assert (await api.post("/ingest", json={"url": "http://10.0.0.1/"})).status_code == 422
    assert (await api.post("/ingest", json={"url": "http://me:secret@example.org/"})).status_code == 422
    late = prose("zipfile")
    (id,) = await ingest(api, origin, [late])

    async def failed() -> bool:
        return (await status(api, id))["status"] == "failed"

    await eventually(failed, 30)
    told = await status(api, id)
    assert told["error_type"] == "HttpRefused"
    assert "404" in told["error"]
    origin.pages[late.path] = Page(late.html.encode())
    assert (await api.post(f"/resources/{id}/reprocess", json={"from": "fetched"})).status_code == 202
    await eventually(lambda: completed(api, [id]), 30)
    await emptied_of(api, [id])


async def test_the_command_waits_until_a_folder_is_read(
    api: httpx.AsyncClient, installation: Installation, origin: Origin, tmp_path: Path
) -> None:
    (tmp_path / "note.md").write_text("# Foghorns\n\nThe foghorn of the northern pier is heard for nine miles.")
    (tmp_path / "broken.pdf").write_bytes(b"%PDF-1.7 and nothing else")
    page = pages()[48]

    async def pharos(*arguments: str) -> tuple[int, str, str]:
        token = (installation.home / "admin-token").read_text().strip()
        variables = {"PHAROS_SERVER": f"http://127.0.0.1:{installation.port}", "PHAROS_TOKEN": token}
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "service.cli", *arguments, env=os.environ | variables,
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        out, err = await process.communicate()
        return process.returncode or 0, out.decode(), err.decode()

    status, out, err = await pharos("add", str(tmp_path), origin.url(page.path), "--wait")
    assert status == 1, err
    assert sorted(line.split("  ")[1] for line in out.splitlines()) == ["completed", "completed"]
    assert "broken.pdf" in err

    found = await pharos("search", '"northern pier"', "--mode", "keyword")
    assert found[0] == 0
    assert "foghorn" in found[1]
    ids = [line.split("  ")[0] for line in out.splitlines()]
    assert (await pharos("status"))[0] == 0
    await emptied_of(api, ids)
