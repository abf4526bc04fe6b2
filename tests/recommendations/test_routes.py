"""HTTP: interactions in, recommendations out, and what is wrong with either."""

from uuid import uuid4

import httpx
import pytest
from sqlalchemy import func, select, text

from service.database import reading, transaction
from service.recommendations.tables import Interaction, InteractionCount
from service.tasks import PROFILE
from tests.recommendations.conftest import Person
from tests.sent import Sent

pytestmark = pytest.mark.integration


async def note(client: httpx.AsyncClient, title: str = "Lighthouses", **fields: object) -> str:
    answer = await client.post("/resources", json={"title": title, "content": f"The text of {title}.", **fields})
    assert answer.status_code == 201, answer.text
    return answer.json()["id"]


async def view(client: httpx.AsyncClient, resource_id: str, **fields: object) -> httpx.Response:
    return await client.post("/interactions", json={"resource_id": resource_id, "interaction_type": "view", **fields})


async def rows() -> int:
    async with reading() as session:
        return await session.scalar(select(func.count()).select_from(Interaction)) or 0


async def carried() -> bool:
    """Tell whether the relay has carried on all there is."""
    async with reading() as session:
        return not await session.scalar(text("SELECT count(*) FROM outbox"))


async def test_the_ninth_interaction_starts_nothing_and_the_tenth_one_task(api: httpx.AsyncClient, sent: Sent) -> None:
    from tests.queue.conftest import until

    resource_id = await note(api)
    me = (await api.get("/users/me")).json()["id"]
    for number in range(1, 10):
        answer = await view(api, resource_id)
        assert (answer.status_code, answer.json()) == (201, {"total_interactions": number})
    await until(carried)
    sent.refute(PROFILE)
    await view(api, resource_id)
    asked = await sent.expect(PROFILE, user_id=me)
    assert (asked.after, PROFILE.queue.name, PROFILE.limit) == (300, "batch", 120)
    await view(api, resource_id)
    await until(carried)
    assert len(sent.of(PROFILE)) == 1


async def test_what_was_done_is_recorded_with_its_strength(api: httpx.AsyncClient) -> None:
    resource_id = await note(api)
    assert (await view(api, resource_id, dwell_seconds=200)).status_code == 201
    rated = {"resource_id": resource_id, "interaction_type": "rating", "rating": 4}
    assert (await api.post("/interactions", json=rated)).json() == {"total_interactions": 2}
    async with reading() as session:
        found = (await session.scalars(select(Interaction).order_by(Interaction.id))).all()
    assert [(one.interaction_type, one.rating, one.dwell_seconds) for one in found] == [
        ("view", None, 200),
        ("rating", 4, None),
    ]
    assert [one.strength for one in found] == pytest.approx([0.3, 0.8])


@pytest.mark.parametrize(
    "body",
    [
        {"interaction_type": "rating"},
        {"interaction_type": "rating", "rating": 6},
        {"interaction_type": "rating", "rating": 0},
        {"interaction_type": "rating", "rating": 2.5},
        {"interaction_type": "view", "rating": 3},
        {"interaction_type": "view", "dwell_seconds": -1},
        {"interaction_type": "view", "dwell_seconds": 86_401},
        {"interaction_type": "view", "dwell_seconds": "long"},
        {"interaction_type": "export", "dwell_seconds": 3},
        {"interaction_type": "glance"},
        {"interaction_type": "view", "resource_id": "none"},
        {"interaction_type": "view", "mood": "good"},
        {},
    ],
)
async def test_what_is_no_interaction_is_refused(api: httpx.AsyncClient, body: dict[str, object]) -> None:
    resource_id = await note(api)
    answer = await api.post("/interactions", json={"resource_id": resource_id, **body})
    assert answer.status_code == 422, answer.text
    assert answer.json()["errors"]
    assert await rows() == 0


@pytest.mark.parametrize("number", ["1e999", "Infinity", "NaN", "-1e999"])
async def test_nobody_reads_for_ever(api: httpx.AsyncClient, number: str) -> None:
    body = f'{{"resource_id": "{await note(api)}", "interaction_type": "view", "dwell_seconds": {number}}}'
    assert (await api.post("/interactions", content=body)).status_code == 422
    assert await rows() == 0


async def test_what_one_may_not_see_one_cannot_touch(api: httpx.AsyncClient, person: Person) -> None:
    mira = await person("mira")
    hidden = await note(api, private=True)
    for resource_id in (hidden, str(uuid4())):
        assert (await view(mira, resource_id)).status_code == 404
        assert (await mira.post(f"/recommendations/{resource_id}/dismiss")).status_code == 404
    assert (await mira.post("/recommendations/none/dismiss")).status_code == 404
    assert await rows() == 0


async def test_what_is_deleted_is_not_remembered(api: httpx.AsyncClient, person: Person) -> None:
    mira = await person("mira")
    kept, gone = await note(mira, "Kept"), await note(mira, "Gone")
    await view(mira, kept)
    await view(mira, gone)
    assert (await api.delete(f"/resources/{gone}")).status_code == 204
    assert await rows() == 1
    assert (await view(mira, kept)).json() == {"total_interactions": 3}  # the tenth comes once
    mine = (await mira.get("/users/me")).json()["id"]
    async with transaction() as session:
        await session.execute(text("DELETE FROM resources"))
        await session.execute(text("DELETE FROM trash"))
        await session.execute(text("DELETE FROM users WHERE id = :id"), {"id": mine})
    assert await rows() == 0
    async with reading() as session:
        assert await session.scalar(select(func.count()).select_from(InteractionCount)) == 0


