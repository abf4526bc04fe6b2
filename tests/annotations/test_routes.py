"""Annotations over HTTP."""

from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from service.database import reading
from service.security.accounts import Account, find_user
from service.security.permissions import ROLES
from tests.annotations.test_anchors import mark_all
from tests.queue.conftest import until

pytestmark = pytest.mark.integration

Person = Callable[..., Awaitable[httpx.AsyncClient]]
TEXT = "The keeper lights the lamp every evening. 👩‍🚀 e\u0301tude. At dawn he puts it out."


async def note(client: httpx.AsyncClient, content: str = TEXT, **fields: Any) -> str:
    answer = await client.post("/resources", json={"title": "Lamps", "content": content, **fields})
    assert answer.status_code == 201, answer.text
    return answer.json()["id"]


def passage(quote: str, text: str = TEXT) -> dict[str, Any]:
    start = text.index(quote)
    return {"start": start, "end": start + len(quote), "quote": quote}


async def mark(client: httpx.AsyncClient, resource_id: str, quote: str = "the lamp", **fields: Any) -> dict[str, Any]:
    answer = await client.post(f"/resources/{resource_id}/annotations", json=passage(quote) | fields)
    assert answer.status_code == 201, answer.text
    return answer.json()


async def names(client: httpx.AsyncClient, resource_id: str) -> list[str]:
    """Return the events of a resource that are about annotations."""
    events = (await client.get(f"/resources/{resource_id}/timeline")).json()["items"]
    return [event["name"] for event in events if event["name"].startswith("annotation")]


async def test_a_passage_is_marked_read_changed_and_deleted(api: httpx.AsyncClient) -> None:
    id = await note(api)
    given = passage("the lamp") | {"note": "Fresnel?", "tags": ["optics", "Optics"], "colour": "green"}
    answer = await api.post(f"/resources/{id}/annotations", json=given)
    made = answer.json()
    assert (answer.status_code, answer.headers["location"]) == (201, f"/annotations/{made['id']}")
    assert made == given | {
        "id": made["id"], "resource_id": id, "prefix": "The keeper lights ", "suffix": TEXT[26:90], "orphaned": False,
        "similarity": 1.0, "stale": False, "tags": ["optics"], "created_at": made["created_at"],
        "updated_at": made["updated_at"], "version": 1,
    }  # fmt: skip
    assert (await api.get(f"/annotations/{made['id']}")).json() == made
    listed = (await api.get(f"/resources/{id}/annotations")).json()
    assert (listed["total"], listed["items"]) == (1, [made])
    changed = (await api.put(f"/annotations/{made['id']}", json={"note": None, "colour": "blue"})).json()
    assert (changed["note"], changed["colour"], changed["tags"]) == ("", "blue", ["optics"])
    moved = (await api.put(f"/annotations/{made['id']}", json=passage("every evening"))).json()
    assert (moved["quote"], moved["start"], moved["colour"]) == ("every evening", TEXT.index("every"), "blue")
    await api.put(f"/annotations/{made['id']}", json={"colour": "blue"})
    assert (await api.delete(f"/annotations/{made['id']}")).status_code == 204
    assert (await api.get(f"/annotations/{made['id']}")).status_code == 404
    expected = ["annotation.created", "annotation.updated", "annotation.updated", "annotation.deleted"]

    async def all_told() -> bool:
        return await names(api, id) == expected

    await until(all_told)


@pytest.mark.parametrize("quote", ["👩‍🚀", "\u0301", "e\u0301tude. At", "dawn he puts it out."])
async def test_offsets_count_code_points(api: httpx.AsyncClient, quote: str) -> None:
    made = await mark(api, await note(api), quote)
    assert (made["quote"], made["start"], made["end"]) == (quote, TEXT.index(quote), TEXT.index(quote) + len(quote))


