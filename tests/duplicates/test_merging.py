"""What is in the library twice is shown together, and merged without losing what people made."""

from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from sqlalchemy import text

from service.database import reading, transaction
from service.duplicates.moves import STATEMENTS
from service.graph import resolution
from service.trash.kept import KEPT, LINKS
from tests.trash.test_trash import Person, got, note, trashed

pytestmark = pytest.mark.integration


async def merge(client: httpx.AsyncClient, id: str, *others: str) -> httpx.Response:
    return await client.post(f"/resources/{id}/merge", json={"ids": list(others)})


async def groups(client: httpx.AsyncClient, **asked: int) -> list[tuple[list[str], list[str]]]:
    answer = (await client.get("/duplicates", params=asked)).json()
    return [(group["reasons"], [one["id"] for one in group["items"]]) for group in answer["items"]]


def test_every_table_of_what_people_made_is_moved_or_stays_on_purpose() -> None:
    stay = {
        "resources", "ingestions", "ingestion_steps", "documents", "signatures", "citation_readings",
        "quality_history", "quality_reviews",
        "review_cards", "review_log",  # they go with their questions
    }  # fmt: skip
    said = " ".join(STATEMENTS)
    named = {one.table.name for one in (*KEPT, *LINKS)}
    assert {name for name in named if f" {name} " not in f"{said} "} == stay - {"resources"}
    assert {one.column for one in LINKS if one.table.name == "resources"} == {"duplicate_of", "near_duplicate_of"}


async def test_groups_are_of_the_same_text_or_address(api: httpx.AsyncClient, person: Person) -> None:
    ada = await person("ada")
    one, two = await note(api, "One"), await note(api, "Two")
    mine = await note(api, "Mine", private=True)
    async with transaction() as session:  # as ingestion writes them
        for id, url in ((two, "https://example.org/a"), (await note(api, "Far", content="Other"), None)):
            await session.execute(
                text("UPDATE resources SET canonical_url = :url WHERE id = :id"), {"url": url, "id": UUID(id)}
            )
    page = (await api.post("/ingest", json={"url": "https://example.org/a"})).json()["id"]
    near, far = (
        await note(api, "Near", content="A text of its own"),
        await note(api, "Alone", content="Nothing like it"),
    )
    async with transaction() as session:
        await session.execute(
            text("UPDATE resources SET near_duplicate_of = :to WHERE id = :id"), {"to": UUID(far), "id": UUID(near)}
        )
    assert sorted(await groups(api)) == sorted([(["text", "address"], [one, two, mine, page]), (["near"], [near, far])])
    assert sorted(await groups(ada)) == sorted([(["text", "address"], [one, two, page]), (["near"], [near, far])])
    assert len(await groups(api, limit=1)) == len(await groups(api, limit=1, offset=1)) == 1
    assert (await got(api, "/duplicates?limit=1"))["total"] == 2


