"""Item-item collaborative filtering: what people touched together.

Sarwar, Karypis, Konstan, Riedl: Item-Based Collaborative Filtering Recommendation Algorithms, WWW 2001,
https://doi.org/10.1145/371920.372071
"""

from collections.abc import Iterable, Mapping, Set
from math import sqrt
from uuid import UUID


def cosine(together: int, one: int, other: int) -> float:
    """Return the cosine of two resources as sets of the people who touched them, 0 to 1."""
    return together / sqrt(one * other) if together else 0.0


def together(people: Iterable[Set[UUID]], anchors: Mapping[UUID, float]) -> dict[UUID, tuple[float, UUID]]:
    """Return how much each resource belongs to the anchors, 0 to 1, and to which of them most.

    `people` are the resources that each of them touched, `anchors` the weights of one's own. The value is the mean of
    the cosines to all anchors, weighted.
    """
    touched: dict[UUID, int] = {}
    beside: dict[UUID, dict[UUID, int]] = {anchor: {} for anchor in sorted(anchors)}
    for resources in people:
        for resource in resources:
            touched[resource] = touched.get(resource, 0) + 1
        others = resources - anchors.keys()
        for anchor in resources & anchors.keys():
            counts = beside[anchor]
            for resource in others:
                counts[resource] = counts.get(resource, 0) + 1
    total = sum(anchors.values()) or 1.0
    found: dict[UUID, tuple[float, float, UUID]] = {}  # the sum so far, the greatest share and whose it is
    for anchor, counts in beside.items():
        for resource, count in counts.items():
            share = anchors[anchor] * cosine(count, touched[resource], touched[anchor]) / total
            before, most, whose = found.get(resource, (0.0, 0.0, anchor))
            found[resource] = (before + share, *((share, anchor) if share > most else (most, whose)))
    return {resource: (value, whose) for resource, (value, _, whose) in found.items()}
