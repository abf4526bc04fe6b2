"""A resource as BibTeX and as CSL-JSON."""

from typing import Any

import orjson
import pytest

from service.mcp.citing import bibtex, csl

PAGE: dict[str, Any] = {
    "id": "5f3c1d1e-0000-4000-8000-000000000000", "title": "100% of {lamps} & reefs_", "type": "webpage",
    "url": "https://example.org/a", "authors": ["Émile Zola", "Curie, Marie"], "language": "en",
    "published_at": "2024-03-05T00:00:00Z", "created_at": "2026-11-27T10:00:00Z", "description": None,
}  # fmt: skip


def test_bibtex_of_a_page() -> None:
    assert bibtex(PAGE) == (
        "@online{zola2024lamps,\n"
        "  title = {{100\\% of \\{lamps\\} \\& reefs\\_}},\n"
        "  author = {Émile Zola and Curie, Marie},\n"
        "  year = {2024},\n"
        "  month = {3},\n"
        "  url = {https://example.org/a},\n"
        "  urldate = {2026-11-27},\n"
        "  language = {en}\n"
        "}\n"
    )


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ({"type": "book"}, "book"),
        ({"url": "https://doi.org/10.1000/182"}, "article"),
        ({"url": None, "type": "note"}, "misc"),
        ({"authors": [], "title": "日本", "published_at": None}, "online{pharos5f3c1d1e,"),
    ],
)
def test_kinds(changes: dict[str, Any], kind: str) -> None:
    assert bibtex(PAGE | changes).startswith(f"@{kind}")


def test_csl() -> None:
    item = orjson.loads(csl(PAGE))
    assert item["author"] == [{"family": "Zola", "given": "Émile"}, {"family": "Curie", "given": "Marie"}]
    assert item["issued"] == {"date-parts": [[2024, 3, 5]]}
    assert (item["type"], item["title"]) == ("webpage", PAGE["title"])
    assert "abstract" not in item
