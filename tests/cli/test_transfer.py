"""`pharos import` and `pharos export` both ways, with a server and a worker; broken files; a command that is killed."""

import asyncio
import json
import signal
import zipfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from service.database import transaction
from service.queue.broker import PharosBroker
from tests.cli.conftest import Pharos, start
from tests.imports import conftest as importing
from tests.imports.conftest import SAMPLES, library, working
from tests.queue.conftest import until

pytestmark = [pytest.mark.integration, pytest.mark.timeout(300)]
broker = importing.broker

WORK = {
    "title": "Tides and the moon", "url": "https://example.org/tides", "authors": ["Ada Lovelace", "Max Born"],
    "content": "The moon pulls the sea.", "tags": ["sea", "moon"], "language": "en", "type": "article",
    "description": "On tides.", "published_at": "1843-10-01T00:00:00Z",
}  # fmt: skip
KNOWN = {"created_at": "2026-01-01T00:00:00Z", "tags": ["sea"]}  # by which a file of Pharos is told
LAMP = {"title": "The lamp & <the> light", "url": "https://example.org/lamp", "content": "A lamp.", "tags": ["sea"]}


@pytest.fixture
async def worker(broker: PharosBroker) -> AsyncIterator[None]:
    """A worker that reads files; nothing is fetched."""
    async with working(broker):
        yield


async def emptied() -> None:
    async with transaction() as session:
        await session.execute(text("DELETE FROM resources"))
        await session.execute(text("DELETE FROM collections"))


async def taken_out_and_back(pharos: Pharos, format: str, file: str) -> dict[str, Any]:
    """Export, empty the library, import, and return what came of it."""
    out = await pharos("export", "--format", format, "--text", "-o", file)
    assert (out.status, out.out) == (0, ""), out
    await emptied()
    back = await pharos("import", file, "--wait", "--json")
    assert back.status == 0, back
    [found] = json.loads(back.out)
    assert (found["state"], found["added"], found["failed"]) == ("completed", 2, 0)
    return found


# What comes back in each format, beside titles and addresses.
HELD: dict[str, tuple[str, ...]] = {
    "json": ("authors", "tags", "language", "type", "description", "published_at"),
    "csl": ("authors", "tags", "language"),
    "bibtex": ("authors", "tags", "language"),
    "ris": ("authors", "tags", "language"),
    "netscape": ("tags",),
    "opml": ("tags",),
    "pocket_csv": ("tags",),
    "karakeep": ("tags", "description"),
    "linkwarden": ("tags", "description"),
    "zotero_rdf": ("authors", "tags", "language"),
    "wallabag": ("authors", "language", "published_at"),
}


@pytest.mark.parametrize("format", HELD)
async def test_a_library_goes_out_and_comes_back(
    format: str, pharos_command: Pharos, api: httpx.AsyncClient, worker: None
) -> None:
    for given in (WORK, LAMP):
        assert (await api.post("/resources", json=given)).status_code == 201
    before = await library(api)
    found = await taken_out_and_back(pharos_command, format, f"library.{format}")
    assert found["format"] == format
    after = await library(api)
    assert {title: one["url"] for title, one in after.items()} == {title: one["url"] for title, one in before.items()}
    for title, one in before.items():
        for name in HELD[format]:
            kept, came = one.get(name), after[title].get(name)
            same = sorted(kept) == sorted(came) if isinstance(kept, list) else kept == came
            assert same or not kept, (format, title, name, kept, came)


async def test_csv_is_for_spreadsheets_and_markdown_comes_back_as_files(
    pharos_command: Pharos, api: httpx.AsyncClient, tmp_path: Path
) -> None:
    for given in (WORK, LAMP):
        await api.post("/resources", json=given)
    csv = (await pharos_command("export", "--format", "csv")).out.splitlines()
    assert len(csv) == 3
    assert "title" in csv[0]
    assert (await pharos_command("export", "--format", "markdown", "-o", "library.zip")).status == 0
    with zipfile.ZipFile(tmp_path / "library.zip") as opened:
        assert len([name for name in opened.namelist() if name.endswith(".md")]) == 2
    await emptied()
    back = await pharos_command("import", "library.zip")
    assert back.out.startswith("2 files"), back
    assert (await api.get("/documents")).json()["total"] == 2


@pytest.mark.parametrize("path", sorted(SAMPLES.iterdir()), ids=lambda path: path.name)
async def test_what_other_programs_write_comes_in(
    path: Path, pharos_command: Pharos, api: httpx.AsyncClient, worker: None
) -> None:
    done = await pharos_command("import", str(path), "--wait", "--json")
    [found] = json.loads(done.out)
    assert found["state"] == "completed", done
    assert found["added"] > 0
    assert done.status == (1 if found["failed"] else 0)
    again = json.loads((await pharos_command("import", str(path), "--wait", "--json")).out)[0]
    assert (again["added"], again["merged"]) == (0, found["added"] + found["merged"])


