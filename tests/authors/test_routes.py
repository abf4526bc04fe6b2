"""Authors over HTTP: lists and profiles of what one may see, merging and splitting by hand."""

from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from service.tasks import AUTHORS
from tests.authors.conftest import Normalize, author, links
from tests.sent import Sent

pytestmark = pytest.mark.integration

Person = Callable[..., Awaitable[httpx.AsyncClient]]
Note = Callable[..., Awaitable[UUID]]


@pytest.fixture
def note(api: httpx.AsyncClient, normalize: Normalize) -> Note:
    """Adds a resource by these people over HTTP, and normalizes them."""

    async def note(*authors: str, client: httpx.AsyncClient = api, **fields: Any) -> UUID:
        made = await client.post("/resources", json={"title": "N", "content": "C", "authors": authors, **fields})
        assert made.status_code == 201, made.text
        await normalize(UUID(made.json()["id"]))
        return UUID(made.json()["id"])

    return note


async def names(client: httpx.AsyncClient, **query: Any) -> list[tuple[str, int]]:
    answer = (await client.get("/authors", params=query)).json()
    return [(one["name"], one["resource_count"]) for one in answer["items"]]


async def test_a_list_with_counts(api: httpx.AsyncClient, note: Note) -> None:
    await note("Ada Lovelace", "Charles Babbage")
    await note("LOVELACE, Ada")
    await note("Łukasz Kaiser")
    assert await names(api) == [("Ada Lovelace", 2), ("Charles Babbage", 1), ("Łukasz Kaiser", 1)]
    assert await names(api, q="love") == await names(api, q="ÁDA lovelace") == [("Ada Lovelace", 2)]
    assert await names(api, q="lukasz") == [("Łukasz Kaiser", 1)]
    for nobody in ("nobody", "%", "_", "🚀", "'"):
        assert await names(api, q=nobody) == []
    answer = (await api.get("/authors", params={"limit": 1, "offset": 1})).json()
    assert (answer["total"], answer["limit"], answer["offset"], len(answer["items"])) == (3, 1, 1, 1)
    for bad in ({"limit": 0}, {"limit": 101}, {"offset": -1}, {"odd": 1}, {"q": "x" * 1001}, {"q": "a\x00"}):
        assert (await api.get("/authors", params=bad)).status_code == 422


async def test_a_profile(api: httpx.AsyncClient, note: Note) -> None:
    first = await note("Ada Lovelace", "Charles Babbage", "Luigi Menabrea")
    second = await note("Lovelace, Ada", "Charles Babbage")
    id = (await links(first))[0].author_id
    found = (await api.get(f"/authors/{id}")).json()
    assert (found["name"], found["sort_name"], found["kind"]) == ("Ada Lovelace", "Lovelace, Ada", "person")
    assert {one["id"] for one in found["resources"]} == {str(first), str(second)}
    assert {one["name"]: one["count"] for one in found["variants"]} == {"Ada Lovelace": 1, "Lovelace, Ada": 1}
    assert [(one["name"], one["count"]) for one in found["coauthors"]] == [
        ("Charles Babbage", 2),
        ("Luigi Menabrea", 1),
    ]
    for unknown in (uuid4(), "odd"):
        assert (await api.get(f"/authors/{unknown}")).status_code == 404


async def test_what_is_private_is_in_no_name_no_count_no_list(
    api: httpx.AsyncClient, person: Person, note: Note
) -> None:
    mira = await person("mira")
    shared = await note("John Smith", "Grace Hopper")
    hidden = await note("John Smith", "Zyzzyva Hidden", "John Q. Smith", client=mira, private=True)
    id = await author_of(shared)
    assert id == (await links(hidden))[0].author_id
    theirs, hers = (await api.get(f"/authors/{id}")).json(), (await mira.get(f"/authors/{id}")).json()
    assert (theirs["resource_count"], hers["resource_count"]) == (1, 2)
    assert ("Zyzzyva" in str(theirs), "Zyzzyva" in str(hers)) == (False, True)
    assert str(hidden) not in str(theirs)
    assert "Zyzzyva Hidden" not in dict(await names(api))
    assert dict(await names(mira))["Zyzzyva Hidden"] == 1
    assert await names(api, q="zyzzyva") == []
    secret = (await links(hidden))[1].author_id
    assert (await api.get(f"/authors/{secret}")).status_code == 404
    for body, verb in (({"into": str(id)}, "merge"), ({"resource_ids": [str(hidden)]}, "split")):
        assert (await api.post(f"/authors/{secret}/{verb}", json=body)).status_code == 404
    assert (await api.post(f"/authors/{id}/merge", json={"into": str(secret)})).status_code == 404
    refused = await api.post(f"/authors/{id}/split", json={"resource_ids": [str(hidden)]})
    assert refused.status_code == 422