async def test_annotations_are_their_makers_own(api: httpx.AsyncClient, person: Person) -> None:
    mira = await person("mira")
    id = await note(api)
    made, hers = await mark(api, id, note="Mine"), await mark(mira, id, note="Hers")
    for client, own, other in ((api, made, hers), (mira, hers, made)):
        assert [one["id"] for one in (await client.get(f"/resources/{id}/annotations")).json()["items"]] == [own["id"]]
        assert [one["id"] for one in (await client.get("/annotations")).json()["items"]] == [own["id"]]
        assert other["id"] not in (await client.get("/annotations/export?format=json")).text
        assert (await client.get(f"/annotations/{other['id']}")).status_code == 404
        assert (await client.put(f"/annotations/{other['id']}", json={"note": "x"})).status_code == 404
        assert (await client.delete(f"/annotations/{other['id']}")).status_code == 404
    assert len(await until(lambda: names(mira, id))) == 1


async def test_of_what_became_anothers_private_resource_nothing_is_shown(
    api: httpx.AsyncClient, person: Person
) -> None:
    mira = await person("mira")
    id = await note(api)
    made = await mark(mira, id)
    await api.put(f"/resources/{id}", json={"private": True})
    for path in (f"/annotations/{made['id']}", f"/resources/{id}/annotations", f"/annotations/export?resource_id={id}"):
        assert (await mira.get(path)).status_code == 404
    assert (await mira.get("/annotations")).json()["total"] == 0
    assert "lamp" not in (await mira.get("/annotations/export")).text
    await api.put(f"/resources/{id}", json={"private": False})
    assert (await mira.get(f"/annotations/{made['id']}")).json()["quote"] == "the lamp"


async def test_one_may_choose_by_resource_tag_and_words(api: httpx.AsyncClient) -> None:
    first, second = await note(api), await note(api, TEXT + " Again.")
    for id in (first, second):
        await mark(api, id, "At dawn", tags=["time"])
        await mark(api, id, "the lamp", note="50% of it_")

    async def quotes(query: str) -> list[str]:
        return [one["quote"] for one in (await api.get(f"/annotations?{query}")).json()["items"]]

    assert await quotes(f"resource_id={first}") == ["the lamp", "At dawn"]
    assert await quotes(f"resource_id={first}&tag=time") == ["At dawn"]
    assert await quotes("q=AT DAWN") == ["At dawn", "At dawn"]
    assert await quotes("q=50%25 of it_") == ["the lamp", "the lamp"]
    assert await quotes("q=5%25it") == []
    assert await quotes("orphaned=true") == []
    assert (await api.get("/annotations?limit=1")).json()["total"] == 4


@pytest.mark.parametrize(
    ("fields", "status", "words"),
    [
        ({"start": 0, "end": 10_000}, 422, "outside the text, which has"),
        ({"start": 5_000, "end": 5_001}, 422, "outside"),
        ({"start": 5, "end": 5}, 422, "must come after"),
        ({"start": 9, "end": 5}, 422, "must come after"),
        ({"start": -1, "end": 5}, 422, "start"),
        ({"start": 0, "end": 2**40}, 422, "end"),
        ({"start": 0, "end": 20_001}, 422, "at most 10000"),
        ({"start": 0}, 422, "end"),
        ({"start": "zero", "end": 5}, 422, "start"),
        ({"start": 0, "end": 3, "quote": "the"}, 409, "not the quote, but “The”"),
        ({"start": 0, "end": 3, "quote": "\x00"}, 422, "null character"),
        ({"start": 0, "end": 3, "colour": "mauve"}, 422, "colour"),
        ({"start": 0, "end": 3, "note": "x" * 20_001}, 422, "note"),
        ({"start": 0, "end": 3, "note": "x" * 10 * 2**20}, 422, "note"),
        ({"start": 0, "end": 3, "tags": [""]}, 422, "tags"),
        ({"start": 0, "end": 3, "tags": ["x" * 10_240]}, 422, "tags"),
        ({"start": 0, "end": 3, "note": "a\x00b"}, 422, "null character"),
        ({"start": 0, "end": 3, "owner_id": str(uuid4())}, 422, "owner_id"),
    ],
)
async def test_bad_input_is_refused_in_clear_words(
    api: httpx.AsyncClient, fields: dict[str, Any], status: int, words: str
) -> None:
    id = await note(api)
    answer = await api.post(f"/resources/{id}/annotations", json=fields)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    assert words in answer.text
    assert len(answer.text) < 2000
    assert (await api.get("/annotations")).json()["total"] == 0


