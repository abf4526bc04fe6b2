"""Maximal marginal relevance: a list whose items are good, and not all the same.

Carbonell, Goldstein: The Use of MMR, Diversity-Based Reranking for Reordering Documents and Producing Summaries,
SIGIR 1998, https://doi.org/10.1145/290941.291025
"""

from collections.abc import Sequence
from typing import Final

DIVERSITY: Final = 0.5


def mmr(
    relevance: Sequence[float], similarity: Sequence[Sequence[float]], most: int, diversity: float = DIVERSITY
) -> list[int]:
    """Return the places of at most `most` items, best first; of equals, the one that stands first.

    Each is the one with the greatest `(1 - diversity) * relevance - diversity * similarity` to the nearest one that is
    chosen already; `similarity` is a square, its values comparable with those of `relevance`.
    """
    chosen: list[int] = []
    left = list(range(len(relevance)))
    nearest = [0.0] * len(relevance)
    while left and len(chosen) < most:
        best = max(left, key=lambda place: ((1 - diversity) * relevance[place] - diversity * nearest[place], -place))
        left.remove(best)
        row = similarity[best]
        nearest = [max(known, row[place]) for place, known in enumerate(nearest)] if chosen else list(row)
        chosen.append(best)
    return chosen
