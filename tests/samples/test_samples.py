"""The sample set: loaded once, for one account, with something for every page to show, and removed in one step."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import httpx
import pytest
from sqlalchemy import text

from service import storage
from service.database import reading
from service.graph.keys import of_citation, of_item
from service.ingestion.extraction import extract
from service.samples.actions import COLLECTED, TEXTS

NewPerson = Callable[..., Awaitable[httpx.AsyncClient]]


@pytest.fixture(autouse=True)
def folder() -> None:
    """Let each test keep its files in its own home."""
    storage.configured.cache_clear()


@pytest.mark.integration
async def test_it_is_loaded_once_and_removed_in_one_step(person: NewPerson, tmp_path: Path) -> None:
    ada, ben = await person("ada"), await person("ben")
    assert (await ada.get("/sample")).json()["items"] == []
    answers = await asyncio.gather(*(ada.post("/sample") for _ in range(3)))
    assert {answer.status_code for answer in answers} == {202}
    assert sorted(sum(one["duplicate"] for one in answer.json()["items"]) for answer in answers) == [0, 10, 10]
    seen = (await ada.get("/sample")).json()
    assert (seen["total"], len(seen["items"])) == (10, 10)
    assert (await ada.get("/resources")).json()["total"] == 10
    collection = (await ada.get(f"/collections/{seen['collection_id']}")).json()
    assert (collection["resource_count"], collection["visibility"]) == (len(COLLECTED), "private")
    assert f'href="/ui/collections/{seen["collection_id"]}"' in (await ada.get("/ui/")).text

    assert (await ben.get("/resources")).json()["total"] == 0  # it is for her eyes only
    assert (await ben.get("/sample")).json()["items"] == []
    assert (await ben.post("/sample")).status_code == 202
    assert (await ada.delete("/sample")).json() == {"removed": 10}
    assert (await ada.delete("/sample")).json() == {"removed": 0}
    for path in ("/resources", "/collections", "/documents", "/trash"):
        assert (await ada.get(path)).json()["total"] == 0
    assert (await ben.get("/resources")).json()["total"] == 10
    assert (await ben.delete("/sample")).json() == {"removed": 10}
    async with reading() as session:
        assert await session.scalar(text("SELECT count(*) FROM ingestions")) == 0


@pytest.mark.integration
async def test_what_is_ones_own_stays(person: NewPerson) -> None:
    ada = await person("ada")
    mine = next(path for path in TEXTS if path.suffix == ".txt")
    form = {"file": (mine.name, mine.read_bytes(), "text/plain")}
    own = (await ada.post("/documents", files=form, data={"private": "true"})).json()["items"][0]["resource_id"]
    loaded = (await ada.post("/sample")).json()
    assert [one["id"] for one in loaded["items"] if one["duplicate"]] == [own]
    assert (await ada.delete("/sample")).json() == {"removed": 9}
    assert [one["id"] for one in (await ada.get("/resources")).json()["items"]] == [own]


@pytest.mark.integration
async def test_who_may_only_read_may_not_load_it(person: NewPerson) -> None:
    reader = await person("ruth", "reader")
    assert (await reader.post("/sample")).status_code == 403
    assert (await reader.delete("/sample")).status_code == 403
    assert 'id="sample-add"' not in (await reader.get("/ui/")).text


async def test_every_text_is_read_and_cites_others_of_the_set() -> None:
    """Ten texts of four types, each with references, of which some lead to another one."""
    assert len(TEXTS) == 10
    assert {path.suffix for path in TEXTS} == {".md", ".html", ".txt", ".pdf"}
    read = {path.name: await extract(path.read_bytes(), filename=path.name) for path in TEXTS}
    titles = {name: set(of_item(one.title, [], "document", "").keys) for name, one in read.items()}
    leads: dict[str, set[str]] = {}
    for name, one in read.items():
        assert 250 < len(one.text.split()) < 500, name
        cited = [set(of_citation(citation.kind, citation.value).keys) for citation in one.citations]
        assert len(cited) >= 2, name
        leads[name] = {other for other, own in titles.items() if other != name and any(own & keys for keys in cited)}
        for kind in ("doi", "arxiv"):
            assert [citation.kind for citation in one.citations].count(kind) != 1, (
                f"{name} would pass for what it cites"
            )
    assert all(leads.values())
    assert set().union(*leads.values()) >= set(titles) - {"lighthouse-and-library.txt"}