async def test_what_people_made_goes_over(api: httpx.AsyncClient, person: Person) -> None:
    ada = await person("ada")
    kept = await note(api, "Kept", tags=["Sea"])
    gone = await note(api, "Gone", tags=["sea", "light"], url="https://example.org/gone")
    third = await note(api, "Third")
    both, only = [(await ada.post("/collections", json={"name": name})).json()["id"] for name in ("Both", "Only")]
    await ada.post(f"/collections/{both}/resources", json={"resource_ids": [kept, gone]})
    await ada.post(f"/collections/{only}/resources", json={"resource_ids": [gone]})
    marked = (await ada.post(f"/resources/{gone}/annotations", json={"start": 4, "end": 10, "note": "hers"})).json()
    for id in (kept, gone):
        read = {"resource_id": id, "interaction_type": "view"}
        assert (await ada.post("/interactions", json=read)).status_code == 201
    for client, id, place in ((ada, gone, 0.4), (api, gone, 0.4), (api, kept, 0.7)):
        assert (await client.put(f"/resources/{id}/reading", json={"progress": place})).status_code == 200
    category = (await api.post("/taxonomy", json={"name": "Sea"})).json()["id"]
    await api.put(f"/resources/{gone}/classification", json={"category_id": category})
    assert (await got(api, f"/resources/{third}"))["duplicate_of"] == kept

    answer = await merge(api, kept, gone)
    assert (answer.status_code, answer.json()["tags"], answer.json()["title"]) == (200, ["Sea", "light"], "Kept")
    assert (await api.get(f"/resources/{gone}")).status_code == 404
    assert await trashed(api) == [gone]
    assert [one["id"] for one in (await got(ada, f"/resources/{kept}/annotations"))["items"]] == [marked["id"]]
    for collection in (both, only):
        held = (await got(ada, f"/collections/{collection}/resources"))["items"]
        assert [one["id"] for one in held] == [kept]
    assert [one["id"] for one in (await got(api, f"/resources/{kept}"))["categories"]] == [category]
    places = [(await got(client, f"/resources/{kept}/reading"))["progress"] for client in (ada, api)]
    assert places == [0.4, 0.7]  # the furthest
    async with reading() as session:
        seen = text("SELECT count(*) FROM interactions WHERE resource_id = :id AND interaction_type = 'view'")
        assert await session.scalar(seen, {"id": UUID(kept)}) == 2
        told = text("SELECT name FROM (SELECT name, timestamp FROM outbox UNION ALL SELECT name, timestamp FROM events)"
                    " e WHERE name LIKE 'resource.%' ORDER BY timestamp DESC LIMIT 2")  # fmt: skip
        assert list(await session.scalars(told)) == ["resource.deleted", "resource.merged"]
    assert (await got(api, "/duplicates"))["items"][0]["reasons"] == ["text"]

    back = await api.post(f"/resources/{gone}/restore")
    assert (back.status_code, back.json()["tags"]) == (200, ["sea", "light"])
    assert (await got(ada, f"/collections/{only}"))["resource_count"] == 2
    assert (await got(ada, f"/resources/{gone}/annotations"))["total"] == 0  # it stays where it went


async def test_that_it_is_about_no_category_goes_over_unless_something_was_said(api: httpx.AsyncClient) -> None:
    kept, gone = await note(api, "Kept"), await note(api, "Gone")
    await api.post("/taxonomy", json={"name": "Sea"})
    await api.put(f"/resources/{gone}/classification", json={"none": True})
    assert (await merge(api, kept, gone)).status_code == 200
    assert (await got(api, f"/resources/{kept}/classification"))["none"] is True
    await api.put(f"/resources/{kept}/classification", json={"path": "sea"})
    other = await note(api, "Other")
    await api.put(f"/resources/{other}/classification", json={"none": True})
    assert (await merge(api, kept, other)).status_code == 200
    assert (await got(api, f"/resources/{kept}/classification"))["none"] is False


async def test_of_several_readings_the_furthest_stays(api: httpx.AsyncClient, person: Person) -> None:
    """Of each reader, whatever the order in which they were made: read, else begun, else what was said last."""
    ids = [await note(api, title) for title in ("Kept", "Gone", "Third")]
    said: dict[str, list[tuple[int, dict[str, Any]]]] = {  # of which copy, oldest first
        "reads": [(1, {"state": "read"}), (0, {"state": "unread"}), (2, {"progress": 0.5})],
        "goes-on": [(0, {"progress": 0.7}), (1, {"progress": 0.2})],
        "began": [(2, {"progress": 0.3}), (0, {"state": "archived"}), (1, {"state": "unread"})],
        "put-away": [(0, {"state": "unread"}), (1, {"state": "archived"})],
        "wants-it": [(1, {"state": "archived", "progress": 0.6}), (2, {"state": "unread"})],
        "waits": [(2, {"state": "unread"})],
        "nothing": [],
    }
    expected = {
        "reads": ("read", 1.0), "goes-on": ("reading", 0.7), "began": ("reading", 0.3), "put-away": ("archived", 0.0),
        "wants-it": ("unread", 0.0), "waits": ("unread", 0.0), "nothing": (None, 0.0),
    }  # fmt: skip
    readers = {name: await person(name) for name in said}
    first: dict[str, str] = {}
    for name, steps in said.items():
        for copy, step in steps:
            answer = await readers[name].put(f"/resources/{ids[copy]}/reading", json=step)
            first.setdefault(name, answer.json()["added_at"])
    assert (await merge(api, ids[0], *ids[1:])).status_code == 200
    found = {name: await got(client, f"/resources/{ids[0]}/reading") for name, client in readers.items()}
    assert {name: (one["state"], one["progress"]) for name, one in found.items()} == expected
    assert {name: one["added_at"] for name, one in found.items() if one["added_at"]} == first
    assert [name for name, one in found.items() if one["finished_at"]] == ["reads"]
    assert (await got(readers["reads"], "/reading"))["total"] == 1