async def test_a_download_records_itself(api: httpx.AsyncClient, person: Person) -> None:
    mira = await person("mira")
    uploaded = await api.post("/documents", files={"file": ("lamp.txt", b"The lamp is lit.", "text/plain")})
    (item,) = uploaded.json()["items"]
    assert (await mira.head(f"/documents/{item['id']}/download")).status_code == 200
    assert await rows() == 0
    assert (await mira.get(f"/documents/{item['id']}/download")).content == b"The lamp is lit."
    async with reading() as session:
        (found,) = (await session.scalars(select(Interaction))).all()
    assert (str(found.resource_id), found.interaction_type) == (item["resource_id"], "download")
    assert str(found.user_id) == (await mira.get("/users/me")).json()["id"]
    await api.get(f"/documents/{uuid4()}/download")
    assert await rows() == 1


async def test_a_newcomer_is_recommended_what_is_new(api: httpx.AsyncClient, person: Person) -> None:
    mira = await person("mira")
    ids = {await note(api, title) for title in ("Lighthouses", "Lenses")}
    await note(api, "Diary", private=True)
    answer = (await mira.get("/recommendations", params={"limit": 10})).json()
    assert {item["id"] for item in answer["items"]} == ids
    assert (answer["total"], answer["limit"], answer["offset"]) == (2, 10, 0)
    item = answer["items"][0]
    assert set(item) == {"id", "title", "url", "score", "why"} or set(item) == {"id", "title", "score", "why"}
    assert item["why"] == "New in the library"
    assert 0 <= item["score"] <= 1


@pytest.mark.parametrize("params", [{"limit": 0}, {"limit": 101}, {"limit": "many"}, {"offset": -1}, {"depth": 1}])
async def test_odd_pages_are_refused(api: httpx.AsyncClient, params: dict[str, int | str]) -> None:
    assert (await api.get("/recommendations", params=params)).status_code == 422


async def test_an_empty_library_recommends_nothing(api: httpx.AsyncClient) -> None:
    assert (await api.get("/recommendations")).json() == {"total": 0, "items": [], "limit": 25, "offset": 0}


async def test_pages_neither_overlap_nor_leave_anything_out(api: httpx.AsyncClient, person: Person) -> None:
    mira = await person("mira")
    ids = {await note(api, f"Note {number}") for number in range(7)}
    pages = [
        (await mira.get("/recommendations", params={"limit": 3, "offset": at})).json()["items"] for at in (0, 3, 6)
    ]
    assert [len(one) for one in pages] == [3, 3, 1]
    whole = (await mira.get("/recommendations")).json()["items"]
    assert [item for one in pages for item in one] == whole
    assert {item["id"] for item in whole} == ids


async def test_what_is_dismissed_stays_away_until_it_is_wanted_back(api: httpx.AsyncClient, person: Person) -> None:
    mira, otto = await person("mira"), await person("otto")
    resource_id, other = await note(api, "Lighthouses"), await note(api, "Lenses")
    for _ in range(2):
        assert (await mira.post(f"/recommendations/{resource_id}/dismiss")).status_code == 204
    assert [item["id"] for item in (await mira.get("/recommendations")).json()["items"]] == [other]
    assert len((await otto.get("/recommendations")).json()["items"]) == 2
    listed = (await mira.get("/recommendations/dismissed")).json()
    assert (listed["total"], listed["items"][0]["title"]) == (1, "Lighthouses")
    assert (await otto.get("/recommendations/dismissed")).json()["total"] == 0
    assert (await otto.delete(f"/recommendations/{resource_id}/dismiss")).status_code == 404
    assert (await mira.delete(f"/recommendations/{resource_id}/dismiss")).status_code == 204
    assert (await mira.delete(f"/recommendations/{resource_id}/dismiss")).status_code == 404
    assert len((await mira.get("/recommendations")).json()["items"]) == 2


async def test_what_was_dismissed_and_became_private_is_not_named(api: httpx.AsyncClient, person: Person) -> None:
    mira = await person("mira")
    resource_id = await note(api)
    await mira.post(f"/recommendations/{resource_id}/dismiss")
    await api.put(f"/resources/{resource_id}", json={"private": True})
    assert (await mira.get("/recommendations/dismissed")).json()["items"] == []


async def test_a_profile_is_its_owners_and_can_be_forgotten(api: httpx.AsyncClient, person: Person) -> None:
    mira, otto = await person("mira"), await person("otto")
    resource_id = await note(api, subjects=["optics"])
    before = (await mira.get("/recommendations/profile")).json()
    assert before["summary"].startswith("Nothing is known")
    assert (before["total_interactions"], before["resources"]) == (0, [])
    await view(mira, resource_id)
    known = (await mira.get("/recommendations/profile")).json()
    assert (known["total_interactions"], known["pending"]) == (1, 1)
    assert known["resources"] == [{"id": resource_id, "title": "Lighthouses", "how": "read"}]
    assert (await otto.get("/recommendations/profile")).json() == before
    assert (await otto.delete("/recommendations/profile")).status_code == 204
    assert await rows() == 1
    assert (await mira.delete("/recommendations/profile")).status_code == 204
    assert (await mira.get("/recommendations/profile")).json() == before
    assert (await view(mira, resource_id)).json() == {"total_interactions": 1}
