"""What a person says are no duplicates does not come back, for that person, until it is undone."""

from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from sqlalchemy import text

from service.database import reading, transaction
from service.duplicates.separations import alike
from tests.duplicates.test_merging import groups, merge
from tests.trash.test_trash import Person, got, note

pytestmark = pytest.mark.integration

A, B, C, D = (UUID(int=number) for number in range(4))
ONE, TWO, THREE = (frozenset([UUID(int=number)]) for number in (10, 11, 12))


@pytest.mark.parametrize(
    ("separations", "left"),
    [
        ({}, [[A, B, C]]),
        ({A: ONE, B: ONE, C: ONE}, []),
        ({A: ONE, B: ONE}, [[A, B, C]]),  # both are alike to the third
        ({A: ONE, B: TWO}, [[A, C], [B, C], [A, B]]),
        ({A: ONE | TWO, B: ONE | THREE, C: TWO | THREE}, []),
        ({A: ONE | TWO, B: ONE, C: TWO}, [[B, C]]),
    ],
)
def test_what_is_left_alike(separations: Any, left: list[list[UUID]]) -> None:
    assert sorted(sorted(some) for some in alike([A, B, C], separations)) == sorted(left)


async def separate(client: httpx.AsyncClient, *ids: str) -> str:
    answer = await client.post("/duplicates/separations", json={"ids": list(ids)})
    assert answer.status_code == 201, answer.text
    return answer.json()["id"]


async def test_it_does_not_come_back_until_it_is_undone(api: httpx.AsyncClient, person: Person) -> None:
    eve = await person("eve", "reader")
    one, two, three = [await note(api, title) for title in ("One", "Two", "Three")]
    said = await separate(eve, one, two, three)
    assert await groups(eve) == []
    assert await groups(api) == [(["text"], [one, two, three])]
    [known] = (await got(eve, "/duplicates/separations"))["items"]
    assert (known["id"], [item["id"] for item in known["items"]]) == (said, [one, two, three])
    assert (await got(api, "/duplicates/separations"))["total"] == 0
    four = await note(api, "Four")
    assert await groups(eve) == [(["text"], [one, two, three, four])]  # with what came later it may be the same
    await separate(eve, four, one)
    await separate(eve, four, two)
    assert await groups(eve) == [(["text"], [three, four])]
    await separate(eve, four, three)
    assert await groups(eve) == []

    assert (await api.delete(f"/duplicates/separations/{said}")).status_code == 404
    assert (await eve.delete(f"/duplicates/separations/{said}")).status_code == 204
    assert await groups(eve) == [(["text"], [one, two, three])]
    assert (await eve.delete(f"/duplicates/separations/{said}")).status_code == 404


async def test_what_cannot_be_said(api: httpx.AsyncClient, person: Person) -> None:
    ada = await person("ada")
    one, mine = await note(api), await note(api, private=True)
    for ids, status in (([one, mine], 404), ([one, str(uuid4())], 404), ([one, one], 422), ([one], 422), ([], 422)):
        answer = await ada.post("/duplicates/separations", json={"ids": ids})
        assert answer.status_code == status, answer.text
    async with reading() as session:
        assert await session.scalar(text("SELECT count(*) FROM separations")) == 0


async def test_what_became_anothers_private_resource_is_not_told(api: httpx.AsyncClient, person: Person) -> None:
    ada = await person("ada")
    one, two = await note(api), await note(api)
    said = await separate(ada, one, two)
    await api.put(f"/resources/{one}", json={"private": True})
    assert (await got(ada, "/duplicates/separations")) == {"total": 0, "items": [], "limit": 25, "offset": 0}
    assert (await ada.delete(f"/duplicates/separations/{said}")).status_code == 204


async def test_it_goes_through_the_trash_and_ends_when_that_is_purged(api: httpx.AsyncClient) -> None:
    one, two, three = [await note(api, title) for title in ("One", "Two", "Three")]
    await separate(api, one, two, three)
    for id in (one, two):
        assert (await api.delete(f"/resources/{id}")).status_code == 204
    assert (await got(api, "/duplicates/separations"))["total"] == 0
    for id in (two, one):
        assert (await api.post(f"/resources/{id}/restore")).status_code == 200
    assert await groups(api) == []
    assert [len(said["items"]) for said in (await got(api, "/duplicates/separations"))["items"]] == [3]
    for id in (one, two):
        await api.delete(f"/resources/{id}")
        assert (await api.delete(f"/trash/{id}")).status_code == 204
    async with transaction() as session:
        left = text("SELECT resource_id FROM separations UNION SELECT id FROM trash")
        assert list(await session.scalars(left)) == [UUID(three)]


async def test_it_goes_over_when_they_are_merged(api: httpx.AsyncClient) -> None:
    kept, gone, other = [await note(api, title) for title in ("Kept", "Gone", "Other")]
    await separate(api, gone, other)
    assert (await merge(api, kept, gone)).status_code == 200
    assert await groups(api) == []  # what is no duplicate of the one that went is none of the one that stays
    assert (await api.post(f"/resources/{gone}/restore")).status_code == 200
    assert await groups(api) == [(["text"], [kept, gone, other])]


async def test_the_page_says_it_and_takes_it_back(api: httpx.AsyncClient, person: Person) -> None:
    eve = await person("eve", "reader")
    one, two = await note(api, "Lamp"), await note(api, "Lamp, again")
    shown = (await eve.get("/ui/duplicates")).text
    assert ("They are no duplicates" in shown, ">Merge<" in shown) == (True, False)
    assert "/ui/duplicates?of=" in (await eve.get(f"/ui/resources/{two}")).text
    form = {"member": [one, two], "keep": one, "id": two}
    answer = await eve.post("/ui/duplicates/separations", data=form, headers={"Origin": "http://pharos.test"})
    assert answer.status_code == 303
    said = answer.headers["location"].partition("apart=")[2]
    page = (await eve.get(answer.headers["location"])).text
    assert ("Nothing is in your library twice" in page, f"/ui/duplicates/separations/{said}" in page) == (True, True)
    for path in (f"/ui/resources/{two}", "/ui/"):
        assert 'class="twin"' not in (await eve.get(path)).text.replace("panel twin", "twin")
        assert 'class="twin"' in (await api.get(path)).text.replace("panel twin", "twin")
    assert "Lamp, again" in (await eve.get("/ui/duplicates?show=apart")).text
    undone = await eve.post(f"/ui/duplicates/separations/{said}", headers={"Origin": "http://pharos.test"})
    assert (undone.status_code, await groups(eve)) == (303, [(["text"], [one, two])])
