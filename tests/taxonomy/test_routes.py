"""The taxonomy over HTTP: names, shapes and statuses as clients use them."""

from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from service.database import transaction
from service.search import actions as search
from service.tasks import CLASSIFY, EMBED, LABEL, MEAN
from service.taxonomy import predictions
from service.taxonomy.tables import ClassificationModel
from tests.sent import Sent
from tests.taxonomy.conftest import classify, embedded, mean, towards

pytestmark = pytest.mark.integration

Person = Callable[..., Awaitable[httpx.AsyncClient]]


async def category(client: httpx.AsyncClient, name: str, **fields: Any) -> str:
    answer = await client.post("/taxonomy", json={"name": name, **fields})
    assert answer.status_code == 201, answer.text
    assert answer.headers["location"] == f"/taxonomy/{answer.json()['id']}"
    return answer.json()["id"]


async def note(client: httpx.AsyncClient, title: str, *axes: int, **fields: Any) -> str:
    """Add a resource whose vector is known, and do what INDEX does."""
    answer = await client.post("/resources", json={"title": title, "content": f"Words of {title}.", **fields})
    assert answer.status_code == 201
    id = answer.json()["id"]
    if axes:
        await embedded(UUID(id), towards(*axes))
    await index(id)
    return id


async def index(id: str) -> bool:
    async with transaction() as session:
        return await search.index(session, UUID(id))


async def told(client: httpx.AsyncClient, id: str) -> list[dict[str, Any]]:
    return (await client.get(f"/resources/{id}/classification")).json()["predictions"]


async def test_the_tree_is_made_read_changed_and_deleted(api: httpx.AsyncClient, sent: Sent) -> None:
    science = await category(api, "Science", description="What is known.")
    await sent.expect(MEAN)
    physics = await category(api, "Physics", parent_id=science)
    tree = (await api.get("/taxonomy")).json()
    assert tree["total"] == 2
    assert [(one["path"], [below["path"] for below in one["children"]]) for one in tree["items"]] == [
        ("science", ["science/physics"])
    ]
    one = (await api.get(f"/taxonomy/{science}")).json()
    assert (one["description"], one["resource_count"], one["children"][0]["id"]) == ("What is known.", 0, physics)
    moved = await api.put(f"/taxonomy/{physics}", json={"name": "Optics", "parent_id": None})
    assert (moved.status_code, moved.json()["path"]) == (200, "optics")
    assert (await api.put(f"/taxonomy/{physics}", json={"parent_id": physics})).status_code == 409
    assert (await api.delete(f"/taxonomy/{physics}")).status_code == 204
    assert (await api.get(f"/taxonomy/{physics}")).status_code == 404
    assert (await api.get("/taxonomy/nothing")).status_code == 404


@pytest.mark.parametrize("name", ["TCP/IP", "👩‍🚀 space", "🚀", "日本語", "C++", "x" * 200, "  many   blanks "])
async def test_odd_names(api: httpx.AsyncClient, name: str) -> None:
    id = await category(api, name)
    one = (await api.get(f"/taxonomy/{id}")).json()
    assert one["name"] == " ".join(name.split())
    assert one["path"]
    assert "/" not in one["path"]
    resource = await note(api, "One")
    labelled = await api.put(f"/resources/{resource}/classification", json={"path": one["path"]})
    assert labelled.json()["predictions"][0]["category"] == one["name"]


@pytest.mark.parametrize(
    "body",
    [
        {}, {"name": ""}, {"name": " \t"}, {"name": "x" * 10_000}, {"name": "a\x07b"}, {"name": None}, {"name": 7},
        {"name": "\u200b"}, {"name": "x", "parent_id": "root"}, {"name": "x", "parent_id": str(uuid4())},
        {"name": "x", "description": "x" * 2001}, {"name": "x", "path": "y"},
    ],
)  # fmt: skip
async def test_a_bad_category_is_told_what_is_wrong(api: httpx.AsyncClient, body: dict[str, Any]) -> None:
    answer = await api.post("/taxonomy", json=body)
    assert answer.status_code == 422, answer.text
    assert (await api.get("/taxonomy")).json()["total"] == 0


