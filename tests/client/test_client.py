"""The client against a real server."""

import asyncio
import io
from pathlib import Path

import httpx
import pytest
from sqlalchemy import text
from starlette.applications import Starlette

from service.client import Changed, Client, Invalid, NotFound, Unauthorized
from service.database import transaction
from service.search import actions as search
from tests.client.test_contract import DOCUMENT
from tests.serving import serving

pytestmark = pytest.mark.integration


async def test_the_document_of_the_contract_is_the_one_that_is_served(address: str) -> None:
    async with httpx.AsyncClient() as web:
        assert (await web.get(f"{address}/openapi.json")).json() == DOCUMENT


async def test_a_resource_is_made_changed_and_deleted(client: Client) -> None:
    made = await client.resources.create("The lamp", "The keeper lights the lamp.", tags=["sea"], language="en")
    changed = await client.resources.update(made.id, version=made.version, title="The light", description="Of a lamp.")
    assert (changed.title, changed.content, changed.version) == ("The light", made.content, made.version + 1)
    with pytest.raises(Changed) as caught:
        await client.resources.update(made.id, version=made.version, title="The dark")
    assert caught.value.status == 412
    assert (await client.resources.update(made.id, description=None)).description is None
    assert set((await client.resources.tag(made.id, add=["light"], remove=["sea"])).tags) == {"light"}
    assert [one.tag for one in (await client.resources.tags("li")).items] == ["light"]
    assert (await client.resources.status(made.id)).status == "completed"
    await client.resources.delete(made.id)
    with pytest.raises(NotFound, match=str(made.id)):
        await client.resources.get(made.id)


async def test_what_is_deleted_comes_back_or_goes_for_good(client: Client) -> None:
    ids = [(await client.resources.create(f"Note {number}", f"About {number}.")).id for number in range(103)]
    for id in ids:
        await client.resources.delete(id)
    assert [one.id async for one in client.trash.list()] == ids[::-1]
    assert [one.id async for one in client.trash.list(limit=101)] == ids[:1:-1]
    assert (await client.trash.restore(ids[0])).title == "Note 0"
    await client.trash.purge(ids[1])
    with pytest.raises(NotFound, match=str(ids[1])):
        await client.trash.restore(ids[1])
    assert (await client.trash.empty()).purged == 101


async def test_what_is_there_twice_is_merged_and_what_is_read_is_listed(client: Client) -> None:
    one, other = [(await client.resources.create("The lamp", "The keeper lights the lamp.")).id for _ in range(2)]
    assert (await client.readings.add([one, other])).count == 2
    assert (await client.readings.keep(other, progress=0.4)).state == "reading"
    assert (await client.readings.get(other)).progress == 0.4
    assert [item.resource_id async for item in client.readings.list()] == [other, one]
    assert [item.resource_id async for item in client.readings.list(state=["unread", "archived"])] == [one]
    await client.readings.remove(one)
    [group] = [group async for group in client.duplicates.list()]
    assert (group.reasons, {item.id for item in group.items}) == (["text"], {one, other})
    said = await client.duplicates.separate([one, other])
    assert [group async for group in client.duplicates.list()] == []
    assert [(each.id, len(each.items)) async for each in client.duplicates.separations()] == [(said.id, 2)]
    await client.duplicates.rejoin(said.id)
    assert (await client.duplicates.merge(one, [other])).id == one
    assert (await client.readings.get(one)).progress == 0.4
    assert [group async for group in client.duplicates.list()] == []


async def test_pages_are_added_one_by_one_and_many_at_once(client: Client) -> None:
    one = await client.resources.add("https://example.org/a")
    many = await client.resources.add_many(["https://example.org/a", "https://example.org/b", "http://127.0.0.1/"])
    assert [(item.duplicate, item.error is None) for item in many.items] == [
        (True, True), (False, True), (False, False),
    ]  # fmt: skip
    assert many.items[0].id == one.id
    assert "ingestion.started" in {event.name for event in (await client.resources.timeline(one.id)).items}


@pytest.mark.parametrize("newest_first", [True, False])
async def test_a_list_is_walked_whole_whatever_comes_meanwhile(client: Client, newest_first: bool) -> None:
    names = [f"Note {number:03}" for number in range(230)]
    for name in names:
        await client.resources.create(name, f"About {name}.")
    async with transaction() as session:  # more of one moment than a page holds
        await session.execute(
            text("UPDATE resources SET created_at = '2026-01-01' WHERE title BETWEEN 'Note 050' AND 'Note 199'")
        )
    seen: list[str] = []
    async for one in client.resources.list(newest_first=newest_first):
        if len(seen) % 60 == 5:
            await client.resources.create(f"New {len(seen)}", "It comes meanwhile.")
        seen.append(one.title)
    assert sorted(name for name in seen if name.startswith("Note")) == names
    assert len(seen) == len(set(seen))
    assert len([one async for one in client.resources.list(limit=107)]) == 107


