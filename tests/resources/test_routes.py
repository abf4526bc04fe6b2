"""Resources over HTTP: names, shapes and statuses as clients use them."""

from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest

pytestmark = pytest.mark.integration

NOTE: dict[str, Any] = {
    "title": "The lamp",
    "content": "It shines over the harbour.",
    "tags": ["light"],
    "language": "en",
}
Person = Callable[..., Awaitable[httpx.AsyncClient]]


async def add(client: httpx.AsyncClient, **fields: Any) -> dict[str, Any]:
    answer = await client.post("/resources", json=NOTE | fields)
    assert answer.status_code == 201, answer.text
    return answer.json()


async def names(api: httpx.AsyncClient, id: str) -> list[str]:
    """Return the events of a resource, those of the outbox included once the relay has carried them."""
    for _ in range(100):
        outbox = (await api.get("/ready")).json()["checks"]["outbox"]
        if outbox["waiting"] == 0:
            break
    return [item["name"] for item in (await api.get(f"/resources/{id}/timeline")).json()["items"]]


async def test_a_resource_is_made_read_changed_and_deleted(api: httpx.AsyncClient) -> None:
    made = await api.post("/resources", json=NOTE)
    id = made.json()["id"]
    assert (made.status_code, made.headers["location"], made.headers["etag"]) == (201, f"/resources/{id}", '"1"')
    assert made.json() | NOTE == made.json()
    assert (await api.get(f"/resources/{id}")).json() == made.json()
    changed = await api.put(f"/resources/{id}", json={"title": "The lantern"})
    assert (changed.status_code, changed.json()["title"], changed.json()["version"]) == (200, "The lantern", 2)
    assert (await api.get(f"/resources/{id}")).headers["etag"] == '"2"'
    assert (await api.delete(f"/resources/{id}")).status_code == 204
    assert (await api.get(f"/resources/{id}")).status_code == 404
    assert (await api.delete(f"/resources/{id}")).status_code == 404


async def test_a_change_makes_its_events_and_an_unchanged_put_makes_none(api: httpx.AsyncClient) -> None:
    id = (await add(api))["id"]
    await api.put(f"/resources/{id}", json={"title": "The lamp", "tags": ["light"]})
    assert await names(api, id) == ["resource.created", "resource.content_changed"]
    await api.put(f"/resources/{id}", json={"title": "The lantern"})
    assert (await names(api, id))[2:] == ["resource.updated", "resource.metadata_changed"]
    await api.put(f"/resources/{id}", json={"content": "It is dark."})
    assert (await names(api, id))[4:] == ["resource.updated", "resource.content_changed"]


async def test_if_match(api: httpx.AsyncClient) -> None:
    id = (await add(api))["id"]
    assert (await api.put(f"/resources/{id}", json={"title": "2"}, headers={"If-Match": '"1"'})).status_code == 200
    lost = await api.put(f"/resources/{id}", json={"title": "3"}, headers={"If-Match": '"1"'})
    assert (lost.status_code, lost.headers["content-type"]) == (412, "application/problem+json")
    assert (await api.put(f"/resources/{id}", json={"title": "3"}, headers={"If-Match": "*"})).status_code == 200
    assert (await api.put(f"/resources/{id}", json={"title": "4"}, headers={"If-Match": "soon"})).status_code == 422


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"title": "x"},
        {"title": "", "content": "y"},
        {"title": "x", "content": "y", "html": "<p>z"},
        {"title": "x", "content": "y", "url": "javascript:alert(1)"},
        {"title": "x", "content": "y", "url": "https://me:secret@example.org/"},
        {"title": "x", "content": "y", "language": "English please"},
        {"title": "x", "content": "y", "tags": ["", "a"]},
        {"title": "x", "content": "y", "published_at": "yesterday"},
        {"title": "x", "content": "y", "id": "00000000-0000-0000-0000-000000000000"},
    ],
)
async def test_what_is_wrong_is_a_422_and_nothing_is_made(api: httpx.AsyncClient, body: dict[str, Any]) -> None:
    assert (await api.post("/resources", json=body)).status_code == 422
    assert (await api.get("/resources")).json()["total"] == 0


async def test_null_empties_what_may_be_empty(api: httpx.AsyncClient) -> None:
    id = (await add(api, description="long"))["id"]
    changed = await api.put(f"/resources/{id}", json={"description": None, "tags": None})
    assert (changed.json().get("description"), changed.json()["tags"]) == (None, [])
    assert (await api.put(f"/resources/{id}", json={"title": None})).status_code == 422