async def test_readers_read_and_editors_change(api: httpx.AsyncClient, person: Person) -> None:
    reader, editor = await person("rita", "reader"), await person("edda")
    sea = await category(editor, "Sea")
    resource = await note(editor, "Waves", 0)
    assert (await reader.get("/taxonomy")).json()["total"] == 1
    assert (await reader.post("/taxonomy", json={"name": "Sky"})).status_code == 403
    assert (await reader.put(f"/taxonomy/{sea}", json={"name": "Sky"})).status_code == 403
    label = {"category_id": sea}
    assert (await reader.put(f"/resources/{resource}/classification", json=label)).status_code == 403
    assert (await editor.put(f"/resources/{resource}/classification", json=label)).status_code == 200
    assert (await editor.post("/taxonomy/models/0/activate")).status_code == 403


async def test_a_label_outranks_predictions_and_goes_again(api: httpx.AsyncClient) -> None:
    sea, sky = await category(api, "Sea"), await category(api, "Sky")
    await mean()
    resource = await note(api, "Waves", 0)
    assert await told(api, resource) == []
    await classify(UUID(resource))
    (first, second) = await told(api, resource)
    assert set(first) == {"category_id", "category", "path", "confidence", "is_predicted"}
    assert (first["category_id"], second["category_id"], first["is_predicted"]) == (sea, sky, True)
    labelled = (await api.put(f"/resources/{resource}/classification", json={"category_id": sky})).json()["predictions"]
    assert (labelled[0]["confidence"], labelled[0]["is_predicted"]) == (1, False)
    assert [one["path"] for one in labelled] == ["sky", "sea"]
    async with transaction() as session:
        await predictions.discard(session, UUID(resource))
    assert await classify(UUID(resource))
    assert (await told(api, resource))[0]["path"] == "sky"
    assert (await api.delete(f"/resources/{resource}/classification")).status_code == 204
    assert [one["is_predicted"] for one in await told(api, resource)] == [True, True]
    assert (await told(api, resource))[0]["path"] == "sea"
    assert (await api.delete(f"/resources/{resource}/classification")).status_code == 404


async def test_all_that_is_predicted_can_be_rejected_until_it_is_taken_back(api: httpx.AsyncClient) -> None:
    sea, sky = await category(api, "Sea"), await category(api, "Sky")
    await mean()
    resource = await note(api, "Waves", 0)
    about = f"/resources/{resource}/classification"
    await classify(UUID(resource))
    assert await index(resource)
    assert (await api.get(about)).json()["none"] is False
    assert [one["id"] for one in (await api.get(f"/resources/{resource}")).json()["categories"]] == [sea]
    rejected = (await api.put(about, json={"none": True})).json()
    assert (rejected["none"], {one["is_predicted"] for one in rejected["predictions"]}) == (True, {True})
    assert (await api.put(about, json={"none": True})).json() == rejected
    assert (await api.get(about)).json() == rejected
    assert await index(resource)
    found = (await api.get("/search", params={"query": "words", "mode": "keyword"})).json()
    assert found["facets"]["category"] == {}
    async with transaction() as session:
        await predictions.discard(session, UUID(resource))
    assert await classify(UUID(resource))
    await embedded(UUID(resource), towards(1))
    async with transaction() as session:
        await predictions.discard(session, UUID(resource))
    assert await classify(UUID(resource))  # with other predictions
    assert [one["category_id"] for one in (await told(api, resource))] == [sky, sea]
    assert "categories" not in (await api.get(f"/resources/{resource}")).json()
    assert (await api.get("/resources", params={"category": "sky"})).json()["total"] == 0
    assert (await api.get("/taxonomy/review")).json()["total"] == 0
    assert (await api.delete(about)).status_code == 204
    assert (await api.get(about)).json()["none"] is False
    assert [one["id"] for one in (await api.get(f"/resources/{resource}")).json()["categories"]] == [sky]
    assert (await api.delete(about)).status_code == 404


async def test_a_label_and_none_of_them_replace_each_other(api: httpx.AsyncClient) -> None:
    sea = await category(api, "Sea")
    await mean()
    resource = await note(api, "Waves", 0)
    about = f"/resources/{resource}/classification"
    for body, shown in (({"path": "sea"}, [sea]), ({"none": True}, []), ({"category_id": sea}, [sea])):
        said = (await api.put(about, json=body)).json()
        assert (said["none"], [one["category_id"] for one in said["predictions"]]) == (not shown, shown)
        listed = (await api.get("/resources", params={"category": "sea"})).json()
        assert [item["id"] for item in listed["items"]] == ([resource] if shown else [])
    await api.put(about, json={"none": True})
    assert (await api.delete(f"/taxonomy/{sea}")).status_code == 204
    assert (await api.get(about)).json() == {"predictions": [], "none": True}


