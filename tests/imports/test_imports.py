"""Files of other programs, from the upload to the library."""

import csv
import io
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import orjson
import pytest
from sqlalchemy import func, select

from service.database import reading
from service.imports.tables import Bibliography
from service.queue.broker import PharosBroker
from service.resources.tables import Resource
from tests.imports.conftest import SAMPLES, ended, imported, library, paths, started, working
from tests.queue.conftest import until

pytestmark = pytest.mark.integration

Person = Callable[..., Awaitable[httpx.AsyncClient]]
OUTCOMES = {  # format, added, merged, failed
    "bookmarks.html": ("netscape", 2, 1, 2),
    "pocket.csv": ("pocket_csv", 2, 0, 1),
    "ril_export.html": ("pocket_html", 2, 0, 0),
    "wallabag.json": ("wallabag", 2, 0, 1),
    "linkwarden.json": ("linkwarden", 2, 0, 1),
    "karakeep.json": ("karakeep", 2, 0, 2),
    "zotero.rdf": ("zotero_rdf", 2, 0, 0),
    "csl.json": ("csl", 2, 0, 1),
    "zotero.bib": ("bibtex", 4, 0, 2),
    "references.ris": ("ris", 3, 0, 1),
    "feeds.opml": ("opml", 2, 0, 1),
    "pharos.json": ("json", 1, 0, 1),
}


def counted(shown: dict[str, Any]) -> tuple[Any, ...]:
    assert shown["pending"] == 0
    assert shown["total"] == shown["added"] + shown["merged"] + shown["failed"]
    return shown["state"], shown["format"], shown["added"], shown["merged"], shown["failed"]


async def total() -> int:
    async with reading() as session:
        return await session.scalar(select(func.count()).select_from(Resource)) or 0


@pytest.mark.parametrize("name", OUTCOMES)
async def test_each_sample_is_recognised_and_adds_nothing_the_second_time(
    api: httpx.AsyncClient, broker: PharosBroker, name: str
) -> None:
    format, added, merged, failed = OUTCOMES[name]
    async with working(broker):
        assert counted(await imported(api, name)) == ("completed", format, added, merged, failed)
        assert await total() == added
        before = await library(api)
        assert counted(await imported(api, name)) == ("completed", format, 0, added + merged, failed)
    assert await library(api) == before


def test_every_sample_is_tried() -> None:
    assert {path.name for path in SAMPLES.iterdir()} == set(OUTCOMES)


async def test_bookmarks_keep_tags_folders_and_dates(api: httpx.AsyncClient, broker: PharosBroker) -> None:
    async with working(broker):
        shown = await imported(api, "bookmarks.html", tags="old, browser")
    lamps = (await library(api))["Lamps & <b>reefs</b>"]
    assert lamps["tags"] == ["sea", "light", "old", "browser"]
    assert lamps["created_at"] == "2023-11-14T22:13:20Z"
    assert lamps["description"] == "What keepers write."
    assert lamps["status"] == "pending"  # to be read
    assert await paths(api) == {"Ships": {"Schiffe aus Zürich"}}
    wrong = (await api.get(f"/imports/{shown['id']}/errors")).json()
    assert [(one["line"], one["again"]) for one in wrong["items"]] == [(16, True), (20, False)]
    assert "javascript" in wrong["items"][0]["reason"]
    answer = await api.get(f"/imports/{shown['id']}/errors", params={"format": "csv"})
    assert "attachment" in answer.headers["content-disposition"]
    assert [row["line"] for row in csv.DictReader(io.StringIO(answer.text))] == ["16", "20"]


async def test_all_that_was_left_out_is_a_file_for_spreadsheets(api: httpx.AsyncClient, broker: PharosBroker) -> None:
    bad = ['lamps, "reefs"', "=1+1", "über\nall"]
    items = ",\n".join(orjson.dumps({"id": id}).decode() for id in bad)
    async with working(broker):
        id = await started(api, "papers.json", f"[{items}]".encode(), format="csl")
        await ended(api, id)
    answer = await api.get(f"/imports/{id}/errors", params={"format": "csv"})
    assert answer.headers["content-type"].startswith("text/csv")
    told = (await api.get(f"/imports/{id}/errors")).json()["items"]
    header, *rows = csv.reader(io.StringIO(answer.text, newline=""))
    assert header == ["line", "shown", "reason"]
    reason = "It has neither a title nor an address nor a DOI."
    assert rows == [["1", bad[0], reason], ["2", "'=1+1", reason], ["3", told[2]["shown"], reason]]
    assert [one["shown"] for one in told[:2]] == bad[:2]


