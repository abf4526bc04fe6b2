"""Feeds over HTTP: those that are followed, lists of them, and feeds of what is here."""

from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID
from xml.etree import ElementTree

import feedparser
import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.database import transaction
from service.feeds import opml
from service.feeds.tables import Feed
from service.search.actions import index
from service.settings import settings
from tests.feeds.conftest import rss
from tests.origin import Origin
from tests.queue.conftest import Work, actors, broker, elapse, store, until, working

__all__ = ["actors", "broker", "elapse", "store", "working"]

pytestmark = pytest.mark.integration

Person = Callable[..., Awaitable[httpx.AsyncClient]]


async def test_the_life_of_one(person: Person) -> None:
    ada = await person("ada")
    lamps = (await ada.post("/collections", json={"name": "Lamps"})).json()["id"]
    made = await ada.post("/feeds", json={"url": "https://Example.org/feed.xml", "collection_id": lamps})
    assert made.status_code == 201, made.text
    feed = made.json()
    path = f"/feeds/{feed['id']}"
    assert (feed["title"], feed["interval_minutes"], feed["paused"]) == ("https://Example.org/feed.xml", 60, False)
    again = await ada.post("/feeds", json={"url": "https://example.org/feed.xml#top"})
    assert (again.status_code, feed["id"] in again.text) == (409, True)
    changed = (await ada.put(path, json={"title": "Lamps", "paused": True, "collection_id": None})).json()
    assert (changed["title"], changed["paused"], changed["collection_id"]) == ("Lamps", True, None)
    assert (await ada.get("/feeds")).json()["items"] == [changed]
    assert (await ada.get("/feeds", params={"failing": True})).json()["total"] == 0
    assert (await ada.get(f"{path}/entries")).json()["total"] == 0
    assert (await ada.post(f"{path}/refresh")).status_code == 202
    assert (await ada.delete(path)).status_code == 204
    assert (await ada.get(path)).status_code == 404


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"url": "http://127.0.0.1/feed"}, 422),
        ({"url": "ftp://example.org/"}, 422),
        ({"url": "https://ada:secret@example.org/"}, 422),
        ({"url": ""}, 422),
        ({"url": "https://example.org/" + "x" * 9000}, 422),
        ({"url": "https://example.org/", "collection_id": "00000000-0000-4000-8000-000000000000"}, 404),
        ({"url": "https://example.org/", "unknown": 1}, 422),
    ],
)
async def test_bad_input(person: Person, body: dict[str, Any], status: int) -> None:
    ada = await person("ada")
    assert (await ada.post("/feeds", json=body)).status_code == status
    assert (await ada.get("/feeds")).json()["total"] == 0


async def test_from_following_to_a_resource(
    person: Person, origin: Origin, actors: list[str], working: Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PHAROS_EGRESS_ALLOW", "127.0.0.1")
    settings.cache_clear()
    origin.pages["/feed"] = rss(origin, 1)
    ada = await person("ada")
    async with working():
        made = await ada.post("/feeds", json={"url": origin.url("/feed")})
        assert made.status_code == 201, made.text

        async def arrived() -> bool:
            items = (await ada.get(f"/feeds/{made.json()['id']}/entries")).json()["items"]
            return bool(items) and items[0]["resource_id"] is not None and "poll_feeds" in actors

        await until(arrived, 30)
    assert (await ada.get("/resources")).json()["items"][0]["title"] == "Lamp 1"


LIST = """<opml version="2.0"><head><title>Mine</title></head><body>
<outline text="Sea"><outline text="Lamps" type="rss" xmlUrl="https://example.org/lamps.xml" htmlUrl="https://example.org/"/>
<outline text="Fog"><outline title="Deep" xmlUrl="https://example.org/deep.xml"/></outline></outline>
<outline text="Broken" xmlUrl="http://169.254.169.254/"/>
<outline text="Lamps again" xmlUrl="https://example.org/lamps.xml#x"/>
</body></opml>"""


async def test_lists_of_feeds_go_in_and_out(person: Person) -> None:
    ada, ben = await person("ada"), await person("ben")
    answer = await ada.post("/feeds/opml", content=LIST.encode())
    assert answer.status_code == 200, answer.text
    told = answer.json()
    assert (told["added"], told["known"]) == (2, 1)
    [failure] = told["failed"]
    assert (failure["line"], failure["url"]) == (4, "http://169.254.169.254/")
    folders = {feed["title"]: feed["folder"] for feed in (await ada.get("/feeds")).json()["items"]}
    assert folders == {"Lamps": "Sea", "Deep": "Sea/Fog"}
    written = await ada.get("/feeds/opml")
    assert written.headers["content-type"].startswith("text/x-opml")
    assert (await ben.post("/feeds/opml", content=written.content)).json() == {"added": 2, "known": 0, "failed": []}
    assert {feed["title"]: feed["folder"] for feed in (await ben.get("/feeds")).json()["items"]} == folders


@pytest.mark.parametrize("body", [b"", b"no xml", b"<html/>", b"\x00\xff", b"<opml" * 1000, b"<opml>"])
async def test_what_is_no_list(person: Person, body: bytes) -> None:
    ada = await person("ada")
    answer = await ada.post("/feeds/opml", content=body)
    assert answer.status_code in (200, 422)
    assert answer.status_code == 422 or answer.json() == {"added": 0, "known": 0, "failed": []}


def test_a_list_reads_no_file() -> None:
    entity = b'<!DOCTYPE o [<!ENTITY x SYSTEM "file:///etc/passwd">]>'
    body = entity + b'<opml><outline xmlUrl="https://a.b/" text="&x;"><outline>&x;</outline></outline></opml>'
    assert all("root:" not in f"{outline}" for outline in opml.read(body))


Words = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Zl", "Zp", "Cf", "Cn", "Co"]), max_size=30
)
Names = Words.map(lambda text: " ".join(text.replace("/", "").split())).filter(bool)


