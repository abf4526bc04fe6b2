"""Readability against published figures."""

import pytest

from service.quality.readability import grade_level, readability_of, reading_ease, syllables_of


@pytest.mark.parametrize(
    ("text", "ease"),
    [  # the examples of https://en.wikipedia.org/wiki/Flesch-Kincaid_readability_tests
        ("The cat sat on the mat.", 116.15),
        ("The Australian platypus is seemingly a hybrid of a mammal and reptilian creature.", 37.46),
    ],
)
def test_published_examples(text: str, ease: float) -> None:
    found = readability_of(text)
    assert found is not None
    assert found.flesch_reading_ease == ease


def test_the_bounds_that_are_published() -> None:
    """Sentences of one word of one syllable: the highest ease is 121.22, the lowest grade -3.40."""
    assert (reading_ease(10, 10, 10), grade_level(10, 10, 10)) == (121.22, -3.4)
    assert reading_ease(16, 1, 24) == 63.7  # 206.835 - 1.015 * 16 - 84.6 * 1.5, by hand
    assert grade_level(13, 1, 24) == 11.26


@pytest.mark.parametrize(
    ("word", "number"),
    [("make", 1), ("lived", 1), ("wanted", 2), ("table", 2), ("boxes", 2), ("lines", 1), ("people", 2), ("dial", 2),
     ("video", 3), ("being", 2), ("the", 1), ("sky", 1), ("hmm", 1), ("national", 3)],
)  # fmt: skip
def test_syllables_by_rule(word: str, number: int) -> None:
    assert syllables_of(word) == number


def test_sentences_end_at_marks_and_at_lines() -> None:
    found = readability_of("A heading\nOne sentence. Another one! (A third?)\n\n...\n")
    assert found is not None
    assert (found.sentences, found.words) == (4, 8)


@pytest.mark.parametrize("text", ["", "😀😀", "12 345", "Маяк стоит у моря.", "灯台は海のそばにある。"])
def test_what_has_no_latin_words_has_no_readability(text: str) -> None:
    assert readability_of(text) is None


def test_one_word_is_enough() -> None:
    found = readability_of("Lamp")
    assert found is not None
    assert (found.words, found.sentences, found.syllables) == (1, 1, 1)
