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
    pairs: dict[tuple[UUID, UUID], int] = {}
    for resources in people:
        for resource in resources:
            touched[resource] = touched.get(resource, 0) + 1
        for anchor in resources & anchors.keys():
            for resource in resources - anchors.keys():
                pairs[resource, anchor] = pairs.get((resource, anchor), 0) + 1
    total = sum(anchors.values()) or 1.0
    parts: dict[UUID, list[tuple[float, UUID]]] = {}
    for (resource, anchor), count in pairs.items():
        share = anchors[anchor] * cosine(count, touched[resource], touched[anchor]) / total
        parts.setdefault(resource, []).append((share, anchor))
    return {
        resource: (sum(share for share, _ in sorted(those)), max(those, key=lambda one: (one[0], one[1]))[1])
        for resource, those in parts.items()
    }