async def test_a_resource_and_a_list_say_what_each_is_about(api: httpx.AsyncClient) -> None:
    sea = await category(api, "Sea")
    waves = await category(api, "Waves", parent_id=sea)
    await mean()
    wet, dry = await note(api, "Wet", 0), await note(api, "Dry", 1)
    assert (await api.put(f"/resources/{wet}/classification", json={"category_id": waves})).status_code == 200
    about = [{"id": waves, "name": "Waves", "path": "sea/waves"}]
    assert (await api.get(f"/resources/{wet}")).json()["categories"] == about
    items = {item["id"]: item for item in (await api.get("/resources")).json()["items"]}
    assert items[wet]["categories"] == about
    assert "categories" not in items[dry]
    for path, found in (("sea", [wet]), ("sea/waves", [wet]), (sea, [wet]), ("sky", [])):
        narrowed = (await api.get("/resources", params={"category": path})).json()
        assert (narrowed["total"], [item["id"] for item in narrowed["items"]]) == (len(found), found)


@pytest.mark.parametrize("body", [{}, {"path": ""}, {"path": "nowhere"}, {"category_id": str(uuid4())},
    {"category_id": "x"}, {"path": "a", "category_id": str(uuid4())}, {"none": False},
    {"none": True, "path": "a"}, {"none": "of them"}])  # fmt: skip
async def test_a_bad_label_is_told_what_is_wrong(api: httpx.AsyncClient, body: dict[str, Any]) -> None:
    resource = await note(api, "Waves")
    assert (await api.put(f"/resources/{resource}/classification", json=body)).status_code == 422
    assert await told(api, resource) == []


async def test_a_label_teaches(api: httpx.AsyncClient) -> None:
    sea, _ = await category(api, "Sea"), await category(api, "Sky")
    await mean()
    odd = await note(api, "Odd", 1, 7)
    await classify(UUID(odd))
    assert (await told(api, odd))[0]["path"] == "sky"
    for number in range(6):
        like_it = await note(api, f"Like it {number}", 1, 7)
        await api.put(f"/resources/{like_it}/classification", json={"category_id": sea})
    async with transaction() as session:
        await predictions.discard(session, UUID(odd))
    await classify(UUID(odd))
    assert (await told(api, odd))[0]["path"] == "sea"


async def test_nobody_learns_of_what_is_private(api: httpx.AsyncClient, person: Person) -> None:
    mira = await person("mira")
    sea = await category(api, "Sea")
    for name in ("Sky", "Earth"):
        await category(api, name)
    await mean()
    diary = await note(api, "Diary", 0, 1, 2, private=True)
    await classify(UUID(diary))
    for client, seen in ((api, 1), (mira, 0)):
        assert (await client.get("/taxonomy/review")).json()["total"] == seen
        assert (await client.get("/resources", params={"category": "sea"})).json()["total"] == seen
        found = (await client.get("/search", params={"query": "words", "mode": "keyword", "category": sea})).json()
        assert found["total"] == seen
        assert (await client.get(f"/taxonomy/{sea}")).json()["resource_count"] == seen
    assert (await mira.get(f"/resources/{diary}/classification")).status_code == 404
    label = {"category_id": sea}
    assert (await mira.put(f"/resources/{diary}/classification", json=label)).status_code == 404
    assert (await mira.delete(f"/resources/{diary}/classification")).status_code == 404


async def test_uncertain_ones_are_for_review_the_least_sure_first(api: httpx.AsyncClient) -> None:
    for name in ("Sea", "Sky", "Earth", "Fire"):
        await category(api, name)
    await mean()
    three, four, sure = await note(api, "3", 0, 1, 2), await note(api, "4", 0, 1, 2, 3), await note(api, "Sure", 0)
    for id in (three, four, sure):
        await classify(UUID(id))
    listed = (await api.get("/taxonomy/review")).json()
    assert (listed["total"], [item["id"] for item in listed["items"]]) == (2, [four, three])
    assert [len(item["predictions"]) for item in listed["items"]] == [4, 4]
    assert (await api.get("/taxonomy/review", params={"limit": 1, "offset": 1})).json()["items"][0]["id"] == three
    await api.put(f"/resources/{four}/classification", json={"path": "earth"})
    assert [item["id"] for item in (await api.get("/taxonomy/review")).json()["items"]] == [three]


