"""How much an interaction says."""

import pytest

from service.recommendations.events import InteractionType
from service.recommendations.strength import strength


@pytest.mark.parametrize(
    ("kind", "expected"), [("annotation", 0.7), ("collection_add", 0.8), ("export", 0.9), ("download", 0.6)]
)
def test_what_one_does_has_a_fixed_strength(kind: InteractionType, expected: float) -> None:
    assert strength(kind) == expected


@pytest.mark.parametrize(
    ("seconds", "expected"), [(None, 0.1), (0, 0.1), (100, 0.2), (300, 0.4), (301, 0.4), (86_400, 0.4)]
)
def test_a_view_says_more_the_longer_it_lasts_up_to_a_bound(seconds: float | None, expected: float) -> None:
    assert strength("view", dwell_seconds=seconds) == pytest.approx(expected)


@pytest.mark.parametrize(("rating", "expected"), [(1, 0.2), (2, 0.4), (3, 0.6), (4, 0.8), (5, 1.0)])
def test_each_star_says_more(rating: int, expected: float) -> None:
    assert strength("rating", rating) == pytest.approx(expected)
