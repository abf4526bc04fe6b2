"""Tags over HTTP: one spelling each, one resource or many, nothing else touched, nobody else's."""

import httpx
import pytest

from service.resources.tables import FEW_TAGS
from service.resources.tags import LONGEST, MOST, normalised
from tests.resources.test_routes import NOTE, Person, add, names

pytestmark = pytest.mark.integration


@pytest.mark.parametrize(
    ("tags", "kept"),
    [
        (["  deep \t sea ", "Deep Sea"], ["deep sea"]),
        (["Straße", "STRASSE"], ["Straße"]),
        (["e\u0301tude", "\u00e9tude"], ["\u00e9tude"]),
        ([], []),
    ],
)
def test_a_tag_is_there_once(tags: list[str], kept: list[str]) -> None:
    assert normalised(tags) == kept


@pytest.mark.parametrize(
    "tags", [[""], ["  "], ["x" * (LONGEST + 1)], ["a\x00b"], ["a\u202eb"], [f"t{n}" for n in range(MOST + 1)]]
)
async def test_a_wrong_tag_is_refused_and_nothing_changes(api: httpx.AsyncClient, tags: list[str]) -> None:
    id = (await add(api))["id"]
    assert (await api.put(f"/resources/{id}", json={"tags": tags})).status_code == 422
    assert (await api.post(f"/resources/{id}/tags", json={"add": tags})).status_code == 422
    assert (await api.get(f"/resources/{id}")).json()["version"] == 1


async def test_tags_come_and_go_and_nothing_else_changes(api: httpx.AsyncClient) -> None:
    before = await add(api)
    after = (await api.post(f"/resources/{before['id']}/tags", json={"add": ["sea", "LIGHT"], "remove": []})).json()
    assert after["tags"] == ["light", "sea"]
    same = {"tags", "version", "updated_at"}
    assert {key: value for key, value in after.items() if key not in same} == {
        key: value for key, value in before.items() if key not in same
    }
    assert (await names(api, before["id"]))[2:] == ["resource.updated", "resource.metadata_changed"]
    unchanged = (await api.post(f"/resources/{before['id']}/tags", json={"add": ["Sea"]})).json()
    assert unchanged["version"] == 2
    gone = (await api.post(f"/resources/{before['id']}/tags", json={"remove": ["Light", "none"]})).json()
    assert (gone["tags"], gone["version"]) == (["sea"], 3)
    assert (await api.post(f"/resources/{before['id']}/tags", json={})).status_code == 422


async def test_a_resource_has_so_many_tags_and_no_more(api: httpx.AsyncClient) -> None:
    id = (await add(api, tags=[f"t{number}" for number in range(MOST)]))["id"]
    answer = await api.post(f"/resources/{id}/tags", json={"add": ["one more"]})
    assert (answer.status_code, "64" in answer.json()["detail"]) == (422, True)
    swapped = await api.post(f"/resources/{id}/tags", json={"add": ["one more"], "remove": ["t0"]})
    assert len(swapped.json()["tags"]) == MOST


async def test_many_at_once_each_with_its_own_answer(api: httpx.AsyncClient, person: Person) -> None:
    grace = await person("grace")
    mine, hers = (await add(api))["id"], (await add(grace, private=True))["id"]
    answer = await api.post("/resources/tags", json={"ids": [mine, hers, mine], "add": ["sea"]})
    items = {item["id"]: item for item in answer.json()["items"]}
    assert items[mine]["tags"] == ["light", "sea"]
    assert hers in items[hers]["error"]
    assert (await grace.get(f"/resources/{hers}")).json()["tags"] == NOTE["tags"]
    assert (await api.post("/resources/tags", json={"ids": [], "add": ["x"]})).status_code == 422


async def test_tags_are_listed_by_use_and_nobody_elses(api: httpx.AsyncClient, person: Person) -> None:
    grace = await person("grace")
    await add(api, tags=["sea", "Light"])
    await add(api, tags=["sea"])
    await add(grace, tags=["secret", "sea"], private=True)
    assert (await api.get("/tags")).json()["items"] == [{"tag": "sea", "count": 2}, {"tag": "Light", "count": 1}]
    assert (await api.get("/tags", params={"prefix": "lig"})).json()["items"] == [{"tag": "Light", "count": 1}]
    assert (await api.get("/tags", params={"prefix": "%"})).json()["items"] == []
    assert (await api.get("/resources", params={"tag": "Light"})).json()["total"] == 1


async def test_tags_are_counted_however_many_a_resource_has(api: httpx.AsyncClient) -> None:
    await add(api, tags=["sea"])
    await add(api, tags=["sea", *(f"t{number}" for number in range(FEW_TAGS - 1))])
    await add(api, tags=["sea", *(f"t{number}" for number in range(FEW_TAGS))])
    await add(api, tags=[])
    counted = {one["tag"]: one["count"] for one in (await api.get("/tags")).json()["items"]}
    assert counted == {"sea": 3, f"t{FEW_TAGS - 1}": 1} | {f"t{number}": 2 for number in range(FEW_TAGS - 1)}


async def test_the_largest_tags_names_and_types_are_kept_and_found(api: httpx.AsyncClient) -> None:
    wide = [chr(0x20000 + 97 * number) for number in range(1000)]  # four bytes each, and hardly to be compressed
    texts = ["".join(wide[start:] + wide[:start]) for start in range(FEW_TAGS)]
    tags = [text[:LONGEST] for text in texts]
    one = {"authors": texts[1], "subjects": texts[2]}
    kept = await add(api, tags=tags, type=texts[3], title=texts[4], **{name: [text] for name, text in one.items()})
    assert kept["tags"] == tags
    asked = {"tag": tags[7], "author": texts[1], "subject": texts[2], "type": texts[3], "q": texts[4][10:20]}
    for name, value in asked.items():
        answer = (await api.get("/resources", params={name: value})).json()
        assert [item["id"] for item in answer["items"]] == [kept["id"]], name
        assert (await api.get("/resources", params={name: value[1:] + "x"})).json()["total"] == 0, name