async def test_a_file_goes_up_and_comes_down_as_it_was(client: Client, tmp_path: Path) -> None:
    file = tmp_path / "tides.txt"
    file.write_bytes(b"The moon pulls the sea. " * 50_000)
    made = await client.documents.upload(file)
    assert (made.filename, made.duplicate) == ("tides.txt", False)
    whole = b"".join([piece async for piece in client.documents.download(made.id)])
    assert whole == file.read_bytes()
    assert (await client.documents.upload(io.BytesIO(whole), filename="again.txt")).duplicate
    assert [one.filename async for one in client.documents.list(q="tides")] == ["tides.txt"]
    assert (await client.documents.update(made.id, category="Sea")).category == "Sea"
    assert (await client.documents.status(made.id)).id == made.id
    await client.documents.delete(made.id)


async def test_hits_come_one_by_one(client: Client) -> None:
    ids = [(await client.resources.create(f"Lamp {number}", "A lamp.")).id for number in range(3)]
    async with transaction() as session:
        for id in ids:
            await search.index(session, id)
    assert {hit.id async for hit in client.search("lamp", mode="keyword")} == set(ids)
    assert len([hit async for hit in client.search("lamp", mode="keyword", limit=2)]) == 2
    assert (await client.search.page("lamp", mode="keyword")).total == 3
    assert ("lamp", "word") in [(one.text, one.kind) for one in (await client.search.suggest("lam")).suggestions]
    saved = await client.saved_searches.create("Lamps", {"query": "lamp", "mode": "keyword"})
    assert (await client.saved_searches.results(saved.id)).total == 3


async def test_collections_and_annotations(client: Client) -> None:
    note = await client.resources.create("The lamp", "The keeper lights the lamp.")
    made = await client.collections.create("Light", description="What shines")
    assert (await client.collections.add(made.id, [note.id])).added == [note.id]
    assert [one.id async for one in client.collections.resources(made.id)] == [note.id]
    changed = await client.collections.update(made.id, version=made.version, description=None)
    assert (changed.name, changed.description, changed.resource_count) == ("Light", None, 1)
    mark = await client.annotations.create(note.id, 4, 10, quote="keeper", note="who?", colour="green")
    assert [one.quote async for one in client.annotations.of(note.id)] == ["keeper"]
    assert (await client.annotations.update(mark.id, version=mark.version, note=None)).note == ""
    assert b"keeper" in b"".join([piece async for piece in client.annotations.export()])
    await client.collections.remove(made.id, note.id)
    await client.collections.delete(made.id)


async def test_the_library_as_a_file(client: Client) -> None:
    await client.resources.create("The lamp", "The keeper lights the lamp.", url="https://example.org/lamp")
    started = await client.imports.start(io.BytesIO(b"<opml/>"), filename="a.opml", tags=["a", "b"])
    assert (await client.imports.get(started.batch_id)).filename == "a.opml"
    assert [one.id async for one in client.imports.list()] == [started.batch_id]
    exported = b"".join([piece async for piece in client.export("bibtex")])
    assert b"https://example.org/lamp" in exported


async def test_people_and_tokens(client: Client, address: str) -> None:
    assert (await client.users.me()).role == "admin"
    ada = await client.users.create("ada", "a light on the water", role="editor")
    assert (await client.users.update(ada.id, disabled=True)).disabled
    with pytest.raises(Invalid) as caught:
        await client.users.create("b", "short")
    assert caught.value.errors[0]["loc"] == ["password"]
    token = await client.tokens.create("a program", ["read"])
    async with Client(address, token.token) as program:
        assert (await program.users.me()).scopes == ["read"]
        await client.tokens.revoke(token.id)
        with pytest.raises(Unauthorized):
            await program.users.me()
    invitation = await client.invitations.create(days=1)
    assert [one.id async for one in client.invitations.list()] == [invitation.id]


async def test_how_the_server_stands(client: Client) -> None:
    ready = await client.server.ready()  # no worker runs here
    assert (ready.status, ready.checks["database"]["ok"]) == ("unavailable", True)
    assert (await client.server.workers()).total_active == 0
    assert [one async for one in client.dead_letters.list()] == []
    note = await client.resources.create("The lamp", "The keeper lights the lamp.")
    started = await client.batches.start("reindex", [note.id])
    assert (await client.tasks.get(started.task_id)).name == "batch_process_resources"


async def test_events_go_on_after_the_server_was_away(application: Starlette) -> None:
    heard: list[str] = []

    async def listen(address: str) -> None:
        async with Client(address, "token of the admin") as client:
            async for event in client.events.stream("resource.created"):
                heard.append(event.data["title"])

    async def hear(address: str, title: str) -> None:
        async with Client(address, "token of the admin") as client, asyncio.timeout(30):
            number = 0
            while not any(one.startswith(title) for one in heard):  # it hears what happens once it listens
                await client.resources.create(f"{title} {number}", f"{title} {number}.")
                number += 1
                await asyncio.sleep(0.1)

    async with serving(application) as address:
        port = int(address.rpartition(":")[2])
        listening = asyncio.create_task(listen(address))
        await hear(address, "before")
    async with serving(application, port) as address:
        await hear(address, "after")
        assert not listening.done()  # one and the same stream heard both
        listening.cancel()
        await asyncio.wait([listening])
