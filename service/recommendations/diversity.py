"""Maximal marginal relevance: a list whose items are good, and not all the same.

Carbonell, Goldstein: The Use of MMR, Diversity-Based Reranking for Reordering Documents and Producing Summaries,
SIGIR 1998, https://doi.org/10.1145/290941.291025
"""

from collections.abc import Callable, Sequence
from typing import Final

DIVERSITY: Final = 0.5


def mmr(
    relevance: Sequence[float], similarity: Callable[[int], Sequence[float]], most: int, diversity: float = DIVERSITY
) -> list[int]:
    """Return the places of at most `most` items, best first; of equals, the one that stands first.

    Each is the one with the greatest `(1 - diversity) * relevance - diversity * similarity` to the nearest one that is
    chosen already. `similarity` returns the row of an item: how alike each is to it, comparable with `relevance`.
    """
    chosen: list[int] = []
    left = list(range(len(relevance)))
    nearest = [0.0] * len(relevance)
    while left and len(chosen) < most:
        gains = [(1 - diversity) * relevance[place] - diversity * nearest[place] for place in left]
        best = left.pop(gains.index(max(gains)))
        row = similarity(best)
        nearest = [a if a > b else b for a, b in zip(nearest, row, strict=True)] if chosen else list(row)
        chosen.append(best)
    return chosen
