"""HTTP for notifications: one's own, and nobody else's."""

from collections.abc import Awaitable, Callable
from uuid import UUID, uuid4

import httpx
import pytest

from service.security.accounts import Account
from service.security.permissions import ROLES
from tests.notifications.conftest import facts, happened
from tests.search.conftest import add

pytestmark = pytest.mark.integration

NewPerson = Callable[..., Awaitable[httpx.AsyncClient]]


async def account(client: httpx.AsyncClient) -> Account:
    me = (await client.get("/users/me")).json()
    return Account(UUID(me["id"]), me["username"], me["role"], ROLES[me["role"]])


async def tell(client: httpx.AsyncClient, *titles: str) -> None:
    """Tell somebody of quizzes that failed, which are not grouped, and of documents, which are."""
    who = await account(client)
    for title in titles:
        id = await add(who, title, f"All about {title}.")
        failed = {"task_id": str(uuid4()), "queue": "batch", "attempts": 1, "error": "x", "reason": "permanent"}
        await happened(
            facts("background_task.failed", who.id, task_name=title, **failed),
            facts("indexing.completed", who.id, document_id=uuid4(), resource_id=id, user_id=who.id),
        )


async def test_a_list_with_filters_and_pages(person: NewPerson) -> None:
    ada = await person("ada", "editor")
    await tell(ada, "one", "two", "three")
    all_of_it = (await ada.get("/notifications")).json()
    assert (all_of_it["total"], all_of_it["unread"], len(all_of_it["items"])) == (4, 4, 4)
    assert [item["count"] for item in all_of_it["items"] if item["kind"] == "document_ready"] == [3]
    page = (await ada.get("/notifications", params={"limit": 2, "offset": 2})).json()
    assert page["items"] == all_of_it["items"][2:]
    failed = (await ada.get("/notifications", params={"kind": "task_failed"})).json()
    assert [item["title"] for item in failed["items"]] == [f"The task “{n}” failed" for n in ("three", "two", "one")]
    first = all_of_it["items"][0]["id"]
    read = (await ada.post(f"/notifications/{first}/read")).json()
    again = (await ada.post(f"/notifications/{first}/read")).json()
    assert (read["read"], again["read_at"]) == (True, read["read_at"])
    assert (await ada.get("/notifications/count")).json()["unread"] == 3
    assert (await ada.get("/notifications", params={"unread": True})).json()["total"] == 3
    assert [item["id"] for item in (await ada.get("/notifications", params={"unread": False})).json()["items"]] == [
        first
    ]
    assert (await ada.post("/notifications/read-all")).json() == {"read": 3}
    assert (await ada.post("/notifications/read-all")).json() == {"read": 0}
    assert (await ada.get("/notifications/count")).json()["unread"] == 0
    assert (await ada.delete(f"/notifications/{first}")).status_code == 204
    assert (await ada.delete(f"/notifications/{first}")).status_code == 404
    assert (await ada.get("/notifications")).json()["total"] == 3


async def test_nobody_reaches_anothers(person: NewPerson) -> None:
    ada, ben = await person("ada", "editor"), await person("ben", "reader")
    await tell(ada, "secret")
    for item in (await ada.get("/notifications")).json()["items"]:
        assert (await ben.post(f"/notifications/{item['id']}/read")).status_code == 404
        assert (await ben.delete(f"/notifications/{item['id']}")).status_code == 404
    assert (await ben.post("/notifications/read-all")).json() == {"read": 0}
    assert (await ben.get("/notifications")).json()["total"] == 0
    assert (await ada.get("/notifications")).json()["unread"] == 2


async def test_preferences(person: NewPerson) -> None:
    ada, ben = await person("ada", "reader"), await person("ben")
    before = (await ada.get("/notifications/preferences")).json()
    assert [kind for kind, wanted in before.items() if not wanted] == ["collection_changed"]
    changed = await ada.put("/notifications/preferences", json={"quiz_ready": False, "collection_changed": True})
    assert changed.json() == before | {"quiz_ready": False, "collection_changed": True}
    assert (await ada.put("/notifications/preferences", json={})).json() == changed.json()
    assert (await ben.get("/notifications/preferences")).json() == before


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "/notifications?limit=101", None),
        ("GET", "/notifications?unread=maybe", None),
        ("GET", "/notifications?kind=unknown", None),
        ("PUT", "/notifications/preferences", {"unknown": True}),
        ("PUT", "/notifications/preferences", {"quiz_ready": "sometimes"}),
    ],
)
async def test_bad_input(person: NewPerson, method: str, path: str, body: object) -> None:
    ada = await person("ada")
    assert (await ada.request(method, path, json=body)).status_code == 422


async def test_an_id_that_is_none_is_nobodys(person: NewPerson) -> None:
    ada = await person("ada")
    assert (await ada.post("/notifications/nonsense/read")).status_code == 404