async def test_what_cites_the_others_cites_it(api: httpx.AsyncClient) -> None:
    words = "As the other page says: https://example.org/gone. " * 3
    citing = await note(api, "Citing", content=words)
    kept = await note(api, "Kept", url="https://example.org/kept")
    gone = await note(api, "Gone", url="https://example.org/gone")
    async with transaction() as session:
        await session.execute(
            text("INSERT INTO citations (id, resource_id, position, kind, value, text, target_id)"
                 " VALUES (:id, :citing, 0, 'url', 'https://example.org/gone', 'it', :gone)"),
            {"id": uuid4(), "citing": UUID(citing), "gone": UUID(gone)},
        )  # fmt: skip
    assert (await merge(api, kept, gone)).status_code == 200

    async def cited() -> str:
        return (await got(api, f"/resources/{citing}/citations"))["citations"][0]["target_id"]

    assert await cited() == kept
    for id in (citing, gone, kept):  # looked up anew, it still is what is meant
        async with reading() as session:
            source = await resolution.source(session, UUID(id))
        async with transaction() as session:
            await resolution.resolve(session, resolution.named(source))
    assert await cited() == kept
    async with reading() as session:
        identifiers = text("SELECT identifiers FROM resources WHERE id = :id")
        assert await session.scalar(identifiers, {"id": UUID(kept)}) == ["url:example.org/gone"]


async def test_what_cannot_be_merged_stays_as_it_is(api: httpx.AsyncClient, person: Person) -> None:
    ada = await person("ada")
    shared, hers, mine = await note(api), await note(ada, private=True), await note(api, private=True)
    reader = await person("eve", "reader")
    assert (await merge(api, shared, hers)).status_code == 404
    assert (await merge(ada, hers, shared)).status_code == 409
    assert (await merge(api, shared, shared)).status_code == 422
    assert (await merge(api, shared)).status_code == 422
    assert (await merge(api, shared, str(uuid4()))).status_code == 404
    assert (await merge(reader, shared, mine)).status_code == 403
    many = [f"tag {n}" for n in range(40)]
    await api.put(f"/resources/{shared}", json={"tags": many})
    await api.put(f"/resources/{mine}", json={"tags": [f"other {tag}" for tag in many]})
    assert (await merge(api, shared, mine)).status_code == 422
    assert (await got(api, "/trash"))["total"] == 0
    await api.put(f"/resources/{mine}", json={"tags": ["mine"]})
    merged = await merge(api, shared, mine, mine)
    assert (merged.status_code, len(merged.json()["tags"])) == (200, 41)
    assert await trashed(api) == [mine]
    assert await trashed(ada) == []


async def test_one_event_that_touched_both_counts_once(api: httpx.AsyncClient) -> None:
    ids: list[Any] = [UUID(await note(api)) for _ in range(3)]
    event = uuid4()
    async with transaction() as session:
        who = await session.scalar(text("SELECT id FROM users LIMIT 1"))
        for id in ids[1:]:
            await session.execute(
                text("INSERT INTO interactions (user_id, resource_id, interaction_type, strength, event_id)"
                     " VALUES (:who, :id, 'export', 0.5, :event)"),
                {"who": who, "id": id, "event": event},
            )  # fmt: skip
    assert (await merge(api, *map(str, ids))).status_code == 200
    async with reading() as session:
        assert list(await session.scalars(text("SELECT resource_id FROM interactions"))) == [ids[0]]
