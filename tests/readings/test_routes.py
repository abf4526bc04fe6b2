"""Reading lists over HTTP."""

import asyncio
from collections.abc import Awaitable, Callable
from uuid import uuid4

import httpx
import pytest

from tests.queue.conftest import until

pytestmark = pytest.mark.integration

Person = Callable[..., Awaitable[httpx.AsyncClient]]


async def note(client: httpx.AsyncClient, title: str = "Lamps", words: int = 500, **fields: object) -> str:
    given = {"title": title, "content": f"{title} shine. " + "lamp " * (words - 2), **fields}
    answer = await client.post("/resources", json=given)
    assert answer.status_code == 201, answer.text
    return answer.json()["id"]


async def keep(client: httpx.AsyncClient, id: str, **change: object) -> dict[str, object]:
    answer = await client.put(f"/resources/{id}/reading", json=change)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def listed(client: httpx.AsyncClient, query: str = "") -> list[str]:
    answer = await client.get(f"/reading?{query}")
    assert answer.status_code == 200, answer.text
    return [item["title"] for item in answer.json()["items"]]


async def test_a_text_is_put_on_the_list_read_and_taken_off(api: httpx.AsyncClient) -> None:
    id = await note(api)
    nothing = (await api.get(f"/resources/{id}/reading")).json()
    assert nothing == {
        "resource_id": id, "state": None, "progress": 0, "added_at": None, "updated_at": None, "finished_at": None
    }  # fmt: skip
    assert (await keep(api, id, state="unread"))["state"] == "unread"
    begun = await keep(api, id, progress=0.4)
    assert (begun["state"], begun["progress"], begun["finished_at"]) == ("reading", 0.4, None)
    ended = await keep(api, id, progress=0.99)
    assert ended["state"] == "read"
    assert ended["finished_at"] == ended["updated_at"]
    put_away = await keep(api, id, state="archived")
    assert (put_away["state"], put_away["finished_at"]) == ("archived", ended["finished_at"])
    assert await keep(api, id, state="archived") == put_away  # nothing changed
    assert (await api.get(f"/resources/{id}/reading")).json() == put_away
    assert (await keep(api, id, state="unread"))["finished_at"] is None
    assert (await api.delete(f"/resources/{id}/reading")).status_code == 204
    assert (await api.delete(f"/resources/{id}/reading")).status_code == 404
    assert (await api.get(f"/resources/{id}/reading")).json() == nothing


async def test_the_list_says_what_is_on_it_and_how_long_it_takes(api: httpx.AsyncClient) -> None:
    id = await note(api, url="https://example.org/lamps", language="en")
    kept = await keep(api, id, progress=0.25)
    answer = (await api.get("/reading")).json()
    assert answer == {
        "total": 1, "limit": 25, "next": None,
        "items": [kept | {
            "title": "Lamps", "url": "https://example.org/lamps", "site": None, "type": "note", "language": "en",
            "word_count": 500, "reading_minutes": 2,
        }],
    }  # fmt: skip
    assert (await api.get(f"/resources/{id}")).json()["reading_minutes"] == 2
    assert (await api.get("/resources")).json()["items"][0]["reading_minutes"] == 2
    assert (await api.put(f"/resources/{id}", json={"content": "Short."})).json()["reading_minutes"] == 1


async def test_pages_of_the_list_leave_nothing_out_and_show_nothing_twice(api: httpx.AsyncClient) -> None:
    titles = [f"Lamp {number}" for number in range(7)]
    for title in titles:
        await keep(api, await note(api, title), state="unread")
    seen: list[str] = []
    after = ""
    while True:
        answer = (await api.get(f"/reading?limit=3{after}")).json()
        assert answer["total"] == 7
        seen += [item["title"] for item in answer["items"]]
        if answer["next"] is None:
            break
        after = f"&after={answer['next']}"
        if len(seen) == 3:
            await note(api, "Not on the list")
    assert seen == titles[::-1]
    assert (await api.get(f"/reading?limit=1&after={answer['items'][0]['resource_id']}")).status_code == 422