async def test_a_file_that_is_cut_off_is_read_as_far_as_it_goes(
    pharos_command: Pharos, tmp_path: Path, worker: None
) -> None:
    whole = json.dumps(
        [LAMP | KNOWN | {"title": f"Lamp {number}", "url": f"https://example.org/{number}"} for number in range(9)]
    )
    (tmp_path / "cut.json").write_text(whole[: len(whole) * 2 // 3])
    done = await pharos_command("import", "cut.json", "--wait", "--json")
    [found] = json.loads(done.out)
    assert (done.status, found["state"], found["added"]) == (1, "completed", 6)
    left_out = await pharos_command("imports", "errors", found["id"])
    assert "line 1" in left_out.out
    listed = [
        json.loads(line) for line in (await pharos_command("imports", "errors", found["id"], "--json")).out.splitlines()
    ]
    assert len(listed) == found["failed"] == 1
    csv = (await pharos_command("imports", "errors", found["id"], "--csv")).out
    assert csv.startswith("line,shown,reason")
    assert (await pharos_command("imports", "show", found["id"])).out.startswith("id")


async def test_what_is_no_export_at_all_fails_with_a_reason(
    pharos_command: Pharos, tmp_path: Path, worker: None
) -> None:
    (tmp_path / "noise.bin").write_bytes(bytes(range(256)) * 10)
    done = await pharos_command("import", "noise.bin", "--wait")
    assert done.status == 1
    assert "failed" in done.out
    assert "Traceback" not in done.err


TITLES = [
    "Größere Häuser für ältere Leute", "Übermäßig schöne Blümchen", "Die Gezeiten und der Mond – ein Überblick",
    "Fürs Frühstück: Brötchen und Käse", "Straßenbahn nach Köln-Süd",
]  # fmt: skip


@pytest.mark.parametrize("charset", ["windows-1252", "utf-8-sig", "utf-16"])
async def test_a_charset_other_than_the_file_says_is_told_by_its_bytes(
    charset: str, pharos_command: Pharos, api: httpx.AsyncClient, tmp_path: Path, worker: None
) -> None:
    entries = [f'<DT><A HREF="https://example.org/{n}">{title}</A>' for n, title in enumerate(TITLES)]
    page = (
        "<!DOCTYPE NETSCAPE-Bookmark-file-1>\n"
        '<META HTTP-EQUIV="Content-Type" CONTENT="text/html; charset=UTF-8">\n<DL><p>\n'
    ) + "\n".join(entries)
    (tmp_path / "bookmarks.html").write_bytes(page.encode(charset))
    done = await pharos_command("import", "bookmarks.html", "--wait")
    assert done.status == 0, done
    assert sorted(await library(api)) == sorted(TITLES)


async def test_from_standard_input_into_a_collection_by_name(
    pharos_command: Pharos, api: httpx.AsyncClient, worker: None
) -> None:
    assert (await pharos_command("collections", "create", "Light")).status == 0
    given = json.dumps([LAMP | KNOWN, WORK | KNOWN])
    done = await pharos_command("import", "-", "--wait", "--collection", "Light", "--tag", "new", given=given)
    assert done.status == 0, done
    inside = json.loads((await pharos_command("collections", "show", "Light", "--json")).out)["items"]
    assert {one["title"] for one in inside} == {LAMP["title"], WORK["title"]}
    assert all("new" in one["tags"] for one in inside)
    out = await pharos_command("export", "--collection", "Light", "--format", "netscape")
    assert out.out.count("<A ") == 2


async def test_an_import_goes_on_when_the_command_is_killed(
    server: str, pharos_command: Pharos, api: httpx.AsyncClient, tmp_path: Path, broker: PharosBroker
) -> None:
    (tmp_path / "many.json").write_text(json.dumps(
        [LAMP | KNOWN | {"title": f"Lamp {number}", "url": f"https://example.org/{number}"} for number in range(300)]
    ))  # fmt: skip
    process = await start(server, "import", "many.json", "--wait", cwd=tmp_path)

    async def accepted() -> Any:
        return (await api.get("/imports")).json()["items"]

    [begun] = await until(accepted, 30)
    process.kill()
    await process.communicate()
    assert process.returncode == -signal.SIGKILL
    assert begun["state"] == "pending"  # nobody reads it yet
    async with working(broker):
        done = await pharos_command("imports", "show", begun["id"], "--wait", "--json")
        assert (done.status, json.loads(done.out)["added"]) == (0, 300), done
        again = await pharos_command("import", "many.json", "--wait", "--json")
        assert [json.loads(again.out)[0][name] for name in ("added", "merged", "failed")] == [0, 300, 0]


async def test_a_folder_whose_command_was_killed_is_simply_given_again(
    server: str, pharos_command: Pharos, api: httpx.AsyncClient, tmp_path: Path
) -> None:
    folder = tmp_path / "papers"
    folder.mkdir()
    for number in range(60):
        (folder / f"{number:02}.txt").write_text(f"Paper {number} on tides.")
    process = await start(server, "import", "papers", cwd=tmp_path)

    async def some() -> Any:
        return (await api.get("/documents")).json()["total"] >= 5

    await until(some, 30)
    process.kill()
    await process.communicate()
    there = (await api.get("/documents")).json()["total"]
    assert 5 <= there < 60
    again = json.loads((await pharos_command("import", "papers", "--json")).out)
    assert there <= sum(one["duplicate"] for one in again) <= there + 1  # one may have been on its way
    assert [one["error"] for one in again] == [None] * 60
    assert (await api.get("/documents")).json()["total"] == 60


async def test_an_export_that_breaks_off_leaves_no_half_file(
    pharos_command: Pharos, tmp_path: Path, server: str
) -> None:
    async def half(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n[")
        writer.close()

    listening = await asyncio.start_server(half, "127.0.0.1", 0)
    address = f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}"
    (tmp_path / "library.json").write_text("[]")
    done = await pharos_command("export", "-o", "library.json", "--server", address)
    listening.close()
    assert (done.status, "cannot be reached" in done.err) == (3, True)
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("library.json", "[]")]
    nowhere = await pharos_command("export", "-o", "missing/library.json")
    assert (nowhere.status, "cannot be written" in nowhere.err) == (1, True)
