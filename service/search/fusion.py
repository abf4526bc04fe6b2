"""One ranking out of several: which counts how much for a query, what newer texts gain, and the reasons in words."""

import re
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from datetime import datetime
from math import exp
from typing import TypeVar
from uuid import UUID

from service.search.query import Query

K = 60  # how little the first ranks stand out
CANDIDATES = 200  # of each ranking that are merged; what words find beyond follows in its own order
FRESH = 0.2  # what a text of today gains at most
MIDDLING = 0.5  # a quality that neither raises nor lowers
FADES = 180.0  # days, after which a third of that is left

T = TypeVar("T", bound=Hashable)
_QUESTION = re.compile(
    r"(?i)\?\s*$|^\s*(who|what|when|where|which|why|how|can|does|is|are|should|wie|was|warum|wann|wo)\b"
)


@dataclass(frozen=True, slots=True)
class Ranked:
    """One text of a ranking: its score, and why it stands there."""

    id: UUID
    score: float
    why: str


def share_of_words(query: Query) -> float:
    """Return how much the ranking by words counts beside the one by meaning, 0 to 1.

    What is quoted, has operators or holds a number is meant as it stands, and two words say little about a meaning; a
    question says most about it. The values were chosen on Cranfield, whose optimum is flat from .55 to .62.
    """
    if query.demanded or any(character.isdigit() for character in query.words):
        return 0.75
    if _QUESTION.search(query.text):
        return 0.58
    return 0.7 if len(query.words.split()) <= 2 else 0.6


def blend(words: Sequence[UUID], meaning: Sequence[UUID], share: float) -> list[Ranked]:
    """Merge the ranking by words and the one by meaning, best first; nothing that either found is lost."""
    merged = reciprocal_rank_fusion([words[:CANDIDATES], meaning], [share, 1 - share])
    places = {id: place for place, id in enumerate(words, 1)}, {id: place for place, id in enumerate(meaning, 1)}
    known = {id for id, _ in merged}
    merged += [(id, share * (K + 1) / (K + place)) for place, id in enumerate(words, 1) if id not in known]
    return [Ranked(id, score, _why(*(ranking.get(id) for ranking in places))) for id, score in merged]


def _why(word_place: int | None, meaning_place: int | None) -> str:
    reasons = [f"by words: {_ordinal(word_place)}"] if word_place else []
    reasons += [f"by meaning: {_ordinal(meaning_place)}"] if meaning_place else []
    return "; ".join(reasons)


def _ordinal(number: int) -> str:
    ending = "th" if 10 <= number % 100 <= 20 else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"


def freshened(ranking: Sequence[Ranked], dates: dict[UUID, datetime], now: datetime) -> list[Ranked]:
    """Raise what is newer: by a fifth for a text of today, fading with its age; texts without a date stay."""
    raised: list[Ranked] = []
    for one in ranking:
        date = dates.get(one.id)
        gain = FRESH * exp(-max((now - date).total_seconds() / 86_400, 0.0) / FADES) if date else 0.0
        why = f"{one.why}; newer: +{100 * gain:.0f} %" if gain >= 0.005 else one.why
        raised.append(Ranked(one.id, one.score * (1 + gain), why))
    return sorted(raised, key=lambda one: -one.score)


def bettered(ranking: Sequence[Ranked], qualities: dict[UUID, float], boost: float) -> list[Ranked]:
    """Raise what is good and lower what is poor: a score times `1 + boost * (quality - 0.5) / 0.5`.

    The best gain `boost`, the worst lose it; a middling quality changes nothing, nor does one that is not known.
    """
    weighed: list[Ranked] = []
    for one in ranking:
        quality = qualities.get(one.id, MIDDLING)
        gain = boost * (quality - MIDDLING) / MIDDLING
        why = f"{one.why}; quality {quality:.2f}: {100 * gain:+.0f} %" if abs(gain) >= 0.005 else one.why
        weighed.append(Ranked(one.id, one.score * (1 + gain), why))
    return sorted(weighed, key=lambda one: -one.score)


def reciprocal_rank_fusion(
    rankings: Sequence[Sequence[T]], weights: Sequence[float] | None = None, k: int = K
) -> list[tuple[T, float]]:
    """Merge rankings: each gives its weight / (k + rank) to what it holds; best first, first everywhere scores 1.

    Cormack, Clarke, Buettcher: Reciprocal Rank Fusion outperforms Condorcet and individual Rank Learning Methods,
    SIGIR 2009. Equal scores keep the order in which they first appear.
    """
    scores: dict[T, float] = {}
    weights = weights or [1.0] * len(rankings)
    for ranking, weight in zip(rankings, weights, strict=True):
        for rank, item in enumerate(ranking, 1):
            scores[item] = scores.get(item, 0.0) + weight / (k + rank)
    best = sum(weights) / (k + 1)
    return [(item, score / best) for item, score in sorted(scores.items(), key=lambda entry: -entry[1])]