async def test_a_time_without_a_zone_is_utc(api: httpx.AsyncClient) -> None:
    made = await add(api, published_at="1822-07-29")
    assert made["published_at"] == "1822-07-29T00:00:00Z"


async def test_lists_are_filtered_sorted_and_paged(api: httpx.AsyncClient) -> None:
    for number in range(5):
        await add(
            api, title=f"Lamp {number}", type="note" if number % 2 else "essay", subjects=["optics"] * (number > 2)
        )
    listed = (await api.get("/resources", params={"sort": "title", "limit": 2, "offset": 1})).json()
    assert (listed["total"], listed["limit"], listed["offset"]) == (5, 2, 1)
    assert [item["title"] for item in listed["items"]] == ["Lamp 1", "Lamp 2"]
    assert "content" not in listed["items"][0]
    assert (await api.get("/resources", params={"type": "essay"})).json()["total"] == 3
    assert (await api.get("/resources", params={"type": ["essay", "note"]})).json()["total"] == 5
    assert (await api.get("/resources", params={"subject": "optics"})).json()["total"] == 2
    assert (await api.get("/resources", params={"q": "p 3"})).json()["total"] == 1
    assert (await api.get("/resources", params={"q": "100%"})).json()["total"] == 0
    assert (await api.get("/resources", params={"created_from": "2999-01-01"})).json()["total"] == 0
    assert (await api.get("/resources", params={"sort": "size"})).status_code == 422


async def test_a_private_resource_is_nobody_else_s(api: httpx.AsyncClient, person: Person) -> None:
    ada, bob = await person("ada"), await person("bob")
    secret = await add(ada, private=True)
    path = f"/resources/{secret['id']}"
    for client in (bob, api):
        assert (await client.get(path)).status_code == 404
        assert (await client.put(path, json={"title": "mine"})).status_code == 404
        assert (await client.delete(path)).status_code == 404
        assert (await client.get(f"{path}/status")).status_code == 404
        assert (await client.get(f"{path}/timeline")).status_code == 404
        assert (await client.get(f"{path}/citations")).status_code == 404
        assert (await client.post(f"{path}/reprocess", json={"from": "indexed"})).status_code == 404
        assert (await client.get("/resources")).json()["total"] == 0
        history = (await client.get("/events/history", params={"limit": 1000})).text
        assert secret["id"] not in history
    assert (await ada.get(path)).status_code == 200
    assert (await ada.get("/resources")).json()["total"] == 1


async def test_a_reader_reads(api: httpx.AsyncClient, person: Person) -> None:
    reader, id = await person("rea", "reader"), (await add(api))["id"]
    assert (await reader.get(f"/resources/{id}")).status_code == 200
    assert (await reader.put(f"/resources/{id}", json={"title": "x"})).status_code == 403
    assert (await reader.post("/resources", json=NOTE)).status_code == 403


async def test_the_same_text_again_is_marked(api: httpx.AsyncClient) -> None:
    first, second = await add(api), await add(api, title="Another lamp")
    assert second["duplicate_of"] == first["id"]


async def test_an_idempotency_key_makes_one_resource(api: httpx.AsyncClient) -> None:
    key = {"Idempotency-Key": "one"}
    first = await api.post("/resources", json=NOTE, headers=key)
    again = await api.post("/resources", json=NOTE, headers=key)
    assert (again.status_code, again.json()["id"]) == (201, first.json()["id"])
    assert again.headers["idempotent-replayed"] == "true"
    other = await api.post("/resources", json=NOTE | {"title": "Else"}, headers=key)
    assert other.status_code == 422
    assert (await api.get("/resources")).json()["total"] == 1


async def test_an_idempotency_key_belongs_to_its_account(api: httpx.AsyncClient, person: Person) -> None:
    key = {"Idempotency-Key": "one"}
    mine = await api.post("/resources", json=NOTE, headers=key)
    hers = await (await person("ada")).post("/resources", json=NOTE, headers=key)
    assert (hers.status_code, hers.json()["id"] != mine.json()["id"]) == (201, True)


async def test_a_correlation_id_is_answered_and_carried(api: httpx.AsyncClient) -> None:
    answer = await api.post("/resources", json=NOTE, headers={"X-Correlation-ID": "letter-7"})
    assert answer.headers["x-correlation-id"] == "letter-7"
    await names(api, answer.json()["id"])
    events = (await api.get("/events/history", params={"correlation_id": "letter-7"})).json()
    assert [event["name"] for event in events["events"]] == ["resource.created", "resource.content_changed"]
    assert len((await api.get("/health")).headers["x-correlation-id"]) == 36
    assert (await api.get("/health", headers={"X-Correlation-ID": "\x07"})).headers["x-correlation-id"] != "\x07"
