"""A passage is found again in a changed text."""

import random
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.annotations.anchoring import CONTEXT, LONGEST, Anchor, Selector, anchor, anchor_all, distances, select

STORY = """The keeper climbs the stairs at dusk. He lights the lamp, and the lamp turns all night. Ships far out at sea
count the seconds between two flashes. At dawn the keeper puts the lamp out, and writes the weather into his book.
Nobody reads it."""
SECONDS = "count the seconds between two flashes"


def mark(text: str, passage: str, number: int = 1) -> Selector:
    """Mark the occurrence of that number."""
    start = -1
    for _ in range(number):
        start = text.index(passage, start + 1)
    return select(text, start, start + len(passage))


def shown(text: str, anchored: Anchor | None) -> str | None:
    return None if anchored is None else text[anchored.start : anchored.end]


def test_a_selector_has_at_most_64_characters_of_context_on_each_side() -> None:
    selector = mark(STORY, SECONDS)
    assert (len(selector.prefix), len(selector.suffix)) == (CONTEXT, CONTEXT) == (64, 64)
    assert selector.prefix + selector.quote + selector.suffix in STORY
    assert select("lamp", 0, 4) == Selector("lamp", "", "", 0)


@pytest.mark.parametrize("before", ["", "A new first paragraph.\n\n", "x" * 50_000])
def test_the_same_quote_elsewhere_is_found_exactly(before: str) -> None:
    text = before + STORY
    assert anchor(text, mark(STORY, SECONDS)) == Anchor(
        len(before) + STORY.index(SECONDS), len(before) + STORY.index(SECONDS) + len(SECONDS), 1.0
    )


@pytest.mark.parametrize("number", [1, 2, 3])
def test_of_many_occurrences_the_one_with_the_same_surroundings_is_found(number: int) -> None:
    text = "The lamp is new. " + STORY
    selector, place = mark(STORY, "the lamp", number), mark(text, "the lamp", number).position
    assert anchor(text, selector) == Anchor(place, place + 8, 1.0)


def test_without_any_difference_the_nearest_is_found() -> None:
    text = "lamp post. " * 1000
    place = 11 * 600
    assert anchor(text, select(text, place, place + 9)) == Anchor(place, place + 9, 1.0)


@pytest.mark.parametrize(
    ("old", "new", "passage"),
    [
        ("seconds between", "minutes between", "count the minutes between two flashes"),
        ("between two flashes", "between two bright flashes", "count the seconds between two bright flashes"),
        ("count the seconds", "count\n\n  the\u00a0seconds", "count\n\n  the\u00a0seconds between two flashes"),
        ("the seconds between", "seconds between", "count seconds between two flashes"),
    ],
)
def test_an_edited_passage_is_found_approximately(old: str, new: str, passage: str) -> None:
    text = "Something was put before. " * 40 + STORY.replace(old, new)
    anchored = anchor(text, mark(STORY, SECONDS))
    assert shown(text, anchored) == passage
    assert anchored is not None
    assert 0.75 <= anchored.similarity < 1


def test_an_edited_passage_in_its_place_is_preferred_to_the_same_words_elsewhere() -> None:
    text = STORY.replace("the seconds", "all the seconds") + " In another story they " + SECONDS + " again."
    assert shown(text, anchor(text, mark(STORY, SECONDS))) == "count all the seconds between two flashes"


@pytest.mark.parametrize("text", ["", "Nothing of it is left.", STORY.replace(SECONDS, "sleep"), "x" * 100_000])
def test_what_is_not_there_is_not_found(text: str) -> None:
    assert anchor(text, mark(STORY, SECONDS)) is None


def test_a_short_quote_is_not_found_just_anywhere() -> None:
    selector = mark(STORY, "the")
    assert anchor("In the beginning there was the word, and the word was short.", selector) is None
    assert anchor("x " + STORY, selector) == Anchor(selector.position + 2, selector.position + 5, 1.0)


