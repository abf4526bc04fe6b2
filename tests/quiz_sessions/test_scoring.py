"""What answers are worth, by published rules and by examples that must not pass."""

from collections import Counter
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.quiz_sessions.asked import Asked
from service.quiz_sessions.folding import fold, misspelt
from service.quiz_sessions.order import arranged, shuffled
from service.quiz_sessions.scoring import grade, mark, percentage


def asked(
    type: str, key: dict[str, Any], stem: str = "?", passage: str = "", options: list[str] | None = None
) -> Asked:
    return Asked(UUID(int=1), type, stem, options, key, passage)


@pytest.mark.parametrize(
    ("percent", "letter"),
    [(100, "A"), (90, "A"), (89.9, "B"), (80, "B"), (79.9, "C"),
     (70, "C"), (69.9, "D"), (60, "D"), (59.9, "F"), (0, "F")],
)  # fmt: skip
def test_grades(percent: float, letter: str) -> None:
    assert grade(percent) == letter


@pytest.mark.parametrize(
    ("score", "possible", "percent"), [(8.5, 10, 85.0), (1, 3, 33.3), (2, 3, 66.7), (0.8995, 1, 90.0), (0, 0, 0.0)]
)
def test_percentages_have_one_decimal(score: float, possible: float, percent: float) -> None:
    assert percentage(score, possible) == percent


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Émile Zola", "emile  zola"), ("STRASSE", "Straße"), ("the Moon", "moon."), ("“naïve”", "naive"),
        ("1,000,000", "1000000"), ("Ørsted", "orsted"), ("x−1", "x-1"), ("Ｆｕｌｌ", "full"), ("O’Brien", "O'Brien"),
    ],
)  # fmt: skip
def test_what_a_reader_takes_for_the_same(one: str, other: str) -> None:
    assert fold(one) == fold(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [("C++", "C"), ("-5", "5"), ("1,5", "15"), ("か", "が"), ("कि", "क"), ("3.14", "314"), ("A", "B"), ("x²", "x³")],
)
def test_what_differs_stays_different(one: str, other: str) -> None:
    assert fold(one) != fold(other)


@given(st.text(max_size=60))
def test_folding_twice_changes_nothing_more(text: str) -> None:
    folded = fold(text)
    assert fold(" ".join(["", folded, ""])) in (folded, fold(folded))
    assert not any(character.isspace() and character != " " for character in folded)


@pytest.mark.parametrize(
    ("given", "right"),
    [("mitochondira", "mitochondria"), ("photosynthsis", "photosynthesis"), ("occassion", "occasion"),
        ("augustin frensel", "augustin fresnel")],
)  # fmt: skip
def test_slips_of_the_pen(given: str, right: str) -> None:
    assert misspelt(given, right)


@pytest.mark.parametrize(
    ("given", "right"),
    [
        ("adsorption", "absorption"), ("nitrate", "nitrite"), ("hypotension", "hypertension"), ("causal", "casual"),
        ("methane", "ethane"), ("1832", "1823"), ("anion", "cation"), ("dessert", "desert"), ("meiosis", "mitosis"),
        ("b12xxxx", "b21xxxx"), ("fresnel", "fresnel"), ("augustin", "augustin fresnel"),
        ("fersnel augusitn", "fresnel augustin"),
    ],
)  # fmt: skip
def test_what_is_another_word_is_no_slip(given: str, right: str) -> None:
    assert not misspelt(given, right)


def test_a_word_of_the_passage_is_no_slip() -> None:
    assert misspelt("neutrons", "neutron")
    assert not misspelt("neutrons", "neutron", {"neutrons"})


BLANKS = {"blanks": [["Augustin-Jean Fresnel", "Fresnel"], ["Cordouan"], ["1823"]]}


@pytest.mark.parametrize(
    ("answer", "share"),
    [
        (["Augustin-Jean  FRESNEL", "Cordouan", "1823"], 1),
        (["fresnel", "cordouan.", "1823"], 1),
        (["Fresnel", "Cordoaun", "1823"], 2.5 / 3),
        (["Fresnel", "", "1832"], 1 / 3),
        (["Cordouan", "Fresnel", ""], 0),
        (["Fresnel"], 1 / 3),
        (None, 0),
    ],
)
def test_each_blank_counts(answer: Any, share: float) -> None:
    assert mark(asked("fill_in_blank", BLANKS), answer).share == pytest.approx(share)


