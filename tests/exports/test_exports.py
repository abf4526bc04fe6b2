"""Exports hold what one may see, and nothing that a spreadsheet would run."""

import csv
import io
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from service.database import reading
from service.event_log import EventRow
from service.events import Envelope
from service.exports import actions
from service.exports.events import ResourcesExported
from service.exports.spreadsheet import as_it_was, cell, line
from service.recommendations.listening import record_export
from service.recommendations.tables import Interaction
from tests.queue.conftest import until

Person = Callable[..., Awaitable[httpx.AsyncClient]]

EVIL = [
    "=1+1",
    "+1",
    "-1",
    "@SUM(A1)",
    "\t=1",
    " =1",
    "\u00a0=1",
    "|calc",
    "%0A=1",
    '=HYPERLINK("http://x","y")',
    "＝1",
]


@pytest.mark.parametrize("written", EVIL)
def test_a_formula_is_a_text(written: str) -> None:
    assert cell(written) == f"'{written}"
    assert cell([written, "other"]).startswith("'")


@pytest.mark.parametrize("written", ["A title", "1+1=2", "a@b.org", "", "x-y", "Zürich"])
def test_an_ordinary_text_stays(written: str) -> None:
    assert cell(written) == written


def test_numbers_times_and_nothing() -> None:
    assert [cell(value) for value in (-3, 0.5, None, True, ["a", "b"])] == ["-3", "0.5", "", "true", "a; b"]


@given(st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\x00")), min_size=1))
def test_any_line_is_read_back_cell_by_cell(texts: list[str]) -> None:
    (read,) = csv.reader(io.StringIO(line(texts), newline=""))
    assert all(each in (text, f"'{text}") for each, text in zip(read, texts, strict=True))
    assert not any(each.startswith(("=", "+", "-", "@")) for each in read)
    assert [as_it_was(each) for each in read] == texts


@pytest.mark.integration
async def test_the_library_as_a_spreadsheet_and_as_json(person: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(actions, "PAGE", 3)
    ann, ben = await person("ann", "editor"), await person("ben", "editor")
    for number in range(7):
        made = await ann.post("/resources", json={"title": f"=cmd|{number}", "content": "Words.", "tags": ["+x", "y"]})
        assert made.status_code == 201
    await ann.post("/resources", json={"title": "Mine", "content": "Words.", "private": True})
    for who, count in ((ann, 8), (ben, 7)):
        answer = await who.get("/export", params={"format": "csv"})
        assert answer.headers["content-type"].startswith("text/csv")
        assert "attachment" in answer.headers["content-disposition"]
        rows = list(csv.DictReader(io.StringIO(answer.text)))
        assert len(rows) == count
        assert {row["title"] for row in rows} - {"Mine"} == {f"'=cmd|{number}" for number in range(7)}
        found = (await who.get("/export")).json()
        assert len(found) == count
        assert {row["title"] for row in found} - {"Mine"} == {f"=cmd|{number}" for number in range(7)}


@pytest.mark.integration
async def test_an_empty_library_and_an_unknown_format(api: httpx.AsyncClient) -> None:
    assert (await api.get("/export")).json() == []
    assert (await api.get("/export", params={"format": "csv"})).text.startswith("id,title,url")
    assert (await api.get("/export", params={"format": "xls"})).status_code == 422


@pytest.mark.integration
async def test_a_choice_is_exported_and_told_of_and_the_whole_library_is_not(
    person: Person, api: httpx.AsyncClient
) -> None:
    ann, ben = await person("ann", "editor"), await person("ben", "editor")
    ids: list[str] = []
    for title in ("One", "Two", "Three", "Mine"):
        fields = {"title": title, "content": "Words.", "private": title == "Mine"}
        ids.append((await ann.post("/resources", json=fields)).json()["id"])
    held = (await ben.post("/collections", json={"name": "Some"})).json()["id"]
    await ben.post(f"/collections/{held}/resources", json={"resource_ids": ids[1:2]})

    async def titles(who: httpx.AsyncClient, **chosen: Any) -> set[str]:
        return {row["title"] for row in (await who.get("/export", params=chosen)).json()}

    async def recorded() -> list[EventRow]:
        async with reading() as session:
            return list(await session.scalars(select(EventRow).where(EventRow.name == "resources.exported")))

    async def kinds() -> list[str]:
        async with reading() as session:
            return list(await session.scalars(select(Interaction.interaction_type).order_by(Interaction.id)))

    async def counted() -> bool:
        return bool(await recorded()) and (await kinds()).count("export") == 2

    assert await titles(ben) == {"One", "Two", "Three"}
    assert await titles(ben, id=[ids[3]]) == set()  # what is private to another
    assert (await ann.get("/export", params={"collection": held})).status_code == 404
    assert await titles(ben, id=[ids[0], ids[3]], collection=held) == {"One", "Two"}
    await until(counted)
    (event,) = await recorded()
    assert sorted(event.data["resource_ids"]) == sorted(ids[:2])
    assert event.data["user_id"] == str(event.audience) == (await ben.get("/users/me")).json()["id"]
    again = Envelope(ResourcesExported.model_validate(event.data), "", audience=event.audience, id=event.id)
    await record_export(again)  # however often it is carried on
    assert await counted()
