"""Snippets: the right part of a passage, safe to show."""

import re
from html import unescape

from hypothesis import given
from hypothesis import strategies as st

from service.search.snippets import LENGTH, START, STOP, snippet


def marked(passage: str, *words: str) -> str:
    """Mark words as PostgreSQL does."""
    for word in words:
        passage = re.sub(rf"\b{word}\b", f"{START}{word}{STOP}", passage)
    return passage


def test_words_are_marked() -> None:
    text = "The keeper lights the lamp."
    assert snippet(text, marked(text, "lamp", "keeper")) == "The <mark>keeper</mark> lights the <mark>lamp</mark>."


def test_html_in_the_text_is_text() -> None:
    text = '<script>alert("lamp")</script> & <mark>lamp</mark>'
    shown = snippet(text, marked(text, "lamp"))
    assert "<script" not in shown
    assert shown.count("<mark>") == shown.count("</mark>") == 2
    assert "&lt;mark&gt;<mark>lamp</mark>&lt;/mark&gt;" in shown


def test_signs_come_from_the_text_not_from_its_marked_form() -> None:
    assert snippet("asyncio.run()", f"{START}asyncio{STOP} {START}run{STOP}  ") == (
        "<mark>asyncio</mark>.<mark>run</mark>()"
    )


def test_the_part_with_most_of_the_words_is_shown() -> None:
    text = "lamp " + "filler words " * 60 + "the keeper lights the lamp " + "filler words " * 60
    shown = snippet(text, marked(text, "keeper", "lamp"))
    assert "<mark>keeper</mark> lights the <mark>lamp</mark>" in shown
    assert shown.startswith("… ")
    assert shown.endswith(" …")
    assert len(re.sub("</?mark>", "", shown)) <= LENGTH + 4


def test_a_passage_without_marks_is_shown_from_its_beginning() -> None:
    assert snippet("The keeper lights the lamp.", None) == "The keeper lights the lamp."
    assert snippet("word " * 100, None).startswith("word word")


def test_a_marked_form_of_another_length_marks_nothing() -> None:
    assert snippet("a lamp", f"{START}lamp{STOP}") == "a lamp"
    assert snippet(f"a {START} lamp", f"a {START} {START}lamp{STOP}") == f"a {START} lamp"


def test_lines_are_joined() -> None:
    assert snippet("one\ntwo", "one\ntwo") == "one two"


@given(st.text(max_size=800), st.sets(st.integers(0, 800), max_size=20))
def test_only_marks_are_markup(text: str, places: set[int]) -> None:
    form = "".join(f"{START}{char}{STOP}" if at in places else char for at, char in enumerate(text))
    shown = snippet(text, form)
    bare = re.sub("</?mark>", "", shown)
    assert "<" not in bare
    assert ">" not in bare
    assert unescape(bare).removeprefix("… ").removesuffix(" …") in text.replace("\n", " ")