async def author_of(resource_id: UUID) -> UUID:
    return (await links(resource_id))[0].author_id


async def test_merging_by_hand_outlasts_every_run(api: httpx.AsyncClient, note: Note, normalize: Normalize) -> None:
    full, short = await note("John Smith"), await note("Johannes Schmidt")
    kept, gone = await author(full), await author(short)
    merged = (await api.post(f"/authors/{gone}/merge", json={"into": str(kept)})).json()
    assert (merged["id"], merged["resource_count"]) == (str(kept), 2)
    assert {one["name"] for one in merged["variants"]} == {"John Smith", "Johannes Schmidt"}
    assert (await api.get(f"/authors/{gone}")).status_code == 404
    for subjects in (["x"], ["y"]):
        await api.put(f"/resources/{short}", json={"subjects": subjects})
        await normalize(short)
        assert await author(short) == kept
    assert await author(await note("Johannes Schmidt")) == kept  # as every other whole name of this author
    assert (await api.post(f"/authors/{kept}/merge", json={"into": str(kept)})).status_code == 409
    assert (await api.post(f"/authors/{gone}/merge", json={"into": str(kept)})).status_code == 404
    for bad in ({}, {"into": "odd"}, {"into": str(kept), "odd": 1}):
        assert (await api.post(f"/authors/{kept}/merge", json=bad)).status_code == 422


async def test_splitting_by_hand_outlasts_every_run(api: httpx.AsyncClient, note: Note, normalize: Normalize) -> None:
    one, other = await note("John Smith"), await note("Smith, John")
    first = await author(one)
    answer = await api.post(f"/authors/{first}/split", json={"resource_ids": [str(other)]})
    assert answer.status_code == 201
    second = UUID(answer.json()["id"])
    assert (await author(one), await author(other)) == (first, second)
    assert answer.json()["suggestions"] == (await api.get(f"/authors/{first}")).json()["suggestions"] == []
    for resource in (one, other):
        await api.put(f"/resources/{resource}", json={"subjects": ["the same"]})
    for resource in (one, other, one):
        await normalize(resource)
    assert (await author(one), await author(other)) == (first, second)
    assert await author(await note("John Smith")) not in (first, second)  # either may be meant
    again = (await api.post(f"/authors/{second}/merge", json={"into": str(first)})).json()
    assert again["resource_count"] == 2


async def test_splitting_by_a_variant(api: httpx.AsyncClient, note: Note) -> None:
    one, other = await note("John Smith", subjects=["x"]), await note("J. Smith", subjects=["x"])
    first = await author(one)
    assert first == await author(other)
    for bad in (
        {}, {"variant": "J. Smith", "resource_ids": [str(one)]}, {"resource_ids": []}, {"variant": " "},
        {"variant": "Nobody Else"}, {"variant": "et al."}, {"resource_ids": [str(uuid4())]},
    ):  # fmt: skip
        assert (await api.post(f"/authors/{first}/split", json=bad)).status_code == 422, bad
    everything = {"resource_ids": [str(one), str(other)]}
    assert (await api.post(f"/authors/{first}/split", json=everything)).status_code == 409
    made = (await api.post(f"/authors/{first}/split", json={"variant": "SMITH, J."})).json()
    assert [one["name"] for one in made["variants"]] == ["J. Smith"]
    assert (await author(one), await author(other)) == (first, UUID(made["id"]))


async def test_who_may_only_read_decides_nothing(api: httpx.AsyncClient, person: Person, note: Note) -> None:
    id = await author(await note("John Smith"))
    reader = await person("rea", role="reader")
    assert (await reader.get(f"/authors/{id}")).status_code == 200
    for verb, body in (("merge", {"into": str(uuid4())}), ("split", {"variant": "x"})):
        assert (await reader.post(f"/authors/{id}/{verb}", json=body)).status_code == 403


async def test_authors_are_read_when_they_change_only(api: httpx.AsyncClient, sent: Sent) -> None:
    made = (await api.post("/resources", json={"title": "N", "content": "C", "authors": ["A"]})).json()["id"]
    asked = await sent.expect(AUTHORS, resource_id=made)
    assert (asked.lane, asked.after) == ("batch", 60)
    sent.asked.clear()
    await api.put(f"/resources/{made}", json={"title": "M"})
    await api.put(f"/resources/{made}", json={"authors": ["B"]})
    await sent.expect(AUTHORS, resource_id=made)
    assert len(sent.of(AUTHORS)) == 1