def test_offsets_count_code_points() -> None:
    text = "👩‍🚀🇦🇹 e\u0301tude: 灯台 lights 𝄞 the 👍🏽 sea at night, and the 灯台 stays."
    selector = mark(text, "lights 𝄞 the 👍🏽 sea")
    moved = anchor("🚨🚨🚨" + text, selector)
    assert shown("🚨🚨🚨" + text, moved) == selector.quote
    assert moved is not None
    assert moved.start == selector.position + 3
    composed = text.replace("e\u0301", "é")
    assert shown(composed, anchor(composed, mark(text, "e\u0301tude: 灯台 lights"))) == "étude: 灯台 lights"


def test_it_comes_back_when_the_text_does_and_only_the_present_text_counts() -> None:
    selector = mark(STORY, SECONDS)
    before = anchor(STORY, selector)
    assert anchor("Gone.", selector) is None
    assert anchor(STORY, selector) == before


@given(st.text(alphabet="ab ", max_size=9), st.text(alphabet="ab ", max_size=20), st.booleans())
def test_errors_are_those_of_the_whole_matrix(pattern: str, text: str, from_the_start: bool) -> None:
    column = list(range(len(pattern) + 1))
    errors = [column[-1]]
    for number, character in enumerate(text, 1):
        above, column[0] = column[0], number if from_the_start else 0
        for row in range(1, len(pattern) + 1):
            here = min(above + (pattern[row - 1] != character), column[row] + 1, column[row - 1] + 1)
            above, column[row] = column[row], here
        errors.append(column[-1])
    assert distances(pattern, text, from_the_start=from_the_start) == errors


def test_the_published_example_of_approximate_matching() -> None:
    """Navarro, "A guided tour to approximate string matching", ACM Computing Surveys 33 (2001): survey in surgery."""
    assert distances("survey", "surgery") == [6, 5, 4, 3, 3, 2, 2, 2]
    assert distances("survey", "surgery", from_the_start=True)[-1] == 2


@given(st.text(max_size=200), st.data())
def test_nothing_breaks_it_and_what_did_not_change_stays(text: str, data: st.DataObject) -> None:
    if not text:
        return
    start = data.draw(st.integers(0, len(text) - 1))
    selector = select(text, start, data.draw(st.integers(start + 1, len(text))))
    other = data.draw(st.text(max_size=200))
    for changed in (other + text, text + other, other):
        anchored = anchor(changed, selector)
        assert anchored is None or 0 <= anchored.start < anchored.end <= len(changed)
    assert shown(text, anchor(text, selector)) == selector.quote


def test_many_passages_of_a_long_text_take_a_bounded_time() -> None:
    """Each has lost a word, so that none is found exactly; a generous bound, which a quadratic search would miss."""
    words = random.Random(1).choices([f"word{n}" for n in range(3000)], k=150_000)
    text = " ".join(words)
    places = range(0, 149_000, 1490)
    selectors = [mark_at(words, text, place) for place in places]
    edited = " ".join(word for number, word in enumerate(words) if number % 149 != 5)
    began = time.process_time()
    anchored = anchor_all(edited, selectors)
    assert time.process_time() - began < 60
    assert sum(one is not None for one in anchored) >= len(selectors) - 1


def mark_at(words: list[str], text: str, place: int) -> Selector:
    start = sum(map(len, words[:place])) + place
    return select(text, start, start + len(" ".join(words[place : place + 14])))


def test_the_longest_quote_takes_a_bounded_time() -> None:
    text = "".join(random.Random(2).choices("abcdefgh ", k=200_000))
    selector = select(text, 50_000, 50_000 + LONGEST)
    edited = text[:55_000] + "xx" + text[55_001:]
    began = time.process_time()
    anchored = anchor(edited, selector)
    assert time.process_time() - began < 20
    assert anchored is not None
    assert (anchored.start, anchored.end) == (50_000, 50_001 + LONGEST)
