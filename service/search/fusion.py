"""One ranking out of several."""

from collections.abc import Hashable, Sequence
from typing import TypeVar

K = 60  # how little the first ranks stand out

T = TypeVar("T", bound=Hashable)


def reciprocal_rank_fusion(rankings: Sequence[Sequence[T]], k: int = K) -> list[tuple[T, float]]:
    """Merge rankings: each gives 1 / (k + rank) to what it holds; best first, scaled so that first everywhere is 1.

    Cormack, Clarke, Buettcher: Reciprocal Rank Fusion outperforms Condorcet and individual Rank Learning Methods,
    SIGIR 2009. Equal scores keep the order in which they first appear.
    """
    scores: dict[T, float] = {}
    for ranking in rankings:
        for rank, item in enumerate(ranking, 1):
            scores[item] = scores.get(item, 0.0) + 1 / (k + rank)
    best = len(rankings) / (k + 1)
    return [(item, score / best) for item, score in sorted(scores.items(), key=lambda entry: -entry[1])]
