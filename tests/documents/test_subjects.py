"""Subjects: per account, named once, counted; documents are put into them and listed by them."""

from collections.abc import Awaitable, Callable
from uuid import uuid4

import httpx
import pytest

from service.documents import subjects
from service.documents.subjects import folded
from tests.documents.conftest import Upload

pytestmark = pytest.mark.integration

Person = Callable[..., Awaitable[httpx.AsyncClient]]


@pytest.mark.parametrize("name", ["Économie", " economie ", "ÉCONOMIE", "e\u0301conomie"])
def test_a_name_is_the_same_however_it_is_written(name: str) -> None:
    assert folded(name) == "economie"


async def test_subjects_are_made_read_changed_and_deleted(api: httpx.AsyncClient) -> None:
    made = await api.post("/subjects", json={"name": "  Optics   I "})
    assert made.status_code == 201
    subject = made.json()
    assert (subject["name"], subject["position"], subject["documents"]) == ("Optics I", 0, 0)
    assert made.headers["location"] == f"/subjects/{subject['id']}"
    assert (await api.get(made.headers["location"])).json() == subject
    changed = await api.put(f"/subjects/{subject['id']}", json={"name": "Optics", "colour": "pink", "position": 7})
    assert changed.json() == subject | {"name": "Optics", "colour": "pink", "position": 7}
    assert (await api.delete(f"/subjects/{subject['id']}")).status_code == 204
    assert (await api.get(f"/subjects/{subject['id']}")).status_code == 404


async def test_a_name_is_given_once(api: httpx.AsyncClient, person: Person) -> None:
    assert (await api.post("/subjects", json={"name": "Optics"})).status_code == 201
    again = await api.post("/subjects", json={"name": "ÓPTICS"})
    assert (again.status_code, "ÓPTICS" in again.json()["detail"]) == (409, True)
    other = (await api.post("/subjects", json={"name": "History"})).json()
    assert (await api.put(f"/subjects/{other['id']}", json={"name": "optics"})).status_code == 409
    assert (await api.put(f"/subjects/{other['id']}", json={"name": "HISTORY"})).status_code == 200
    ada = await person("ada")
    assert (await ada.post("/subjects", json={"name": "Optics"})).status_code == 201


@pytest.mark.parametrize(
    "body",
    [{}, {"name": ""}, {"name": " \n"}, {"name": "a\u202eb"}, {"name": "x" * 201}, {"name": "a", "colour": "#fff"}],
)
async def test_what_is_no_subject_is_refused(api: httpx.AsyncClient, body: dict[str, str]) -> None:
    assert (await api.post("/subjects", json=body)).status_code == 422
    assert (await api.get("/subjects")).json()["total"] == 0


async def test_there_is_an_end_to_subjects(api: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subjects, "MOST", 2)
    assert [(await api.post("/subjects", json={"name": str(n)})).status_code for n in range(3)] == [201, 201, 422]


async def test_subjects_are_listed_in_their_order_with_counts(api: httpx.AsyncClient, upload: Upload) -> None:
    for n, subject in enumerate(["B", "A", "b"]):
        await upload(f"{n}.txt", f"text {n}", subject=subject)
    await upload("none.txt", "in no subject")
    listed = (await api.get("/subjects")).json()
    assert [(one["name"], one["documents"], one["ready"]) for one in listed["items"]] == [("B", 2, 0), ("A", 1, 0)]
    assert (listed["total"], listed["without"]) == (2, 1)
    assert [one["name"] for one in (await api.get("/subjects?limit=1&offset=1")).json()["items"]] == ["A"]


async def test_nobody_reaches_the_subjects_of_others(api: httpx.AsyncClient, person: Person) -> None:
    id = (await api.post("/subjects", json={"name": "Optics"})).json()["id"]
    ada = await person("ada")
    assert (await ada.get("/subjects")).json()["items"] == []
    for answer in (
        await ada.get(f"/subjects/{id}"),
        await ada.put(f"/subjects/{id}", json={"name": "Mine"}),
        await ada.delete(f"/subjects/{id}"),
    ):
        assert answer.status_code == 404


