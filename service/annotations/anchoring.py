"""Finds a marked passage again in a text that has changed. All offsets count code points.

What was marked is kept as the W3C Web Annotation Data Model describes it: a TextQuoteSelector (the exact quote, with
what stands before and after it) and a TextPositionSelector (https://www.w3.org/TR/annotation-model/#selectors). First
the quote is looked for as it is, and chosen among its occurrences by what surrounds them; then what is most alike to
it, near words that it has. The result depends on the selector and the present text alone, not on any text in between.
"""

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

CONTEXT = 64  # characters before and after a quote
LONGEST = 10_000  # characters of a quote
SHORT = 12  # characters; a shorter quote may stand anywhere, so that its surroundings have to be alike, too
SURROUNDED = 0.4  # how alike these have to be, 0 to 1
SURE = 0.5  # how alike surroundings are where an exact quote needs no further look
TOLERANCE = 4  # one error in so many characters
QUOTE_WEIGHT = 0.6  # against that of the surroundings

_QUOTES, _WORDS = 200, 30  # occurrences that are looked at, in each direction from where it was
_PIECES = 8  # words of a quote that are looked for
_WINDOWS = 6  # places where an approximate match is tried
_FOLLOWING = 16  # characters right after a match; each that is as it was makes up for an error
_COMPARED = 8  # exact occurrences whose surroundings are compared in full
_WORD = re.compile(r"\w{3,12}")


@dataclass(frozen=True, slots=True)
class Selector:
    """A passage as it was marked."""

    quote: str
    prefix: str
    suffix: str
    position: int


@dataclass(frozen=True, slots=True)
class Anchor:
    """Where it is now, and how alike to the quote: 1 is the same."""

    start: int
    end: int
    similarity: float


@dataclass(frozen=True, slots=True)
class _Candidate:
    start: int
    end: int
    similarity: float
    surroundings: float

    @property
    def score(self) -> float:
        return QUOTE_WEIGHT * self.similarity + (1 - QUOTE_WEIGHT) * self.surroundings


def select(text: str, start: int, end: int) -> Selector:
    """Return what marks `text[start:end]`."""
    return Selector(text[start:end], text[max(0, start - CONTEXT) : start], text[end : end + CONTEXT], start)


def anchor_all(text: str, selectors: Iterable[Selector]) -> list[Anchor | None]:
    """Find every passage; None for one that is not there."""
    return [anchor(text, selector) for selector in selectors]


def anchor(text: str, selector: Selector) -> Anchor | None:
    """Find one passage; None where nothing is alike enough."""
    found = _exact(text, selector)
    if found is None or found.surroundings < SURE:
        candidates = [one for one in (found, *_approximate(text, selector)) if one and _is_enough(one, selector)]
        found = max(
            candidates, key=lambda one: (round(one.score, 3), -abs(one.start - selector.position)), default=None
        )
    return None if found is None else Anchor(found.start, found.end, round(found.similarity, 4))


def _is_enough(found: _Candidate, selector: Selector) -> bool:
    return len(selector.quote) >= SHORT or found.surroundings >= SURROUNDED


def _exact(text: str, selector: Selector) -> _Candidate | None:
    """Return the occurrence of the quote with the most alike surroundings, the nearest among equals."""
    size, near = len(selector.quote), selector.position
    starts = _occurrences(text, selector.quote, near, _QUOTES)
    starts.sort(key=lambda start: (-_adjoining(text, selector, start, start + size), abs(start - near)))
    candidates = [
        _Candidate(start, start + size, 1.0, _surroundings(text, selector, start, start + size))
        for start in starts[:_COMPARED]
    ]
    return max(candidates, key=lambda one: (round(one.score, 3), -abs(one.start - near)), default=None)


def _approximate(text: str, selector: Selector) -> list[_Candidate]:
    """Return what is alike to the quote with at most one error in `TOLERANCE` characters, near words of it."""
    size = len(selector.quote)
    most = size // TOLERANCE
    slack = most + CONTEXT // 2
    candidates: list[_Candidate] = []
    for start in _places(text, selector, slack):
        low = max(0, start - slack)
        window = text[low : start + size + slack]
        end = low + _end(distances(selector.quote, window), window, selector.suffix)
        backwards = text[max(0, end - size - most) : end][::-1]
        errors = distances(selector.quote[::-1], backwards, from_the_start=True)
        length = _end(errors, backwards, selector.prefix[::-1])
        if length and errors[length] <= most:
            surroundings = _surroundings(text, selector, end - length, end)
            candidates.append(_Candidate(end - length, end, 1 - errors[length] / size, surroundings))
    return candidates


