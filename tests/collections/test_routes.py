"""Collections over HTTP."""

from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest

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
        "updated_at": made["updated_at"],
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
