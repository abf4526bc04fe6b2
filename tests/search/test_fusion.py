"""Rankings, merged."""

from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.search.fusion import Ranked, bettered, reciprocal_rank_fusion


def test_ranks_add_up() -> None:
    merged = dict(reciprocal_rank_fusion([["a", "b"], ["b", "c"]], k=60))
    best = 2 / 61
    assert merged == pytest.approx({"b": (1 / 62 + 1 / 61) / best, "a": 1 / 61 / best, "c": 1 / 62 / best})


def test_first_everywhere_is_one() -> None:
    assert reciprocal_rank_fusion([["a", "b"], ["a", "c"], ["a"]])[0] == ("a", pytest.approx(1))


def test_equal_scores_keep_the_first_ranking_first() -> None:
    assert [item for item, _ in reciprocal_rank_fusion([["a", "b"], ["c", "d"]])] == ["a", "c", "b", "d"]


def test_nothing_makes_nothing() -> None:
    assert reciprocal_rank_fusion([[], []]) == []


@given(st.lists(st.lists(st.integers(0, 50), unique=True), min_size=1, max_size=4))
def test_nothing_is_lost_and_scores_fall(rankings: list[list[int]]) -> None:
    merged = reciprocal_rank_fusion(rankings)
    assert {item for item, _ in merged} == {item for ranking in rankings for item in ranking}
    scores = [score for _, score in merged]
    assert scores == sorted(scores, reverse=True)
    assert all(0 < score <= 1 + 1e-9 for score in scores)


def test_quality_raises_the_good_and_lowers_the_poor_and_leaves_alone_what_is_not_known() -> None:
    good, poor, unknown = uuid4(), uuid4(), uuid4()
    ranking = [Ranked(poor, 1.0, "by words"), Ranked(unknown, 0.99, "by words"), Ranked(good, 0.97, "by words")]
    raised = bettered(ranking, {good: 0.9, poor: 0.1}, 0.05)
    assert [(one.id, one.score) for one in raised] == [
        (good, pytest.approx(0.97 * 1.04)), (unknown, 0.99), (poor, pytest.approx(0.96)),
    ]  # fmt: skip
    assert [one.why for one in raised] == ["by words; quality 0.90: +4 %", "by words", "by words; quality 0.10: -4 %"]


@given(st.lists(st.floats(0, 100), max_size=20), st.floats(0, 1))
def test_without_quality_a_ranking_stays_as_it_is(scores: list[float], boost: float) -> None:
    ranking = [Ranked(UUID(int=place), score, "") for place, score in enumerate(sorted(scores, reverse=True))]
    assert bettered(ranking, {}, boost) == ranking
