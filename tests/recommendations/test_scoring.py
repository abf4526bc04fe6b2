"""The weights, the score, the sentence."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from service.recommendations.scoring import WEIGHTS, Candidate, Near, Part, clamped, heaviest, parts, scores, why
from service.recommendations.signals import Signals

NOW = datetime(2026, 6, 1, 12, 30, tzinfo=UTC)


def candidate(**fields: Any) -> Candidate:
    given: dict[str, Any] = {
        "id": UUID(int=1), "title": "Lenses", "url": None, "subjects": [], "authors": [], "created_at": NOW,
        "content_hash": "x", "content": None, "signals": Signals(),
    }  # fmt: skip
    return Candidate(**(given | fields))


def only(quality: float | None = None, recency: float | None = None) -> dict[Part, float | None]:
    return {part: {"quality": quality, "recency": recency}.get(part) for part in WEIGHTS}


def said(one: Candidate, near: Near | None = None, **subjects: float) -> str:
    its = parts(one, subjects, {"Ada": 0.2}, NOW)
    return why(one, its, subjects, {"Ada": 0.2}, near, NOW)


def test_the_weights_are_shares_of_one() -> None:
    assert sum(WEIGHTS.values()) == pytest.approx(1)


def test_each_part_has_its_say() -> None:
    one = candidate(
        subjects=["optics", "sea"], authors=["Ada"], content=0.6, collaborative=0.5,
        created_at=NOW - timedelta(days=30), signals=Signals(quality=0.8, importance=0.4, citations=2),
    )  # fmt: skip
    assert parts(one, {"optics": 0.5, "sea": 0.2}, {"Ada": 0.2}, NOW) == {
        "content": 0.6, "interests": pytest.approx(0.9), "collaborative": 0.5, "quality": 0.8, "importance": 0.4,
        "recency": pytest.approx(0.5), "novelty": None,
    }  # fmt: skip


def test_a_part_that_nobody_knows_counts_for_nobody() -> None:
    assert scores([only()]) == [0.0]
    assert scores([only(recency=1.0), only(recency=0.25)]) == [1.0, 0.25]
    assert scores([]) == []


def test_one_that_is_unknown_of_one_candidate_is_neither_good_nor_bad() -> None:
    better, unknown, worse = scores([only(quality=value) for value in (0.9, None, 0.1)])
    assert better > unknown > worse


def test_two_requests_of_one_hour_agree() -> None:
    one = candidate(created_at=NOW - timedelta(days=3))
    assert parts(one, {}, {}, NOW) == parts(one, {}, {}, NOW + timedelta(minutes=20))
    assert parts(candidate(created_at=NOW + timedelta(days=1)), {}, {}, NOW)["recency"] == 1.0


@pytest.mark.parametrize(
    ("value", "expected"),
    [(None, None), (float("nan"), None), (float("inf"), None), (-0.2, 0.0), (1.0000001, 1.0), (0.3, 0.3)],
)
def test_what_is_no_number_is_unknown(value: float | None, expected: float | None) -> None:
    assert clamped(value) == expected


def test_the_heaviest_name_is_told() -> None:
    weights = {"a": 0.7, "b": 0.6, "c": 0.7}
    assert heaviest(weights, ["b", "b", "x"]) == "b"
    assert heaviest(weights, ["c", "a", "b"]) == "c"
    assert heaviest(weights, ["x"]) is None


def test_it_says_why() -> None:
    near = Near("Lighthouses", "annotation", 0.8)
    assert said(candidate(content=0.7), near) == "Near to 'Lighthouses', which you annotated"
    assert said(candidate(content=0.1, subjects=["optics"]), optics=0.9) == "New in your subject optics"
    old = candidate(subjects=["optics"], created_at=NOW - timedelta(days=90))
    assert said(old, optics=0.9) == "In your subject optics"
    assert said(candidate(authors=["Ada"])) == "By Ada, of whom you have read something"
    assert said(candidate(collaborative=0.9, together_with="Ships")) == "Read by others who read 'Ships'"
    assert said(candidate(signals=Signals(importance=0.8, citations=12))) == "Much cited here"
    assert said(candidate(signals=Signals(quality=0.9))) == "Of high quality"
    assert said(candidate()) == "New in the library"
    assert said(candidate(created_at=NOW - timedelta(days=90))) == "Something else for a change"
    assert said(candidate(content=0.5)) == "Near to what you read"


def test_it_says_nothing_that_does_not_hold() -> None:
    assert said(candidate(content=0.2), Near("Lighthouses", "view", 0.2)) == "New in the library"
    assert said(candidate(signals=Signals(importance=0.25, citations=1))) == "New in the library"
    assert said(candidate(signals=Signals(quality=0.5))) == "New in the library"
