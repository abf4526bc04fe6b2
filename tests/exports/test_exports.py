"""Exports hold what one may see, and nothing that a spreadsheet would run."""

import csv
import io
from collections.abc import Awaitable, Callable

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.exports import actions
from service.exports.spreadsheet import cell, line

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


@pytest.mark.parametrize("text", EVIL)
def test_a_formula_is_a_text(text: str) -> None:
    assert cell(text) == f"'{text}"
    assert cell([text, "other"]).startswith("'")


@pytest.mark.parametrize("text", ["A title", "1+1=2", "a@b.org", "", "x-y", "Zürich"])
def test_an_ordinary_text_stays(text: str) -> None:
    assert cell(text) == text


def test_numbers_times_and_nothing() -> None:
    assert [cell(value) for value in (-3, 0.5, None, True, ["a", "b"])] == ["-3", "0.5", "", "true", "a; b"]


@given(st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\x00")), min_size=1))
def test_any_line_is_read_back_cell_by_cell(texts: list[str]) -> None:
    (read,) = csv.reader(io.StringIO(line(texts), newline=""))
    assert all(each in (text, f"'{text}") for each, text in zip(read, texts, strict=True))
    assert not any(each.startswith(("=", "+", "-", "@")) for each in read)


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
