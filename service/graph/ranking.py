"""How important each node of a graph is: PageRank."""

import numpy as np
from numpy.typing import NDArray

DAMPING = 0.85
TOLERANCE = 1e-10  # total change of a round, after which it is over
ROUNDS = 200

Indexes = NDArray[np.int64]
Ranks = NDArray[np.float64]


def pagerank(nodes: int, sources: Indexes, targets: Indexes, damping: float = DAMPING) -> Ranks:
    """Return the PageRank of each of `nodes` nodes, in their order; they sum to 1.

    Edge i leads from the node number `sources[i]` to `targets[i]`. The rank of nodes without an edge out is spread
    evenly over all. Brin and Page, "The anatomy of a large-scale hypertextual Web search engine", 1998; its dangling
    nodes as in Langville and Meyer, "Deeper inside PageRank", 2004, section 3.
    """
    if nodes == 0:
        return np.zeros(0)
    out = np.bincount(sources, minlength=nodes)
    dangling = out == 0
    shares = 1.0 / out[sources]
    ranks = np.full(nodes, 1.0 / nodes)
    for _ in range(ROUNDS):
        given = np.bincount(targets, weights=ranks[sources] * shares, minlength=nodes)
        following = (1 - damping) / nodes + damping * (given + ranks[dangling].sum() / nodes)
        change = float(np.abs(following - ranks).sum())
        ranks = following
        if change < TOLERANCE:
            break
    return ranks / ranks.sum()


def ranked(nodes: int, sources: bytes, targets: bytes) -> list[float]:
    """Return the same for edges as bytes of int64: what a process of its own is given, and gives back."""
    return pagerank(nodes, np.frombuffer(sources, np.int64), np.frombuffer(targets, np.int64)).tolist()