async def test_categories_are_filters_facets_and_stand_with_each_resource(api: httpx.AsyncClient, sent: Sent) -> None:
    science = await category(api, "Science")
    physics, _ = await category(api, "Physics", parent_id=science), await category(api, "Arts")
    light, prism, song = await note(api, "Light"), await note(api, "Prism"), await note(api, "Song")
    for id, path in ((light, "science/physics"), (prism, "science"), (song, "arts")):
        assert (await api.put(f"/resources/{id}/classification", json={"path": path})).status_code == 200
        await sent.expect(LABEL, resource_id=id)
        assert await index(id)
        assert not await index(id)
    listed = (await api.get("/resources", params={"category": "science"})).json()
    assert {item["id"] for item in listed["items"]} == {light, prism}
    assert (await api.get("/resources", params={"category": physics})).json()["total"] == 1
    assert (await api.get("/resources", params={"category": "nowhere"})).json()["total"] == 0
    one = (await api.get(f"/resources/{light}")).json()
    assert one["categories"] == [{"id": physics, "name": "Physics", "path": "science/physics"}]
    asked = {"query": "words", "mode": "keyword"}
    found = (await api.get("/search", params=asked)).json()
    assert found["facets"]["category"] == {"science": 2, "science/physics": 1, "arts": 1}
    assert {item["id"]: item["categories"][0]["path"] for item in found["items"]}[light] == "science/physics"
    for value, number in (("science", 2), (physics, 1), ("nowhere", 0)):
        narrowed = (await api.get("/search", params=asked | {"category": value})).json()
        assert narrowed["total"] == number
    both = (await api.post("/search", json=asked | {"category": ["arts", "science/physics"]})).json()
    assert {item["id"] for item in both["items"]} == {light, song}
    await api.put(f"/taxonomy/{science}", json={"name": "Knowledge"})
    found = (await api.get("/search", params=asked | {"category": "knowledge"})).json()
    assert (found["total"], found["facets"]["category"]) == (2, {"knowledge": 2, "knowledge/physics": 1})
    assert (await api.delete(f"/taxonomy/{physics}")).status_code == 204
    found = (await api.get("/search", params=asked)).json()
    assert found["facets"]["category"] == {"knowledge": 2, "arts": 1}  # its resource is indexed anew later
    assert await index(light)
    found = (await api.get("/search", params=asked)).json()
    assert found["facets"]["category"] == {"knowledge": 1, "arts": 1}


async def test_a_new_resource_is_classified_after_twenty_seconds(api: httpx.AsyncClient, sent: Sent) -> None:
    id = await note(api, "Waves")
    assert (await sent.expect(CLASSIFY, resource_id=id)).after == 20
    await sent.expect(EMBED, resource_id=id)


async def test_models_are_listed_and_one_can_go_back(api: httpx.AsyncClient, person: Person) -> None:
    await category(api, "Sea")
    async with transaction() as session:
        for version in (1, 2):
            session.add(
                ClassificationModel(
                    version=version, kind="centroid", accuracy=0.7, macro_f1=0.6, contest={}, labels=60, held_out=12,
                    classes=3, input_hash=str(version),
                )
            )  # fmt: skip
    for version in (2, 1, 1):
        assert (await api.post(f"/taxonomy/models/{version}/activate")).status_code == 204
    listed = (await api.get("/taxonomy/models")).json()
    assert [(one["version"], one["active"]) for one in listed["items"]] == [(2, False), (1, True)]
    assert "parameters" not in listed["items"][0]
    for version, status in (("3", 404), ("x", 404), ("-1", 404), ("9" * 30, 404), ("0", 204)):
        assert (await api.post(f"/taxonomy/models/{version}/activate")).status_code == status
    assert not any(one["active"] for one in (await api.get("/taxonomy/models")).json()["items"])
