import random

import pytest

from service.ingestion.near_duplicates import Bands, closest, shared, signature

WORDS = random.Random(4).sample([f"word{number}" for number in range(5000)], 400)
TEXT = " ".join(WORDS)


def near(one: str, other: str) -> bool:
    first, second = signature(one), signature(other)
    assert first is not None
    assert second is not None
    return shared(first, second) > 0


def test_the_signature_is_the_same_on_every_machine() -> None:
    assert signature(" ".join(f"word{number}" for number in range(100))) == (
        -1352209255,
        -1806871962,
        1620021131,
        1992133821,
    )


def test_case_and_punctuation_do_not_matter() -> None:
    assert signature(TEXT) == signature(TEXT.upper().replace(" ", ",  "))


def test_a_text_with_a_footer_and_some_changed_words_is_a_near_duplicate() -> None:
    changed = [*WORDS[:200], "another", *WORDS[201:], "follow", "us", "and", "subscribe", "to", "our", "letter"]
    assert near(TEXT, " ".join(changed))


def test_texts_that_share_only_a_passage_are_not() -> None:
    assert not near(TEXT, " ".join(WORDS[:60] + [f"other{number}" for number in range(340)]))


@pytest.mark.parametrize("text", ["", "too short to compare", " ".join(WORDS[:33])])
def test_a_short_text_has_no_signature(text: str) -> None:
    assert signature(text) is None


def test_a_long_text_is_compared_by_a_sample() -> None:
    long = " ".join(f"w{number * 7919 % 50_021}" for number in range(50_000))
    assert near(long, long + " and one more sentence at the very end of it")
    assert all(-(2**31) <= band < 2**31 for band in signature(long) or ())


def test_the_closest_shares_the_most_bands() -> None:
    mine: Bands = (1, 2, 3, 4)
    assert (
        closest(mine, {"none": (5, 6, 7, 8), "one": (1, 6, 7, 8), "two": (1, 2, 7, 8), "also": (5, 6, 3, 4)}) == "two"
    )
    assert closest(mine, {"none": (5, 6, 7, 8), "moved": (4, 3, 2, 1)}) is None
    assert closest(mine, {}) is None
