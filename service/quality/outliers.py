"""What is unlike all the others, by its distances to its nearest neighbours in the five dimensions."""

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from service.quality.scores import DIMENSIONS

Floats = NDArray[np.float64]

FEWEST: Final = 10  # rows; with fewer nothing can stand out
NEIGHBOURS: Final = 5
FAR: Final = 3.5  # robust z-score
NEAR: Final = 0.01  # added to every distance: what is nearer is the same
LEAST_DISTANCE: Final = 0.15  # where all are nearly alike, a little difference is no outlier
STANDS_OUT: Final = 2.5  # robust z-score of a dimension
LEAST_SPREAD: Final = 0.05  # of a dimension


class Yardstick(NamedTuple):
    """The rows that others are compared with, (m, 5), and what is typical of their distances."""

    points: Floats
    distances: Floats


class Verdict(NamedTuple):
    """Whether a row is an outlier, the names of the dimensions by which it is, and sentences about them."""

    is_outlier: bool
    dimensions: list[str]
    reasons: list[str]


def yardstick(points: Sequence[Sequence[float]]) -> Yardstick | None:
    """Return what to compare with, from (m, 5) scores; None with fewer than `FEWEST`."""
    if len(points) < FEWEST:
        return None
    reference = np.array(points, dtype=np.float64)
    return Yardstick(reference, nearest(reference, reference, np.arange(len(reference))))


def nearest(points: Floats, reference: Floats, own: NDArray[Any], k: int = NEIGHBOURS) -> Floats:
    """Return the mean Euclidean distance of each of (n, d) points to its k nearest of (m, d).

    The weight of F. Angiulli and C. Pizzuti, "Fast outlier detection in high dimensional spaces", PKDD 2002, divided by
    k. `own` is the place of each point itself in the reference, -1 where it is not there.
    """
    squares = np.zeros((len(points), len(reference)))
    for dimension in range(points.shape[1]):
        squares += (points[:, dimension, None] - reference[None, :, dimension]) ** 2
    itself = np.flatnonzero(own >= 0)
    squares[itself, own[itself]] = np.inf
    k = min(k, len(reference) - 1)
    return np.sqrt(np.partition(squares, k - 1, axis=1)[:, :k]).mean(axis=1)


def robust_z(values: Floats, reference: Floats) -> Floats:
    """Return the modified z-scores of values: 0.6745 (x - median) / MAD, all of the reference.

    B. Iglewicz and D. C. Hoaglin, "How to detect and handle outliers", ASQC 1993, who call beyond 3.5 an outlier. Where
    more than half of the reference are the same, so that MAD is 0: (x - median) / (1.253314 mean absolute deviation).
    """
    middle = np.median(reference)
    deviations = np.abs(reference - middle)
    spread = np.median(deviations) / 0.6745 or 1.253314 * deviations.mean()
    return (values - middle) / spread if spread else np.zeros_like(values)


def judge(points: Sequence[Sequence[float]], own: Sequence[int], against: Yardstick) -> list[Verdict]:
    """Tell for (n, 5) scores which are outliers, and by which dimensions.

    The z-scores are those of the logarithms: distances are skewed, so that by themselves each hundredth of a harmless
    sample would stand out.
    """
    given = np.array(points, dtype=np.float64).reshape(-1, len(DIMENSIONS))
    distances = nearest(given, against.points, np.array(own, dtype=np.intp))
    unusual = robust_z(np.log(distances + NEAR), np.log(against.distances + NEAR)) > FAR
    far = unusual & (distances > LEAST_DISTANCE)
    middles = np.median(against.points, axis=0)
    spreads = np.maximum(np.median(np.abs(against.points - middles), axis=0) / 0.6745, LEAST_SPREAD)
    return [
        _verdict(row, middles, (row - middles) / spreads) if stands_out else Verdict(False, [], [])
        for row, stands_out in zip(given, far, strict=True)
    ]


def _verdict(row: Floats, middles: Floats, scores: Floats) -> Verdict:
    order = [int(place) for place in np.argsort(-np.abs(scores))]
    places = [place for place in order if abs(scores[place]) >= STANDS_OUT] or order[:1]
    reasons = [
        f"Its {DIMENSIONS[place]} is {row[place]:.2f}; in the middle of the library stands {middles[place]:.2f}."
        for place in places
    ]
    return Verdict(True, [DIMENSIONS[place] for place in places], reasons)
