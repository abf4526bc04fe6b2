"""What an answer is worth.

multiple_choice, true_false    all or nothing
fill_in_blank                  the mean over the blanks: 1 for an accepted text, folded (`folding.fold`), a half for one
                               that is misspelt
short_answer                   min(1, c / .6), where c is the mean over the key points: 1 for one whose terms are there
                               by .6, a half for one that is only near by meaning (cosine >= .6)

Terms that the question itself names prove nothing, and count only where a key point has no others. Meaning alone can
raise an answer, never to all of its points, and lowers none: it does not tell a statement from its contrary, and it
is not always there.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from service.quiz_sessions.asked import Asked
from service.quiz_sessions.folding import fold, misspelt, stem, words

Grade = Literal["A", "B", "C", "D", "F"]

GRADES: tuple[tuple[float, Grade], ...] = ((90, "A"), (80, "B"), (70, "C"), (60, "D"))
ENOUGH = 0.6  # share of the key points for all of the points, and of a key point's terms for the key point
NEAR = 0.6  # cosine
MISSPELT = BY_MEANING = 0.5


@dataclass(frozen=True, slots=True)
class Mark:
    """What an answer is worth, 0 to 1, and how that came about."""

    share: float
    verdict: dict[str, Any] = field(default_factory=dict)


def mark(asked: Asked, answer: Any, near: Sequence[float | None] = ()) -> Mark:
    """Judge an answer as it was saved; `near` are the cosines of a short answer to its key points, where known."""
    if answer is None:
        return Mark(0.0)
    match asked.type:
        case "multiple_choice":
            return Mark(float(answer == asked.key["option"]))
        case "true_false":
            return Mark(float(answer is asked.key["value"]))
        case "fill_in_blank":
            return _blanks(asked, answer)
        case _:
            return _points(asked, answer, near)


def _blanks(asked: Asked, given: Sequence[str]) -> Mark:
    others = frozenset(words(asked.passage))
    accepted: Sequence[Sequence[str]] = asked.key["blanks"]
    credits = [
        _blank(fold(given[place]) if place < len(given) else "", texts, others) for place, texts in enumerate(accepted)
    ]
    return Mark(sum(credits) / len(credits), {"blanks": credits}) if credits else Mark(0.0)


def _blank(given: str, accepted: Sequence[str], others: frozenset[str]) -> float:
    if not given:
        return 0.0
    folded = [fold(text) for text in accepted]
    if given in folded:
        return 1.0
    return MISSPELT if any(misspelt(given, right, others) for right in folded) else 0.0


def key_points(key: Mapping[str, Any]) -> list[str]:
    """Return the texts of a short answer's key points; one without any is a single point."""
    return [point["text"] for point in key.get("key_points") or [key]]


def _points(asked: Asked, given: str, near: Sequence[float | None]) -> Mark:
    said, known = {stem(word) for word in words(given)}, {stem(word) for word in words(asked.stem)}
    points: list[dict[str, Any]] = []
    for place, point in enumerate(asked.key.get("key_points") or [asked.key]):
        share = _terms(point, said, known)
        cosine = near[place] if place < len(near) else None
        by_meaning = cosine is not None and cosine >= NEAR
        credit = 1.0 if share >= ENOUGH else BY_MEANING if by_meaning else 0.0
        points.append({"text": point["text"], "credit": credit})
    covered = sum(point["credit"] for point in points) / len(points)
    return Mark(min(1.0, covered / ENOUGH), {"key_points": points})


def _terms(point: Mapping[str, Any], said: set[str], known: set[str]) -> float:
    """Return the share of a key point's terms that were said."""
    texts: Sequence[str] = point.get("terms") or [word for word in words(point["text"]) if len(word) > 3]
    terms = [needed for text in texts if (needed := {stem(word) for word in words(text)})]
    telling = [needed for needed in terms if not needed <= known] or terms
    return sum(needed <= said for needed in telling) / len(telling) if telling else 0.0


def percentage(score: float, possible: float) -> float:
    """Return a score in percent, to one decimal; halves go up."""
    return math.floor(1000 * score / possible + 0.5 + 1e-9) / 10 if possible else 0.0


def grade(percent: float) -> Grade:
    """Return the grade of a percentage as it is shown."""
    for least, letter in GRADES:
        if percent >= least:
            return letter
    return "F"