async def test_a_circle_of_folders_is_broken(api: httpx.AsyncClient, broker: PharosBroker) -> None:
    async with working(broker):
        await imported(api, "linkwarden.json")
        assert await paths(api) == {
            "Sea": set(), "Water": set(), "Sea/Water": {"Ships"}, "Water/Sea": {"Lamps"},
        }  # fmt: skip
        await imported(api, "karakeep.json")
    assert (await paths(api))["Sea/Lights"] == {"Lamps"}  # the first is found again


async def test_what_wallabag_kept_is_read_and_its_highlights_are_placed(
    api: httpx.AsyncClient, broker: PharosBroker
) -> None:
    async with working(broker, "batch", "documents"):
        await imported(api, "wallabag.json")
        lamps = (await library(api))["Lamps"]["id"]

        async def marked() -> list[dict[str, Any]]:
            return (await api.get("/annotations", params={"resource_id": lamps})).json()["items"]

        [mark] = await until(marked, 60)
    assert (mark["quote"], mark["note"], mark["orphaned"]) == ("Nobody answered for a winter", "so lonely", False)
    item = (await api.get(f"/resources/{lamps}")).json()
    assert item["status"] == "completed"
    assert item["tags"] == ["sea", "light", "read", "starred"]
    assert "until the ice broke" in item["content"]


async def test_our_own_json_brings_text_collections_and_annotations(
    api: httpx.AsyncClient, broker: PharosBroker
) -> None:
    async with working(broker):
        await imported(api, "pharos.json")
    lamps = (await library(api))["Lamps"]
    assert (await api.get(f"/resources/{lamps['id']}")).json()["content"] == "The keeper of the lamp."
    assert await paths(api) == {"Sea": set(), "Sea/Lights": {"Lamps"}}
    [mark] = (await api.get("/annotations")).json()["items"]
    assert (mark["quote"], mark["note"], mark["tags"], mark["colour"]) == ("keeper of the lamp", "who?", ["x"], "blue")


async def test_bibliographies_of_four_formats_are_one_work(api: httpx.AsyncClient, broker: PharosBroker) -> None:
    async with working(broker):
        await imported(api, "zotero.rdf")
        for name in ("csl.json", "zotero.bib", "references.ris"):
            assert (await imported(api, name))["merged"] >= 1
    async with reading() as session:
        works = await session.execute(
            select(Resource.title, Bibliography.csl).join(Bibliography, Bibliography.resource_id == Resource.id)
        )
        found = {title: csl for title, csl in works if csl.get("DOI")}
    assert list(found) == ["On the keeping of lamps"]
    assert found["On the keeping of lamps"]["container-title"] == "Nature of Lamps"
    item = (await api.get("/resources", params={"q": "keeping of lamps"})).json()["items"][0]
    assert (item["status"], item["authors"]) == ("completed", ["Ada Lovelace", "The Harbour Board"])
    assert item["url"] == "https://doi.org/10.1000/lamps"
    assert "Lamps are kept at night." in (await api.get(f"/resources/{item['id']}")).json()["content"]


async def test_a_private_import_into_a_collection(api: httpx.AsyncClient, person: Person, broker: PharosBroker) -> None:
    mira = await person("mira")
    shelf = (await mira.post("/collections", json={"name": "Shelf"})).json()["id"]
    assert (await api.post("/ingest", json={"url": "https://example.org/lamps"})).status_code == 202
    async with working(broker):
        shown = await imported(mira, "pocket.csv", private="true", collection_id=shelf)
        assert counted(shown) == ("completed", "pocket_csv", 2, 0, 1)  # what is shared stays without her tags
        assert counted(await imported(mira, "pocket.csv", private="true"))[2:] == (0, 2, 1)
    assert [item["tags"] for item in (await library(api)).values()] == [[]]
    assert (await paths(mira))["Shelf"] == {"Lamps", 'Ships, "old"'}
    assert (await api.get(f"/imports/{shown['id']}")).status_code == 404
    assert (await api.get("/imports")).json()["total"] == 0