def _end(errors: list[int], text: str, following: str) -> int:
    """Return where a match ends best: with few errors, and followed by what followed."""
    least = min(errors)
    ends = (end for end, number in enumerate(errors) if number <= least + _FOLLOWING)
    return min(ends, key=lambda end: errors[end] - _common(text[end : end + _FOLLOWING], following))


def _places(text: str, selector: Selector, slack: int) -> list[int]:
    """Return where the quote may begin, by the words of it and around it that the text has, likeliest first."""
    near = selector.position
    words = sorted(_WORD.finditer(selector.quote), key=lambda word: (word.start() - word.end(), word.start()))
    pieces = [(word[0], -word.start()) for word in words[:_PIECES]]
    pieces += [(selector.prefix[-16:], min(16, len(selector.prefix))), (selector.suffix[:16], -len(selector.quote))]
    votes: Counter[int] = Counter()
    places: dict[int, int] = {}
    for piece, offset in pieces:
        for at in _occurrences(text, piece, near - offset, _WORDS) if piece else ():
            place = min(max(0, at + offset), len(text))
            votes[place // slack] += 1
            places.setdefault(place // slack, place)
    likely = sorted(votes, key=lambda bucket: (-votes[bucket], abs(places[bucket] - near)))
    return [*(places[bucket] for bucket in likely[:_WINDOWS]), min(near, len(text))]


def _occurrences(text: str, piece: str, near: int, most: int) -> list[int]:
    """Return where a piece occurs: of many, the `most` nearest to `near` in each direction."""
    near = min(max(0, near), len(text))
    starts: list[int] = []
    at = text.find(piece, near)
    while at >= 0 and len(starts) < most:
        starts.append(at)
        at = text.find(piece, at + 1)
    at = text.rfind(piece, 0, near + len(piece) - 1) if near else -1
    before = 0
    while at >= 0 and before < most:
        starts.append(at)
        before += 1
        at = text.rfind(piece, 0, at + len(piece) - 1)
    return starts


def _adjoining(text: str, selector: Selector, start: int, end: int) -> int:
    """Count the characters right before and after that are those of the selector."""
    before = text[max(0, start - CONTEXT) : start]
    return _common(before[::-1], selector.prefix[::-1]) + _common(text[end : end + CONTEXT], selector.suffix)


def _common(one: str, other: str) -> int:
    for number, (a, b) in enumerate(zip(one, other, strict=False)):
        if a != b:
            return number
    return min(len(one), len(other))


def _surroundings(text: str, selector: Selector, start: int, end: int) -> float:
    """Return how alike what stands around is to what stood around, 0 to 1; 1 where nothing did."""
    size = len(selector.prefix) + len(selector.suffix)
    if not size:
        return 1.0
    before = min(distances(selector.prefix, text[max(0, start - CONTEXT - 8) : start]))
    after = min(distances(selector.suffix, text[end : end + CONTEXT + 8]))
    return 1 - (before + after) / size


def distances(pattern: str, text: str, *, from_the_start: bool = False) -> list[int]:
    """Return, for each end of a match in a text, its errors: insertions, deletions and replacements.

    A match may begin anywhere, or `from_the_start` only. Myers, "A fast bit-vector algorithm for approximate string
    matching based on dynamic programming", J. ACM 46 (1999), on integers of any length: a column of the matrix is one.
    """
    size = len(pattern)
    if not size:
        return [number * from_the_start for number in range(len(text) + 1)]
    everything, last = (1 << size) - 1, 1 << (size - 1)
    places: dict[str, int] = {}
    for number, character in enumerate(pattern):
        places[character] = places.get(character, 0) | 1 << number
    more, less, errors = everything, 0, [size]  # vertical differences of +1 and of -1
    for character in text:
        same = places.get(character, 0)
        vertical = same | less
        horizontal = (((same & more) + more) ^ more) | same
        up = less | (everything & ~(horizontal | more))
        down = more & horizontal
        errors.append(errors[-1] + bool(up & last) - bool(down & last))
        up = (up << 1 | from_the_start) & everything
        down = (down << 1) & everything
        more = down | (everything & ~(vertical | up))
        less = up & vertical
    return errors