@given(st.lists(st.tuples(Names, st.lists(Names, max_size=3)), max_size=8))
def test_a_list_comes_back_as_it_was(feeds: list[tuple[str, list[str]]]) -> None:
    rows = [
        Feed(url=f"https://example.org/{n}", given_title=title, folder="/".join(folders) or None)
        for n, (title, folders) in enumerate(feeds)
    ]
    back = {outline.url: (outline.title, outline.folder) for outline in opml.read(opml.write(rows, "All"))}
    assert back == {row.url: (opml.clean(row.given_title or ""), row.folder and opml.clean(row.folder)) for row in rows}


async def collection(client: httpx.AsyncClient, visibility: str) -> str:
    """Make a collection of a shared and a private note."""
    id = (await client.post("/collections", json={"name": "Lamps & fog", "visibility": visibility})).json()["id"]
    for title, private in (("Shared", False), ("Hidden", True)):
        note = {
            "title": title,
            "content": "A lamp <by> the sea.",
            "private": private,
            "tags": ["sea"],
            "language": "en",
        }
        made = (await client.post("/resources", json=note)).json()["id"]
        assert (await client.post(f"/collections/{id}/resources", json={"resource_ids": [made]})).status_code == 200
        async with transaction() as session:
            await index(session, UUID(made))
    return id


def titles(answer: httpx.Response) -> set[str]:
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/atom+xml"
    ElementTree.fromstring(answer.content)
    return {entry.title for entry in feedparser.parse(answer.content).entries}


async def test_a_collection_as_a_feed(person: Person) -> None:
    ada, ben = await person("ada"), await person("ben")
    id = await collection(ada, "private")
    path, nobody = f"/collections/{id}/feed", {"Authorization": ""}
    assert titles(await ada.get(path)) == {"Shared", "Hidden"}
    assert (await ben.get(path)).status_code == 404
    assert (await ada.get(path, headers=nobody)).status_code == 404
    await ada.put(f"/collections/{id}", json={"visibility": "shared"})
    assert titles(await ben.get(path)) == {"Shared"}
    assert (await ada.get(path, headers=nobody)).status_code == 404
    await ada.put(f"/collections/{id}", json={"visibility": "public"})
    public = await ada.get(path, headers=nobody)
    assert titles(public) == {"Shared"}
    told = feedparser.parse(public.content)
    assert (told.feed.title, told.bozo, told.version) == ("Lamps & fog", False, "atom10")
    assert told.entries[0].tags[0].term == "sea"
    again = await ada.get(path, headers=nobody | {"If-None-Match": public.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


async def test_a_secret_address_shows_one_thing_until_it_is_deleted(person: Person, api: httpx.AsyncClient) -> None:
    ada, ben = await person("ada"), await person("ben")
    id = await collection(ada, "private")
    saved = (
        await ada.post("/searches/saved", json={"name": "Lamps", "search": {"query": "lamp", "mode": "keyword"}})
    ).json()
    assert titles(await ada.get(f"/searches/saved/{saved['id']}/feed")) == {"Shared", "Hidden"}
    assert (await ben.get(f"/searches/saved/{saved['id']}/feed")).status_code == 404
    assert (await ben.post("/feeds/links", json={"collection_id": id})).status_code == 404
    assert (await ben.post("/feeds/links", json={"saved_search_id": saved["id"]})).status_code == 404
    assert (await ada.post("/feeds/links", json={})).status_code == 422
    for target in ({"collection_id": id}, {"saved_search_id": saved["id"]}):
        link = (await ada.post("/feeds/links", json=target)).json()
        nobody = {"Authorization": ""}
        assert titles(await ada.get(link["url"], headers=nobody)) == {"Shared", "Hidden"}
        assert (await ada.get(link["url"] + "x", headers=nobody)).status_code == 404
        [listed] = (await ada.get("/feeds/links")).json()["items"]
        assert "url" not in listed
        assert listed["used_at"] is not None
        assert (await ben.delete(f"/feeds/links/{link['id']}")).status_code == 404
        assert (await ada.delete(f"/feeds/links/{link['id']}")).status_code == 204
        assert (await ada.get(link["url"], headers=nobody)).status_code == 404
    last = (await ada.post("/feeds/links", json={"collection_id": id})).json()
    who = (await ada.get("/users/me")).json()["id"]
    assert (await api.put(f"/users/{who}", json={"disabled": True})).status_code == 200
    assert (await api.get(last["url"], headers={"Authorization": ""})).status_code == 404