async def test_what_is_there_gets_the_tags(api: httpx.AsyncClient, broker: PharosBroker) -> None:
    made = {"url": "https://EXAMPLE.org/lamps/?utm_medium=x", "title": "Mine"}
    id = (await api.post("/ingest", json=made)).json()["id"]
    await api.post(f"/resources/{id}/tags", json={"add": ["Sea"]})
    async with working(broker):
        assert counted(await imported(api, "pocket.csv"))[2:] == (1, 1, 1)
    assert (await library(api))["Mine"]["tags"] == ["Sea", "light", "unread"]


async def test_what_cannot_be_read_says_so(api: httpx.AsyncClient, broker: PharosBroker) -> None:
    async with working(broker):
        shown = await imported(api, "x.bin", b"\x00\x01nothing of the kind")
    assert (shown["state"], shown["failed"]) == ("failed", 1)
    assert "format" in shown["error"]
    refused = [
        await api.post("/import", data={"file": "x"}),
        await api.post("/import", files={"file": ("x.csv", b"")}),
        await api.post("/import", files={"file": ("x.csv", b"x")}, data={"format": "xls"}),
        await api.post("/import", files={"file": ("x.csv", b"x")}, data={"collection_id": "x"}),
    ]
    assert [answer.status_code for answer in refused] == [415, 422, 422, 422]


async def test_cancel_go_on_and_forget(api: httpx.AsyncClient, broker: PharosBroker) -> None:
    id = await started(api, "pocket.csv", (SAMPLES / "pocket.csv").read_bytes())
    assert (await api.delete(f"/imports/{id}")).status_code == 409
    assert (await api.post(f"/imports/{id}/retry")).status_code == 409
    assert (await api.post(f"/imports/{id}/cancel")).json()["state"] == "cancelled"
    assert (await api.post(f"/imports/{id}/cancel")).status_code == 409
    assert (await api.post(f"/imports/{id}/retry")).status_code == 409  # nothing was read
    async with working(broker):
        shown = await imported(api, "bookmarks.html")
        again = await api.post(f"/imports/{shown['id']}/retry")
        assert again.status_code == 202, again.text
        assert counted(await ended(api, shown["id"]))[2:] == (2, 1, 2)  # one of them cannot be helped
    assert (await api.delete(f"/imports/{id}")).status_code == 204
    assert (await api.get(f"/imports/{id}")).status_code == 404
    assert len(await library(api)) == 2


async def test_it_goes_on_where_a_worker_left_it(
    api: httpx.AsyncClient, broker: PharosBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    import workers.imports

    monkeypatch.setattr(workers.imports, "ADDED", 10)
    rows = [f"Page {n},https://example.org/{n},{1_700_000_000 + n},sea,unread" for n in range(300)]
    id = await started(api, "pocket.csv", "\n".join(["title,url,time_added,tags,status", *rows]).encode())

    async def begun() -> bool:
        return 0 < (await api.get(f"/imports/{id}")).json()["added"] < 300

    async with working(broker):  # it hands its task back at once when it stops
        await until(begun, 60)
    between = (await api.get(f"/imports/{id}")).json()
    assert between["state"] == "adding"
    assert between["added"] % 10 == 0
    async with working(broker):
        assert counted(await ended(api, id, 60)) == ("completed", "pocket_csv", 300, 0, 0)
    assert await total() == 300


async def test_the_page_tells_how_far_imports_are(api: httpx.AsyncClient, broker: PharosBroker) -> None:
    empty = await api.get("/ui/import")
    assert "Nothing was imported yet" in empty.text
    async with working(broker):
        shown = await imported(api, "bookmarks.html")
    page = (await api.get("/ui/import")).text
    assert f'data-id="{shown["id"]}"' in page
    assert "Line 16" in page
    assert 'href="javascript' not in page
    assert "<b>reefs" not in page


async def test_an_export_of_the_library_is_known_again(api: httpx.AsyncClient, broker: PharosBroker) -> None:
    async with working(broker):
        for name in ("zotero.bib", "pharos.json", "bookmarks.html"):
            await imported(api, name)
        before = await total()
        for format in ("json", "bibtex", "ris", "csl", "netscape", "opml"):
            answer = await api.get("/export", params={"format": format, "text": format == "json"})
            assert answer.status_code == 200
            shown = await imported(api, f"export.{format}", answer.content)
            assert (shown["state"], shown["added"]) == ("completed", 0), (format, shown)
            assert shown["merged"] > 0
    assert await total() == before
    archive = await api.get("/export", params={"format": "markdown"})
    assert archive.content.startswith(b"PK")
