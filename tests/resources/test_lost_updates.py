"""Nobody overwrites what they have not seen: ETag and If-Match where resources, collections and marks are written."""

import asyncio
from collections.abc import Awaitable, Callable

import httpx
import pytest

pytestmark = pytest.mark.integration

Make = Callable[[httpx.AsyncClient], Awaitable[str]]


async def resource(api: httpx.AsyncClient) -> str:
    return (await api.post("/resources", json={"title": "A lamp", "content": "It burns with oil."})).headers["location"]


async def collection(api: httpx.AsyncClient) -> str:
    return (await api.post("/collections", json={"name": "Lamps"})).headers["location"]


async def annotation(api: httpx.AsyncClient) -> str:
    marked = await api.post(f"{await resource(api)}/annotations", json={"start": 0, "end": 8})
    return marked.headers["location"]


KINDS = [(resource, "description"), (collection, "description"), (annotation, "note")]
kinds = pytest.mark.parametrize(("make", "field"), KINDS, ids=["resource", "collection", "annotation"])


@kinds
async def test_of_ten_who_saw_the_same_one_writes_and_the_others_are_told(
    make: Make, field: str, api: httpx.AsyncClient
) -> None:
    path = await make(api)
    seen = (await api.get(path)).headers["etag"]
    writes = (api.put(path, json={field: f"from {n}"}, headers={"If-Match": seen}) for n in range(10))
    answers = await asyncio.gather(*writes)
    [won] = [answer for answer in answers if answer.status_code == 200]
    lost = [answer for answer in answers if answer is not won]
    assert {answer.status_code for answer in lost} == {412}
    assert {answer.headers["etag"] for answer in lost} == {won.headers["etag"]}
    present = await api.get(path)
    assert present.headers["etag"] == won.headers["etag"] != seen
    assert present.json()[field] == won.json()[field]


@kinds
async def test_who_is_told_the_present_version_can_go_on_and_loses_nothing(
    make: Make, field: str, api: httpx.AsyncClient
) -> None:
    path = await make(api)
    etag = (await api.get(path)).headers["etag"]

    async def append(letter: str, seen: str) -> None:
        text = ""
        while True:
            answer = await api.put(path, json={field: text + letter}, headers={"If-Match": seen})
            if answer.status_code == 200:
                return
            assert answer.status_code == 412
            present = await api.get(path)
            seen, text = present.headers["etag"], present.json()[field]

    await asyncio.gather(*(append(letter, etag) for letter in "abcde"))
    assert sorted((await api.get(path)).json()[field]) == list("abcde")


@kinds
async def test_what_changed_is_not_deleted_unseen(make: Make, field: str, api: httpx.AsyncClient) -> None:
    path = await make(api)
    seen = (await api.get(path)).headers["etag"]
    changed = await api.put(path, json={field: "new"})
    refused = await api.delete(path, headers={"If-Match": seen})
    assert (refused.status_code, refused.headers["etag"]) == (412, changed.headers["etag"])
    assert (await api.delete(path, headers={"If-Match": changed.headers["etag"]})).status_code == 204
    assert (await api.get(path)).status_code == 404


@kinds
async def test_what_is_written_as_it_is_stays_the_same_version(make: Make, field: str, api: httpx.AsyncClient) -> None:
    path = await make(api)
    first = await api.put(path, json={field: "same"})
    again = await api.put(path, json={field: "same"}, headers={"If-Match": first.headers["etag"]})
    assert (again.status_code, again.headers["etag"]) == (200, first.headers["etag"])
    stale = await api.put(path, json={field: "same"}, headers={"If-Match": '"999"'})
    assert (stale.status_code, stale.headers["etag"]) == (412, first.headers["etag"])


async def test_tags_are_changed_only_of_the_version_that_was_seen(api: httpx.AsyncClient) -> None:
    path = await resource(api)
    seen = (await api.get(path)).headers["etag"]
    tagging = {"add": ["bright"]}
    first = await api.post(f"{path}/tags", json=tagging, headers={"If-Match": seen})
    late = await api.post(f"{path}/tags", json={"remove": ["bright"]}, headers={"If-Match": seen})
    assert (first.status_code, late.status_code) == (200, 412)
    assert late.headers["etag"] == first.headers["etag"] == (await api.get(path)).headers["etag"]
    assert (await api.get(path)).json()["tags"] == ["bright"]


async def test_what_is_put_into_a_collection_does_not_hinder_who_renames_it(api: httpx.AsyncClient) -> None:
    path, item = await collection(api), await resource(api)
    seen = (await api.get(path)).headers["etag"]
    assert (await api.post(f"{path}/resources", json={"resource_ids": [item.rpartition("/")[2]]})).status_code == 200
    assert (await api.put(path, json={"name": "Lights"}, headers={"If-Match": seen})).status_code == 200
