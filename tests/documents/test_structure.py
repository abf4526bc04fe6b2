"""What the lines of a text are: by its HTML where that knows, by themselves where not."""

import pytest

from service.documents.structure import blocks


def kinds(content: str, html: str | None = None) -> list[tuple[str, str, int]]:
    return [(content[one.start : one.end], one.kind, one.level) for one in blocks(content, html)]


def test_html_tells_headings_lists_and_tables() -> None:
    html = (
        "<h1>Light</h1><p>It is <b>fast</b>.</p><h2>Colours</h2>"
        "<ul><li>red</li><li>blue <ul><li>dark</li></ul></li></ul>"
        "<table><tr><th>name</th><th>nm</th></tr><tr><td><p>red</p></td><td>700</td></tr></table><pre>a\nb</pre>"
    )
    content = "Light\nIt is fast.\nColours\nred\nblue\ndark\nname\tnm\nred\t700\na\nb"
    assert kinds(content, html) == [
        ("Light", "heading", 1), ("It is fast.", "text", 0), ("Colours", "heading", 2), ("red\nblue\ndark", "list", 0),
        ("name\tnm\nred\t700", "table", 0), ("a", "text", 0), ("b", "text", 0),
    ]  # fmt: skip


def test_a_line_that_the_html_does_not_have_is_text() -> None:
    assert kinds("Light\nSomething else\nColours", "<h1>Light</h1><h2>Colours</h2>") == [
        ("Light", "heading", 1), ("Something else", "text", 0), ("Colours", "heading", 2),
    ]  # fmt: skip


def test_lines_of_plain_text_tell_themselves() -> None:
    content = (
        "1 Waves\nA wave carries energy and no matter from one place to another place.\n"
        "1.2 Standing waves\nTwo waves that meet may stand still, where each takes away the other.\n"
        "• a node\n• an antinode\nlength\tfrequency\n1\t2\nThe End Of It All\nIt goes on for a while after its end."
    )
    assert kinds(content) == [
        ("1 Waves", "heading", 1),
        ("A wave carries energy and no matter from one place to another place.", "text", 0),
        ("1.2 Standing waves", "heading", 2),
        ("Two waves that meet may stand still, where each takes away the other.", "text", 0),
        ("• a node\n• an antinode", "list", 0),
        ("length\tfrequency\n1\t2", "table", 0),
        ("The End Of It All", "heading", 2),
        ("It goes on for a while after its end.", "text", 0),
    ]


@pytest.mark.parametrize(
    "line",
    ["Anna\nBert\nCarla\nDora\nEmil", "1.3 Standing waves ........ 17", "He said this:", "1990 was a year.", "ok"],
)
def test_what_looks_like_a_heading_and_leads_nowhere_is_none(line: str) -> None:
    assert {kind for _, kind, _ in kinds(line)} == {"text"}


def test_a_single_line_with_a_tab_is_no_table() -> None:
    assert kinds("It was\ta typing error.") == [("It was\ta typing error.", "text", 0)]


@pytest.mark.parametrize("content", ["", "\n\n", " \t "])
def test_nothing_has_no_blocks(content: str) -> None:
    assert blocks(content, "") == []