async def test_a_change_is_checked_like_a_new_one(api: httpx.AsyncClient) -> None:
    made = await mark(api, await note(api))
    for fields, status in (
        ({"start": 0}, 422), ({"quote": "x"}, 422), ({"start": None}, 422), ({"start": 3, "end": 2}, 422),
        ({"start": 0, "end": 999}, 422), ({"start": 0, "end": 3, "quote": "the"}, 409), ({"colour": "mauve"}, 422),
    ):  # fmt: skip
        assert (await api.put(f"/annotations/{made['id']}", json=fields)).status_code == status, fields
    assert (await api.get(f"/annotations/{made['id']}")).json() == made
    assert (await api.post(f"/resources/{uuid4()}/annotations", json=passage("the lamp"))).status_code == 404
    assert (await api.get("/annotations/nothing")).status_code == 404


async def test_an_export_is_a_file_by_resource(api: httpx.AsyncClient) -> None:
    url = "https://example.org/a_(b)?c=1"
    id = await note(api, title='Lamps / "<script>"\r\n*of* ../../the sea', url=url)
    await mark(api, id, "At dawn", note="**Early.**", tags=["time of day"])
    await mark(api, id, "the lamp")
    answer = await api.get(f"/annotations/export?resource_id={id}")
    assert answer.headers["content-type"] == "text/markdown; charset=utf-8"
    name = answer.headers["content-disposition"]
    assert name.startswith('attachment; filename="annotations-Lamps-script-of-')
    assert not set("/\\\r\n<>") & set(name)
    lines = answer.text.splitlines()
    assert lines[2] == '## Lamps / "\\<script\\>" \\*of\\* ../../the sea'
    assert lines[4] == f"<{url}>"
    assert [line for line in lines if line.startswith(">")] == ["> the lamp", "> At dawn"]
    assert "**Early.**" in lines
    assert "yellow, \\#time\\-of\\-day" in lines
    exported = (await api.get("/annotations/export?format=json")).json()
    [resource] = exported["resources"]
    assert (resource["id"], resource["url"]) == (id, url)
    assert [(one["quote"], one["note"]) for one in resource["annotations"]] == [
        ("the lamp", ""), ("At dawn", "**Early.**"),
    ]  # fmt: skip
    assert (await api.get("/annotations/export?format=pdf")).status_code == 422
    assert (await api.get(f"/annotations/export?resource_id={uuid4()}")).status_code == 404


async def test_a_thousand_annotations_of_one_resource_are_listed_and_exported(api: httpx.AsyncClient) -> None:
    text = "".join(f"Sentence number {n}. " for n in range(1000))
    id, other = await note(api, text), await note(api)
    await mark(api, other)
    async with reading() as session:
        owner = await find_user(session, "admin")
    assert owner is not None
    admin = Account(owner.id, "admin", "admin", ROLES["admin"])
    await mark_all(admin, UUID(id), text, [f"Sentence number {n}." for n in range(1000)])
    last = (await api.get(f"/resources/{id}/annotations?limit=100&offset=900")).json()
    assert (last["total"], last["items"][-1]["quote"]) == (1000, "Sentence number 999.")
    exported = (await api.get("/annotations/export?format=json")).json()["resources"]
    assert {one["id"]: len(one["annotations"]) for one in exported} == {id: 1000, other: 1}
    markdown = (await api.get(f"/annotations/export?resource_id={id}")).text
    assert [line for line in markdown.splitlines() if line.startswith(">")] == [
        f"> Sentence number {n}." for n in range(1000)
    ]


async def test_nothing_to_export_is_an_empty_file(api: httpx.AsyncClient) -> None:
    assert (await api.get("/annotations/export?format=json")).json() == {"resources": []}
    assert (await api.get("/annotations/export")).text == "# Annotations\n"
