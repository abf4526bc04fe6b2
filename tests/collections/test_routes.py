"""Collections over HTTP."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from sqlalchemy import select
from starlette.applications import Starlette

from service.database import reading, transaction
from service.event_log import EventRow
from service.outbox import OutboxRow
from service.search.actions import index

pytestmark = pytest.mark.integration

Person = Callable[..., Awaitable[httpx.AsyncClient]]


async def make(client: httpx.AsyncClient, name: str = "Lamps", **fields: Any) -> dict[str, Any]:
    answer = await client.post("/collections", json={"name": name, **fields})
    assert answer.status_code == 201, answer.text
    return answer.json()


async def note(client: httpx.AsyncClient, title: str, **fields: Any) -> str:
    answer = await client.post("/resources", json={"title": title, "content": f"The words of {title}.", **fields})
    assert answer.status_code == 201, answer.text
    return answer.json()["id"]


async def put(client: httpx.AsyncClient, collection: dict[str, Any], *ids: str) -> dict[str, Any]:
    answer = await client.post(f"/collections/{collection['id']}/resources", json={"resource_ids": ids})
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_a_collection_is_made_read_changed_and_deleted(api: httpx.AsyncClient) -> None:
    answer = await api.post("/collections", json={"name": "  Lamps \n of the sea", "description": "All of them."})
    made = answer.json()
    assert (answer.status_code, answer.headers["location"]) == (201, f"/collections/{made['id']}")
    assert made == {
        "id": made["id"], "name": "Lamps of the sea", "description": "All of them.", "visibility": "private",
        "parent_id": None, "own": True, "resource_count": 0, "created_at": made["created_at"],
        "updated_at": made["updated_at"], "version": 1,
    }  # fmt: skip
    assert (await api.get(f"/collections/{made['id']}")).json() == made
    changed = (await api.put(f"/collections/{made['id']}", json={"name": "Lights", "description": None})).json()
    assert (changed["name"], changed["description"]) == ("Lights", None)
    assert (await api.delete(f"/collections/{made['id']}")).status_code == 204
    assert (await api.get(f"/collections/{made['id']}")).status_code == 404
    assert (await api.delete(f"/collections/{made['id']}")).status_code == 404


async def test_resources_are_put_in_listed_counted_and_taken_out(api: httpx.AsyncClient) -> None:
    lamps = await make(api)
    first, second = await note(api, "First"), await note(api, "Second")
    assert await put(api, lamps, first, second, first) == {"added": sorted([first, second]), "resource_count": 2}
    assert await put(api, lamps, first) == {"added": [], "resource_count": 2}
    listed = (await api.get(f"/collections/{lamps['id']}/resources?sort=title&limit=1")).json()
    assert (listed["total"], [item["title"] for item in listed["items"]]) == (2, ["First"])
    assert "content" not in listed["items"][0]
    assert (await api.delete(f"/collections/{lamps['id']}/resources/{first}")).status_code == 204
    assert (await api.delete(f"/collections/{lamps['id']}/resources/{first}")).status_code == 404
    assert (await api.get(f"/collections/{lamps['id']}")).json()["resource_count"] == 1
    await api.delete(f"/resources/{second}")
    assert (await api.get("/collections")).json()["items"][0]["resource_count"] == 0


async def told(name: str) -> list[OutboxRow | EventRow]:
    """Return the events of a name, carried on or not yet."""
    async with reading() as session:
        waiting = list(await session.scalars(select(OutboxRow).where(OutboxRow.name == name)))
        carried = list(await session.scalars(select(EventRow).where(EventRow.name == name)))
    known = {row.id for row in carried}
    return [*carried, *(row for row in waiting if row.id not in known)]


async def test_events_tell_what_happened(api: httpx.AsyncClient) -> None:
    lamps, shared = await make(api), await make(api, "Shared", visibility="shared")
    first, private = await note(api, "First"), await note(api, "Mine", private=True)
    await put(api, shared, first, private)
    await put(api, shared, first)
    await api.put(f"/collections/{lamps['id']}", json={"name": "Lamps"})
    await api.put(f"/collections/{lamps['id']}", json={"name": "Lights", "parent_id": shared["id"]})
    await api.delete(f"/collections/{shared['id']}/resources/{first}")
    await api.delete(f"/collections/{lamps['id']}")
    [created, _] = await told("collection.created")
    assert created.data == {"collection_id": lamps["id"], "name": "Lamps", "user_id": created.data["user_id"]}
    owner = UUID(created.data["user_id"])
    assert [row.audience for row in await told("collection.created")] == [owner, None]
    assert [row.data["changed_fields"] for row in await told("collection.updated")] == [["name", "parent_id"]]
    added = {row.audience: row.data["resource_ids"] for row in await told("collection.resource_added")}
    assert added == {None: [first], owner: [private]}
    assert [row.data["resource_ids"] for row in await told("collection.resource_removed")] == [[first]]
    assert [row.data["name"] for row in await told("collection.deleted")] == ["Lights"]


async def test_who_may_see_and_change_what(api: httpx.AsyncClient, person: Person) -> None:
    mira = await person("mira")
    private, shared = await make(api), await make(api, "Shared", visibility="shared")
    inside = await make(api, "Inside", visibility="public", parent_id=private["id"])
    first, hidden = await note(api, "First"), await note(api, "Hidden", private=True)
    for one in (private, shared, inside):
        await put(api, one, first, hidden)
    for path in ("", "/resources", "/similar", "/recommendations"):
        assert (await mira.get(f"/collections/{private['id']}{path}")).status_code == 404
        assert (await mira.get(f"/collections/{shared['id']}{path}")).status_code == 200
    seen = (await mira.get(f"/collections/{shared['id']}")).json()
    assert (seen["own"], seen["resource_count"]) == (False, 1)
    assert (await api.get(f"/collections/{shared['id']}")).json()["resource_count"] == 2
    listed = (await mira.get("/collections")).json()
    assert [(one["name"], one["parent_id"], one["resource_count"]) for one in listed["items"]] == [
        ("Inside", None, 1), ("Shared", None, 1),
    ]  # fmt: skip
    members = (await mira.get(f"/collections/{shared['id']}/resources")).json()
    assert (members["total"], [one["id"] for one in members["items"]]) == (1, [first])
    assert (await mira.get(f"/collections?resource_id={hidden}")).json()["total"] == 0
    assert (await api.get(f"/collections?resource_id={hidden}&own=true")).json()["total"] == 3
    for status, one in ((403, shared), (404, private)):
        path = f"/collections/{one['id']}"
        assert (await mira.put(path, json={"name": "Mine"})).status_code == status
        assert (await mira.delete(path)).status_code == status
        assert (await mira.post(f"{path}/resources", json={"resource_ids": [first]})).status_code == status
        assert (await mira.delete(f"{path}/resources/{first}")).status_code == status
        assert (await mira.post("/collections", json={"name": "x", "parent_id": one["id"]})).status_code == status
    own = await make(mira)
    refused = await mira.post(f"/collections/{own['id']}/resources", json={"resource_ids": [first, hidden]})
    assert (refused.status_code, hidden in refused.json()["detail"]) == (404, True)
    assert first not in refused.json()["detail"]
    assert (await mira.get(f"/collections/{own['id']}")).json()["resource_count"] == 0


async def test_a_public_collection_is_read_without_an_account(api: httpx.AsyncClient, application: Starlette) -> None:
    public, shared = await make(api, visibility="public", description="d"), await make(api, visibility="shared")
    first, hidden = await note(api, "First", url="https://example.org/"), await note(api, "Hidden", private=True)
    await put(api, public, first, hidden)
    transport = httpx.ASGITransport(application)
    async with httpx.AsyncClient(transport=transport, base_url="http://pharos") as anybody:
        page = (await anybody.get(f"/public/collections/{public['id']}")).json()
        assert (page["name"], page["description"], page["resource_count"], page["total"]) == ("Lamps", "d", 1, 1)
        assert [(one["id"], one["title"], one["url"]) for one in page["items"]] == [
            (first, "First", "https://example.org/")
        ]
        assert set(page["items"][0]) == {
            "id", "title", "url", "description", "type", "language", "authors", "published_at",
        }  # fmt: skip
        assert (await anybody.get(f"/public/collections/{public['id']}?offset=1")).json()["items"] == []
        assert (await anybody.get(f"/public/collections/{shared['id']}")).status_code == 404
        assert (await anybody.get(f"/collections/{public['id']}")).status_code == 401
        await api.put(f"/collections/{public['id']}", json={"visibility": "private"})
        assert (await anybody.get(f"/public/collections/{public['id']}")).status_code == 404


async def test_collections_are_nested_without_circles(api: httpx.AsyncClient) -> None:
    top = await make(api, "1")
    middle = await make(api, "2", parent_id=top["id"])
    low = await make(api, "3", parent_id=middle["id"])
    for one, parent in ((top, top), (top, middle), (top, low), (middle, low)):
        refused = await api.put(f"/collections/{one['id']}", json={"parent_id": parent["id"]})
        assert (refused.status_code, "itself" in refused.json()["detail"]) == (409, True)
    assert (await api.get(f"/collections?parent_id={top['id']}")).json()["items"][0]["id"] == middle["id"]
    moved = await api.put(f"/collections/{low['id']}", json={"parent_id": None})
    assert moved.json()["parent_id"] is None
    await api.put(f"/collections/{low['id']}", json={"parent_id": middle["id"]})
    await api.delete(f"/collections/{middle['id']}")
    assert (await api.get(f"/collections/{low['id']}")).json()["parent_id"] == top["id"]
    assert (await api.post("/collections", json={"name": "x", "parent_id": str(uuid4())})).status_code == 404


async def test_two_moves_at_once_make_no_circle(api: httpx.AsyncClient) -> None:
    for _ in range(5):
        one, other = await make(api, "1"), await make(api, "2")
        answers = await asyncio.gather(
            api.put(f"/collections/{one['id']}", json={"parent_id": other["id"]}),
            api.put(f"/collections/{other['id']}", json={"parent_id": one["id"]}),
        )
        assert sorted(answer.status_code for answer in answers) == [200, 409]


async def test_moves_and_deletions_at_once_end(api: httpx.AsyncClient) -> None:
    top = await make(api, "top")
    children = [await make(api, f"{n}", parent_id=top["id"]) for n in range(5)]
    answers = await asyncio.gather(
        *(api.put(f"/collections/{one['id']}", json={"parent_id": None, "name": "x"}) for one in children),
        api.delete(f"/collections/{top['id']}"),
        *(api.put(f"/collections/{one['id']}", json={"parent_id": children[0]["id"]}) for one in children[1:]),
    )
    assert {answer.status_code for answer in answers} <= {200, 204}


async def test_nesting_has_a_bound(api: httpx.AsyncClient) -> None:
    chain = [await make(api, "0")]
    for n in range(1, 20):
        chain.append(await make(api, str(n), parent_id=chain[-1]["id"]))
    deeper = await api.post("/collections", json={"name": "x", "parent_id": chain[-1]["id"]})
    assert (deeper.status_code, "at most 20" in deeper.json()["detail"]) == (409, True)
    other = await make(api, "other")
    assert (await api.put(f"/collections/{chain[0]['id']}", json={"parent_id": other["id"]})).status_code == 409


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"name": ""},
        {"name": " \n "},
        {"name": "x" * 10_240},
        {"name": "a\x00b"},
        {"name": "a\x1bb"},
        {"name": None},
        {"name": "x", "visibility": "secret"},
        {"name": "x", "visibility": None},
        {"name": "x", "parent_id": "top"},
        {"name": "x", "description": "x" * 20_001},
        {"name": "x", "owner_id": str(uuid4())},
    ],
)
async def test_bad_input_is_refused(api: httpx.AsyncClient, body: dict[str, Any]) -> None:
    answer = await api.post("/collections", json=body)
    assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json")
    lamps = await make(api)
    if body not in ({},):
        assert (await api.put(f"/collections/{lamps['id']}", json=body)).status_code == 422


async def test_additions_have_bounds(api: httpx.AsyncClient) -> None:
    lamps = await make(api)
    for ids in ([], ["x"], [str(uuid4())] * 1001):
        answer = await api.post(f"/collections/{lamps['id']}/resources", json={"resource_ids": ids})
        assert answer.status_code == 422
    many = [str(uuid4()) for _ in range(1000)]
    answer = await api.post(f"/collections/{lamps['id']}/resources", json={"resource_ids": many})
    assert (answer.status_code, "and 980 more" in answer.json()["detail"]) == (404, True)
    assert (await api.get("/collections?limit=101")).status_code == 422
    assert (await api.delete(f"/collections/{lamps['id']}/resources/x")).status_code == 404


async def test_the_same_additions_at_once_count_once(api: httpx.AsyncClient) -> None:
    lamps = await make(api)
    ids = [await note(api, str(n)) for n in range(5)]
    answers = await asyncio.gather(*(put(api, lamps, *ids[:: 1 if n % 2 else -1]) for n in range(6)))
    assert sorted(len(answer["added"]) for answer in answers) == [0] * 5 + [5]
    assert {answer["resource_count"] for answer in answers} == {5}


async def test_a_collection_narrows_lists_and_searches_down(api: httpx.AsyncClient, person: Person) -> None:
    mira = await person("mira")
    lamps = await make(api)
    inside, _ = await note(api, "Inside"), await note(api, "Outside")
    await put(api, lamps, inside)
    for id in (inside, _):
        async with transaction() as session:
            assert await index(session, UUID(id))
    for path in (f"/resources?collection={lamps['id']}", f"/search?query=words&mode=keyword&collection={lamps['id']}"):
        assert [one["id"] for one in (await api.get(path)).json()["items"]] == [inside]
        assert (await mira.get(path)).json()["total"] == 0
        assert (await api.get(path + "x")).status_code == 422
    assert (await mira.get("/search?query=words&mode=keyword")).json()["total"] == 2


async def test_what_comes_in_goes_into_a_collection(api: httpx.AsyncClient, person: Person) -> None:
    mira = await person("mira")
    lamps = await make(api, visibility="shared")
    into = {"collection_id": lamps["id"]}
    given = {"title": "x", "content": "y"} | into
    ids = [(await api.post("/resources", json=given)).json()["id"]]
    ids.append((await api.post("/resources", json={"title": "x", "html": "<p>y"} | into)).json()["id"])
    ids.append((await api.post("/ingest", json={"url": "https://example.org/1"} | into)).json()["id"])
    again = (await api.post("/ingest", json={"url": "https://example.org/1"} | into)).json()
    assert again["duplicate"]
    many = (await api.post("/ingest", json={"urls": ["https://example.org/2", "nonsense"]} | into)).json()
    ids.append(many["items"][0]["id"])
    listed = (await api.get(f"/collections/{lamps['id']}/resources")).json()
    assert {one["id"] for one in listed["items"]} == set(ids)
    before = (await mira.get("/resources")).json()["total"]
    for status, id in ((403, lamps["id"]), (404, str(uuid4()))):
        for path, body in (
            ("/resources", given), ("/ingest", {"url": "https://example.org/3"}),
            ("/ingest", {"urls": ["https://example.org/3"]}),
        ):  # fmt: skip
            assert (await mira.post(path, json=body | {"collection_id": id})).status_code == status
    assert (await mira.get("/resources")).json()["total"] == before  # nothing is left of what was refused
