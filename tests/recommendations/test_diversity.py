"""Maximal marginal relevance."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.recommendations.diversity import mmr

# The formula of Carbonell and Goldstein 1998 (the paper prints no numbers) on five documents, by hand, lambda .5.
RELEVANCE = [0.91, 0.90, 0.50, 0.06, 0.63]
SIMILARITY = [
    [1.00, 0.11, 0.23, 0.76, 0.25],
    [0.11, 1.00, 0.29, 0.57, 0.51],
    [0.23, 0.29, 1.00, 0.02, 0.20],
    [0.76, 0.57, 0.02, 1.00, 0.33],
    [0.25, 0.51, 0.20, 0.33, 1.00],
]


def test_the_worked_example() -> None:
    """First .91; then .395 of the second beats .19 and .135; then .105 of the third beats .06 and -.35."""
    assert mmr(RELEVANCE, SIMILARITY.__getitem__, 3) == [0, 1, 2]
    assert mmr(RELEVANCE, SIMILARITY.__getitem__, 5) == [0, 1, 2, 4, 3]


def test_without_diversity_it_is_the_order_of_relevance() -> None:
    assert mmr(RELEVANCE, SIMILARITY.__getitem__, 5, diversity=0) == [0, 1, 4, 2, 3]


def test_a_copy_of_the_best_comes_last() -> None:
    assert mmr([0.9, 0.9, 0.3], [[1, 1, 0], [1, 1, 0], [0, 0, 1]].__getitem__, 3) == [0, 2, 1]


def test_of_nothing_comes_nothing() -> None:
    assert mmr([], [].__getitem__, 5) == []
    assert mmr(RELEVANCE, SIMILARITY.__getitem__, 0) == []


def by_definition(relevance: list[float], similarity: list[list[float]], diversity: float) -> list[int]:
    chosen: list[int] = []
    while len(chosen) < len(relevance):
        left = [place for place in range(len(relevance)) if place not in chosen]
        gains = [
            (1 - diversity) * relevance[place]
            - diversity * max((similarity[place][other] for other in chosen), default=0.0)
            for place in left
        ]
        chosen.append(left[gains.index(max(gains))])
    return chosen


@given(st.data(), st.integers(1, 8), st.floats(0, 1))
def test_it_is_what_the_definition_says(data: st.DataObject, size: int, diversity: float) -> None:
    value = st.floats(-1, 1).map(lambda one: round(one, 3))
    relevance = data.draw(st.lists(value, min_size=size, max_size=size))
    similarity = [[1.0] * size for _ in range(size)]
    for row in range(size):
        for column in range(row):
            similarity[row][column] = similarity[column][row] = data.draw(value)
    assert mmr(relevance, similarity.__getitem__, size, diversity) == by_definition(relevance, similarity, diversity)


@pytest.mark.parametrize("most", range(1, 6))
def test_a_shorter_list_is_the_beginning_of_a_longer_one(most: int) -> None:
    assert mmr(RELEVANCE, SIMILARITY.__getitem__, most) == mmr(RELEVANCE, SIMILARITY.__getitem__, 5)[:most]
