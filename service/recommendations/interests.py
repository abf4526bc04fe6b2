"""What a person's interactions say together: a centre of meaning, and weights of subjects and authors.

An interaction counts half of what it did `HALF_LIFE` days before. Decay is reckoned from the newest interaction, not
from now: a common factor changes no weighted mean, so that the same interactions always make the same profile.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from math import sqrt
from typing import Final
from uuid import UUID

HALF_LIFE: Final = 30.0  # days
NAMED: Final = 50  # subjects, and authors, that a profile holds
_DAY: Final = 86_400.0  # seconds


@dataclass(frozen=True, slots=True)
class Touched:
    """A resource that somebody touched, and how: in which way most, and what all of it weighs together."""

    id: UUID
    title: str
    interaction_type: str
    weight: float
    subjects: Sequence[str]
    authors: Sequence[str]
    content_hash: str | None
    embedding_hash: str | None  # None: it has no meaning yet


@dataclass(frozen=True, slots=True)
class Interests:
    """A profile: the unit vector in the middle of what was touched (None without any), subjects and authors, 0 to 1."""

    centre: list[float] | None
    subjects: dict[str, float]
    authors: dict[str, float]


def decay(days: float) -> float:
    """Return what is left of an interaction's weight after so many days: .5 after `HALF_LIFE`."""
    return 0.5 ** (max(0.0, days) / HALF_LIFE)


def weight(strength: float, at: datetime, newest: datetime) -> float:
    """Return what an interaction counts beside the newest one."""
    return strength * decay((newest - at).total_seconds() / _DAY)


def centre(vectors: Iterable[tuple[float, Sequence[float]]]) -> list[float] | None:
    """Return the unit vector along the weighted mean; None where there is nothing, or all cancels out."""
    total: list[float] = []
    for share, vector in vectors:
        total = [a + share * b for a, b in zip(total, vector, strict=True)] if total else [share * b for b in vector]
    length = sqrt(sum(value * value for value in total))
    return [value / length for value in total] if length > 1e-9 else None


def shares(names: Iterable[tuple[float, Iterable[str]]]) -> dict[str, float]:
    """Return for each name the share of the weight that carries it, the `NAMED` heaviest; 6 digits."""
    total, weights = 0.0, dict[str, float]()
    for heavy, carried in names:
        total += heavy
        for name in set(carried):
            weights[name] = weights.get(name, 0.0) + heavy
    heaviest = sorted(weights.items(), key=lambda one: (-one[1], one[0]))[:NAMED]
    return {name: round(value / total, 6) for name, value in heaviest if value > 0}


def interests(touched: Sequence[Touched], vectors: dict[UUID, Sequence[float]]) -> Interests:
    """Return the profile of what was touched; `vectors` are the embeddings of those that have one."""
    return Interests(
        centre((one.weight, vectors[one.id]) for one in touched if one.id in vectors),
        shares((one.weight, one.subjects) for one in touched),
        shares((one.weight, one.authors) for one in touched),
    )