def test_one_of_four_and_true_or_false_are_all_or_nothing() -> None:
    choice = asked("multiple_choice", {"option": 0}, options=["a", "b", "c", "d"])
    assert [mark(choice, answer).share for answer in (0, 1, None)] == [1, 0, 0]
    for value in (True, False):
        statement = asked("true_false", {"value": value})
        assert [mark(statement, answer).share for answer in (value, not value, None)] == [1, 0, 0]


POINTS = [
    {"text": "Rings of prisms gather the light.", "terms": ["rings", "prisms"]},
    {"text": "The lens is thin.", "terms": ["thin"]},
    {"text": "It sends one beam.", "terms": ["beam"]},
    {"text": "Fresnel made it.", "terms": ["Fresnel"]},
    {"text": "It was lit in 1823.", "terms": ["1823"]},
]
LENS = asked("short_answer", {"text": "...", "key_points": POINTS}, stem="How does the lens work?")


@pytest.mark.parametrize(
    ("answer", "share"),
    [
        ("A ring of prism glass, thin, with a beam", 1),  # three of five are .6
        ("prisms in rings, and it is thin", 0.4 / 0.6),
        ("it has rings", 0),  # one of two terms is less than .6
        ("thin", 0.2 / 0.6),
        ("I do not know", 0),
    ],
)
def test_key_points_from_their_terms(answer: str, share: float) -> None:
    assert mark(LENS, answer).share == pytest.approx(share)


def test_meaning_is_a_second_signal_that_raises_and_is_never_enough() -> None:
    one = asked("short_answer", {"text": "It gathers light.", "key_points": [POINTS[0]]})
    assert mark(one, "Glass circles bundle it", [0.59]).share == 0
    assert mark(one, "Glass circles bundle it", [0.61]).share == pytest.approx(0.5 / 0.6)
    assert mark(one, "prisms in rings", [0.0]).share == 1
    assert mark(one, "prisms in rings", [None]).share == 1


def test_what_the_question_says_proves_nothing() -> None:
    key = {"text": "...", "key_points": [{"text": "The lens is thin.", "terms": ["lens", "thin", "glass"]}]}
    assert mark(asked("short_answer", key, stem="What of the lens?"), "A lens of glass").share == 0
    assert mark(asked("short_answer", key, stem="What of the lens?"), "thin glass").share == 1
    alone = {"text": "...", "key_points": [{"text": "The lens.", "terms": ["lens"]}]}
    assert mark(asked("short_answer", alone, stem="What of the lens?"), "the lens").share == 1


def test_without_key_points_the_text_is_one() -> None:
    for key in ({"text": "prisms gather light"}, {"text": "prisms gather light", "key_points": []}):
        assert mark(asked("short_answer", key), "light from prisms").share == 1
        assert mark(asked("short_answer", key), "something else").share == 0


@given(st.text(max_size=200), st.lists(st.floats(-1, 1) | st.none(), max_size=6))
def test_shares_are_shares(answer: str, near: list[float | None]) -> None:
    for one in (LENS, asked("short_answer", {"text": "\u0301"})):
        assert 0 <= mark(one, answer, near).share <= 1
    assert 0 <= mark(asked("fill_in_blank", BLANKS), [answer, answer, answer]).share <= 1


def test_the_order_is_this_one_for_good() -> None:
    assert shuffled("abcdef", 7) == ["c", "e", "a", "f", "d", "b"]


@given(st.permutations(["a", "b", "c", "d"]), st.integers(0, 2**53))
def test_where_the_right_option_stood_does_not_show(options: list[str], seed: int) -> None:
    """Whoever knows the seed cannot turn the order back: it does not depend on the order before."""
    shown, key = arranged(options, {"option": options.index("c")}, seed)
    assert shown == shuffled("abcd", seed)
    assert shown is not None
    assert shown[key["option"]] == "c"


def test_every_place_is_as_likely() -> None:
    places = Counter(shuffled("abcd", seed).index("a") for seed in range(4000))
    assert all(900 < places[place] < 1100 for place in range(4))