async def test_one_may_choose_by_state(api: httpx.AsyncClient) -> None:
    for title, change in {
        "New": {"state": "unread"}, "Begun": {"progress": 0.5}, "Done": {"state": "read"}, "Away": {"state": "archived"}
    }.items():  # fmt: skip
        await keep(api, await note(api, title), **change)
    assert await listed(api) == ["Away", "Done", "Begun", "New"]
    assert await listed(api, "state=unread&state=reading") == ["Begun", "New"]
    assert await listed(api, "state=read") == ["Done"]
    assert (await api.get("/reading?state=read")).json()["total"] == 1
    assert (await api.get("/reading?state=lost")).status_code == 422


async def test_a_list_is_its_readers_own(api: httpx.AsyncClient, person: Person) -> None:
    mira = await person("mira", "reader")
    shared, private = await note(api, "Shared"), await note(api, "Private", private=True)
    await keep(api, shared, progress=0.5)
    await keep(api, private, progress=0.5)
    assert await listed(mira) == []
    assert (await mira.get(f"/resources/{shared}/reading")).json()["state"] is None
    assert (await mira.delete(f"/resources/{shared}/reading")).status_code == 404
    assert (await mira.get(f"/resources/{private}/reading")).status_code == 404
    assert (await mira.put(f"/resources/{private}/reading", json={"progress": 0.1})).status_code == 404
    await keep(mira, shared, state="read")
    assert (await api.get(f"/resources/{shared}/reading")).json()["progress"] == 0.5
    assert (await mira.post("/reading", json={"resource_ids": [private, str(uuid4())]})).json() == {"count": 0}


async def test_what_became_anothers_private_resource_is_off_the_list(api: httpx.AsyncClient, person: Person) -> None:
    mira = await person("mira")
    id = await note(api)
    await keep(mira, id, state="unread")
    await api.put(f"/resources/{id}", json={"private": True})
    assert await listed(mira) == []
    assert (await mira.get("/reading")).json()["total"] == 0
    await api.put(f"/resources/{id}", json={"private": False})
    assert await listed(mira) == ["Lamps"]


async def test_many_are_put_on_the_list_and_what_was_begun_stays(api: httpx.AsyncClient) -> None:
    new, begun, done = await note(api, "New"), await note(api, "Begun"), await note(api, "Done")
    await keep(api, begun, progress=0.4)
    await keep(api, done, state="read")
    assert (await api.post("/reading", json={"resource_ids": [new, begun, done, new]})).json() == {"count": 3}
    states = {id: (await api.get(f"/resources/{id}/reading")).json() for id in (new, begun, done)}
    assert [(one["state"], one["progress"]) for one in states.values()] == [
        ("unread", 0), ("reading", 0.4), ("unread", 0)
    ]  # fmt: skip
    assert states[done]["finished_at"] is None


@pytest.mark.parametrize(
    "change", [{}, {"progress": 1.1}, {"progress": -0.1}, {"state": "lost"}, {"state": None}, {"progress": "x"}]
)
async def test_what_says_nothing_is_refused(api: httpx.AsyncClient, change: dict[str, object]) -> None:
    id = await note(api)
    assert (await api.put(f"/resources/{id}/reading", json=change)).status_code == 422


async def test_two_devices_at_once_leave_one_row(api: httpx.AsyncClient) -> None:
    id = await note(api)
    places = [number / 100 for number in range(1, 21)]
    kept = await asyncio.gather(*(keep(api, id, progress=place) for place in places))
    assert {one["state"] for one in kept} == {"reading"}
    assert (await api.get(f"/resources/{id}/reading")).json()["progress"] in places
    assert (await api.get("/reading")).json()["total"] == 1


async def test_a_list_goes_with_what_is_on_it(api: httpx.AsyncClient) -> None:
    id = await note(api)
    await keep(api, id, state="unread")
    assert (await api.delete(f"/resources/{id}")).status_code == 204
    assert await listed(api) == []


async def test_reading_makes_no_event(api: httpx.AsyncClient) -> None:
    id = await note(api)
    await keep(api, id, progress=0.5)
    await keep(api, id, state="read")

    async def names() -> list[str]:
        return [event["name"] for event in (await api.get(f"/resources/{id}/timeline")).json()["items"]]

    async def told() -> bool:
        return "resource.created" in await names()

    await until(told)
    assert not [name for name in await names() if "read" in name]


async def test_who_may_only_read_has_a_list_too(person: Person, api: httpx.AsyncClient) -> None:
    id = await note(api)
    rosa = await person("rosa", "reader")
    await keep(rosa, id, progress=0.3)
    assert await listed(rosa) == ["Lamps"]
    assert await listed(api) == []
