"""A profile out of interactions: decay, centre, subjects."""

from datetime import UTC, datetime, timedelta
from math import sqrt
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.recommendations.interests import NAMED, Touched, centre, decay, interests, shares, weight

NOW = datetime(2026, 6, 1, tzinfo=UTC)


def touched(id: UUID, weight: float, *subjects: str) -> Touched:
    return Touched(id, "A title", "view", weight, subjects, ["Ada"], "text", "meaning")


@pytest.mark.parametrize(("days", "left"), [(0, 1.0), (30, 0.5), (60, 0.25), (15, sqrt(0.5)), (-1, 1.0)])
def test_an_interaction_counts_half_after_thirty_days(days: float, left: float) -> None:
    assert decay(days) == pytest.approx(left)


def test_decay_is_reckoned_from_the_newest() -> None:
    assert weight(0.8, NOW - timedelta(days=30), NOW) == pytest.approx(0.4)
    assert weight(0.8, NOW, NOW) == 0.8


def test_the_centre_is_the_weighted_mean_as_a_unit_vector() -> None:
    found = centre([(3.0, [1.0, 0.0]), (4.0, [0.0, 1.0])])
    assert found == pytest.approx([0.6, 0.8])


@pytest.mark.parametrize("vectors", [[], [(0.0, [1.0, 0.0])], [(1.0, [1.0, 0.0]), (1.0, [-1.0, 0.0])]])
def test_what_has_no_direction_has_no_centre(vectors: list[tuple[float, list[float]]]) -> None:
    assert centre(vectors) is None


@given(st.lists(st.tuples(st.floats(0.01, 1), st.integers(0, 3000)), min_size=1, max_size=20), st.integers(0, 5000))
def test_time_alone_changes_no_profile(made: list[tuple[float, int]], passed: int) -> None:
    """The same interactions, all of them longer ago."""

    def seen(ago: int) -> list[float] | None:
        at = [(strength, NOW - timedelta(days=days + ago)) for strength, days in made]
        newest = max(when for _, when in at)
        vectors = [[1.0, float(place % 3), 0.5] for place in range(len(at))]
        return centre((weight(*one, newest), vector) for one, vector in zip(at, vectors, strict=True))

    assert seen(0) == seen(passed)


def test_a_subject_weighs_what_carries_it() -> None:
    assert shares([(3.0, ["optics", "optics"]), (1.0, ["optics", "sea"]), (4.0, [])]) == {"optics": 0.5, "sea": 0.125}
    assert shares([]) == {}
    assert len(shares([(1.0, [str(number) for number in range(3 * NAMED)])])) == NAMED


def test_what_has_no_meaning_counts_for_its_subjects_only() -> None:
    one, other = uuid4(), uuid4()
    found = interests([touched(one, 1.0, "optics"), touched(other, 3.0, "sea")], {one: [0.0, 2.0]})
    assert found.centre == [0.0, 1.0]
    assert found.subjects == {"sea": 0.75, "optics": 0.25}
    assert found.authors == {"Ada": 1.0}
