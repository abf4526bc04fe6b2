"""What a recommendation is worth, and why, in a sentence."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from math import isfinite
from typing import Final, Literal
from uuid import UUID

from service.recommendations.interests import decay
from service.recommendations.signals import Signals

Part = Literal["content", "interests", "collaborative", "importance", "quality", "recency", "novelty"]

# What each part, 0 to 1, counts. A part that is known of no candidate is left out, and the others count so much more;
# of a candidate without it, it is `UNKNOWN`. Content leads, since most libraries have few readers.
WEIGHTS: Final[dict[Part, float]] = {
    "content": 0.40,  # cosine of the profile's centre and the resource's embedding
    "interests": 0.15,  # share of what was touched that has its subjects or authors
    "collaborative": 0.15,  # cosine with what was touched, by the people who touched both; from 5 users on
    "quality": 0.10,  # overall score of the quality slice
    "importance": 0.10,  # in the citation graph
    "recency": 0.05,  # half after `HALF_LIFE` days in the library
    "novelty": 0.05,  # distance to the nearest that was touched: Vargas, Castells, RecSys 2011, 10.1145/2043932.2043955
}
UNKNOWN: Final = 0.5

NEW: Final = 30  # days
NEAR: Final = 0.35  # cosine; below it nobody would see why one is near to the other
MUCH_CITED: Final = 2  # times
GOOD: Final = 0.7  # quality

TOUCHED_HOW: Final = {
    "view": "read",
    "annotation": "annotated",
    "collection_add": "put into a collection",
    "export": "exported",
    "rating": "rated",
    "download": "downloaded",
}


@dataclass(frozen=True, slots=True)
class Candidate:
    """A resource that might be recommended, and what is known of it."""

    id: UUID
    title: str
    url: str | None
    subjects: Sequence[str]
    authors: Sequence[str]
    created_at: datetime
    content_hash: str
    signals: Signals
    content: float | None = None  # cosine to the profile's centre
    collaborative: float | None = None
    together_with: str | None = None  # the title of what others touched with it


@dataclass(frozen=True, slots=True)
class Near:
    """The nearest of what was touched: title, how it was touched, cosine."""

    title: str
    interaction_type: str
    similarity: float


def clamped(value: float | None) -> float | None:
    """Return a value within 0 and 1; None for what is no number."""
    return None if value is None or not isfinite(value) else min(1.0, max(0.0, value))


def heaviest(weights: Mapping[str, float], names: Iterable[str]) -> str | None:
    """Return the name that weighs most, None where none of them weighs anything."""
    return max((name for name in names if name in weights), key=lambda name: (weights[name], name), default=None)


def parts(
    candidate: Candidate,
    subjects: Mapping[str, float],
    authors: Mapping[str, float],
    now: datetime,
) -> dict[Part, float | None]:
    """Return each part of a candidate's score, None where it is not known.

    Novelty is never, until somebody looks for the nearest. Age counts in whole hours, so that two requests of the same
    hour agree.
    """
    hours = max(0, int((now - candidate.created_at).total_seconds() // 3600))
    interest = sum(subjects.get(name, 0.0) for name in set(candidate.subjects))
    interest += sum(authors.get(name, 0.0) for name in set(candidate.authors))
    return {
        "content": clamped(candidate.content),
        "interests": min(1.0, interest) if subjects or authors else None,
        "collaborative": clamped(candidate.collaborative),
        "quality": clamped(candidate.signals.quality),
        "importance": clamped(candidate.signals.importance),
        "recency": decay(hours / 24),
        "novelty": None,
    }


def scores(those: Sequence[Mapping[Part, float | None]]) -> list[float]:
    """Return the weighted mean of the parts of each, 0 to 1."""
    known: list[tuple[Part, float]] = [
        (part, weight) for part, weight in WEIGHTS.items() if any(one[part] is not None for one in those)
    ]
    total = sum(weight for _, weight in known) or 1.0

    def score(one: Mapping[Part, float | None]) -> float:
        values = [(weight, one[part]) for part, weight in known]
        return sum([weight * (UNKNOWN if value is None else value) for weight, value in values]) / total

    return [score(one) for one in those]


def why(
    candidate: Candidate,
    its: Mapping[Part, float | None],
    subjects: Mapping[str, float],
    authors: Mapping[str, float],
    near: Near | None,
    now: datetime,
) -> str:
    """Say in a sentence what speaks most for a candidate, of what can be said."""
    is_new = (now - candidate.created_at).days < NEW
    subject, author = heaviest(subjects, candidate.subjects), heaviest(authors, candidate.authors)
    said: list[tuple[Part, str]] = []
    if near is not None and near.similarity >= NEAR:
        said.append(("content", f"Near to '{near.title}', which you {TOUCHED_HOW[near.interaction_type]}"))
    if subject is not None:
        said.append(("interests", f"New in your subject {subject}" if is_new else f"In your subject {subject}"))
    elif author is not None:
        said.append(("interests", f"By {author}, of whom you have read something"))
    if candidate.together_with is not None:
        said.append(("collaborative", f"Read by others who read '{candidate.together_with}'"))
    if candidate.signals.citations >= MUCH_CITED:
        said.append(("importance", "Much cited here"))
    if (candidate.signals.quality or 0) >= GOOD:
        said.append(("quality", "Of high quality"))
    if said:
        return max(said, key=lambda one: WEIGHTS[one[0]] * (its[one[0]] or 0))[1]
    if its["content"] is not None and its["content"] >= NEAR:
        return "Near to what you read"
    return "New in the library" if is_new else "Something else for a change"