async def test_a_document_is_put_into_a_subject_and_outlives_it(api: httpx.AsyncClient, upload: Upload) -> None:
    item = await upload("lamp.txt", "A lamp.")
    path = f"/documents/{item['id']}"
    changed = await api.put(path, json={"filename": "Lamp, 2nd.txt", "subject": "Optics", "category": "notes"})
    assert changed.status_code == 200, changed.text
    seen = changed.json()
    assert (seen["filename"], seen["subject"], seen["category"]) == ("Lamp, 2nd.txt", "Optics", "notes")
    by_id = (await api.post("/subjects", json={"name": "History"})).json()["id"]
    assert (await api.put(path, json={"subject": by_id})).json()["subject"] == "History"
    assert "category" not in (await api.put(path, json={"category": None})).json()
    await api.delete(f"/subjects/{by_id}")
    assert "subject" not in (await api.get(path)).json()
    for wrong in ({"filename": None}, {"filename": "a/b"}, {"filename": ""}, {"subject": "x" * 201}, {"size": 1}):
        assert (await api.put(path, json=wrong)).status_code == 422, wrong


async def test_only_who_uploaded_a_document_puts_it_away(
    api: httpx.AsyncClient, person: Person, upload: Upload
) -> None:
    ada = await person("ada")
    shared = await upload("shared.txt", "shared", client=ada, subject="Hers", category="hers")
    private = await upload("private.txt", "private", client=ada, private="true")
    assert (await api.put(f"/documents/{shared['id']}", json={"subject": "Mine"})).status_code == 403
    assert (await api.put(f"/documents/{private['id']}", json={"subject": "Mine"})).status_code == 404
    seen = (await api.get(f"/documents/{shared['id']}")).json()
    assert (seen.get("subject"), seen.get("category"), seen["own"]) == (None, None, False)


async def test_documents_are_listed_by_what_is_asked(api: httpx.AsyncClient, person: Person, upload: Upload) -> None:
    ada = await person("ada")
    await upload("beta.txt", "b" * 50, client=ada, subject="Optics", category="Notes")
    await upload("Alpha.txt", "a" * 10, client=ada, subject="History")
    await upload("gamma.txt", "c" * 30, client=ada)
    await upload("others.txt", "somebody else's")
    await upload("secret.txt", "nobody else's", private="true")

    async def names(**asked: str | int) -> list[str]:
        answer = await ada.get("/documents", params=asked)
        assert answer.status_code == 200, answer.text
        assert answer.json()["total"] >= len(answer.json()["items"])
        return [one["filename"] for one in answer.json()["items"]]

    assert await names(own="true") == ["gamma.txt", "Alpha.txt", "beta.txt"]
    assert await names() == ["others.txt", "gamma.txt", "Alpha.txt", "beta.txt"]
    assert await names(own="true", sort="filename") == ["Alpha.txt", "beta.txt", "gamma.txt"]
    assert await names(own="true", sort="-size") == ["beta.txt", "gamma.txt", "Alpha.txt"]
    assert await names(own="true", sort="subject") == ["Alpha.txt", "beta.txt", "gamma.txt"]
    assert await names(sort="-subject", limit=2) == ["beta.txt", "Alpha.txt"]
    without = (await names(sort="subject"))[2:]
    assert sorted(without) == ["gamma.txt", "others.txt"]
    for sort, first in (("subject", ["Alpha.txt", "beta.txt"]), ("-subject", ["beta.txt", "Alpha.txt"])):
        one_by_one = [await names(sort=sort, limit=1, offset=place) for place in range(5)]
        assert one_by_one == [*([name] for name in [*first, *without]), []]
        assert await names(sort=sort, limit=2, offset=1) == [first[1], without[0]]
    assert await names(subject="optics") == ["beta.txt"]
    assert await names(subject="none") == ["gamma.txt"]
    assert await names(subject=str(uuid4())) == []
    assert await names(category="notes") == ["beta.txt"]
    assert await names(q="ALPH") == ["Alpha.txt"]
    assert await names(q="%") == []
    assert await names(status="uploaded", own="true", limit=1, offset=1) == ["Alpha.txt"]
    assert await names(status="ready") == []
    for wrong in ({"sort": "colour"}, {"status": "lost"}, {"limit": 0}):
        assert (await ada.get("/documents", params=wrong)).status_code == 422
