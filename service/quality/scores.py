"""Scores: from 0 to 1, with the reasons for them."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final, Literal, NamedTuple, get_args

Dimension = Literal["accuracy", "completeness", "consistency", "timeliness", "relevance"]
DIMENSIONS: Final[tuple[Dimension, ...]] = get_args(Dimension)

UNKNOWN = 0.5  # where nothing can be told


class Part(NamedTuple):
    """One thing that counts in a dimension: its value from 0 to 1, its share, and a sentence that says why."""

    value: float
    weight: float
    reason: str


class Score(NamedTuple):
    """A value from 0 to 1 and the sentences that explain it."""

    value: float
    reasons: list[str]


def blended(parts: Sequence[Part], nothing: str) -> Score:
    """Return the weighted mean of parts; UNKNOWN, with the sentence `nothing`, where there are none."""
    if not parts:
        return Score(UNKNOWN, [nothing])
    weight = sum(part.weight for part in parts)
    value = sum(part.value * part.weight for part in parts) / weight
    return Score(rounded(value), [part.reason for part in parts])


def overall(scores: Mapping[str, float], weights: Iterable[float]) -> float:
    """Return the weighted sum of the dimensions; `weights` sum to 1, in the order of `DIMENSIONS`."""
    return rounded(sum(scores[name] * weight for name, weight in zip(DIMENSIONS, weights, strict=True)))


def rounded(value: float) -> float:
    """Return a value within 0 and 1, to four digits."""
    return round(min(1.0, max(0.0, value)), 4)
