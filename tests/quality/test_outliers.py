"""Distances, robust z-scores, and what stands out."""

import numpy as np
import pytest

from service.quality.outliers import judge, nearest, robust_z, yardstick


def test_the_modified_z_score_of_a_worked_example() -> None:
    """Median 2.45, MAD 0.15: 0.6745 * (8.2 - 2.45) / 0.15 = 25.86, by hand."""
    values = np.array([2.1, 2.6, 2.4, 2.5, 2.3, 2.1, 2.3, 2.6, 8.2, 8.3])
    scores = robust_z(values, values)
    assert scores[8] == pytest.approx(25.86, abs=0.01)
    assert [float(value) for value, score in zip(values, scores, strict=True) if abs(score) > 3.5] == [8.2, 8.3]


def test_where_most_are_the_same_the_mean_deviation_counts() -> None:
    values = np.array([1.0] * 9 + [2.0])
    assert robust_z(values, values)[9] == pytest.approx(1 / (1.253314 * 0.1))
    assert robust_z(np.ones(10), np.ones(10)).tolist() == [0.0] * 10


def test_the_mean_distance_to_the_nearest_without_itself() -> None:
    """On a line at 0, 1, 3, 7: of 0 they are 1 and 3 away, of 7 they are 4 and 6 away."""
    line = np.array([[0.0], [1.0], [3.0], [7.0]])
    assert nearest(line, line, np.arange(4), 2).tolist() == [2.0, 1.5, 2.5, 5.0]
    assert nearest(np.array([[0.0]]), line, np.array([-1]), 2).tolist() == [0.5]


def scores(number: int, seed: int = 1) -> list[tuple[float, ...]]:
    random = np.random.default_rng(seed)
    return [tuple(row) for row in np.clip(random.normal(0.6, 0.05, (number, 5)), 0, 1).tolist()]


def test_one_that_is_unlike_all_others_is_found_with_its_dimensions() -> None:
    points = [*scores(60), (0.6, 0.6, 0.02, 0.6, 0.99)]
    against = yardstick(points)
    assert against is not None
    verdicts = judge(points, range(len(points)), against)
    assert [place for place, verdict in enumerate(verdicts) if verdict.is_outlier] == [60]
    assert set(verdicts[60].dimensions) == {"consistency", "relevance"}
    assert any(reason.startswith("Its consistency is 0.02; in the middle") for reason in verdicts[60].reasons)


def test_fewer_than_ten_are_too_few() -> None:
    assert yardstick(scores(9)) is None
    assert yardstick(scores(10)) is not None


def test_hardly_different_is_no_outlier() -> None:
    points = [(0.5,) * 5] * 20 + [(0.5, 0.5, 0.5, 0.5, 0.55)]
    against = yardstick(points)
    assert against is not None
    assert not any(verdict.is_outlier for verdict in judge(points, range(21), against))
