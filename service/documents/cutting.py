"""Passages: a text cut into parts that make sense by themselves, along its structure. No I/O.

A passage has 180 to 480 word pieces (a text that is shorter is one passage), ends between sentences, begins with the
last sentence of the one before where the text goes on, and does not part a list or a table that fits into one. A
heading begins a new one as soon as the one before is long enough. Nothing here embeds: what is embedded are the smaller
chunks of `workers/inference/chunking.py`; the passage of a chunk is the one that the words that were found stand in.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import nupunkt

from service.documents.structure import Block, Kind, blocks

FEWEST, MOST = 180, 480  # word pieces of a passage
FULL = 400  # word pieces, after which the next sentence begins another one
OVERLAP = 80  # word pieces; a longer sentence is not repeated
ROOM = 30  # word pieces that are left free, since they are only estimated

_PIECE = re.compile(r"[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7a3]|[^\W\d_]+|\d+|[^\w\s]|_")
_BORDER = re.compile(r"(?<=[\u3002\uff01\uff1f\uff61])")
_LONG_WORD, _PART = 8, 4  # letters: such a word is one piece, and each four more are another


@dataclass(frozen=True, slots=True)
class Cut:
    """A passage: its characters, the headings above it, how many word pieces it has (about), and what it mostly is."""

    start: int
    end: int
    heading: tuple[str, ...]
    tokens: int
    kind: Kind


@dataclass(frozen=True, slots=True)
class _Unit:
    """What is not parted: a sentence, a heading, a whole list or table, or an entry of one that is too long."""

    start: int
    end: int
    tokens: int
    kind: Kind
    heading: tuple[str, ...]


def tokens_in(text: str) -> int:
    """Estimate the word pieces of a text; within a tenth of the tokenizer's count for nine of ten English texts."""
    return sum(
        1 + max(0, match.end() - match.start() - _LONG_WORD + _PART - 1) // _PART for match in _PIECE.finditer(text)
    )


def cut(content: str, html: str | None = None) -> list[Cut]:
    """Return the passages of a text in their order; `html` is the same text, as its headings, lists and tables know."""
    units = [unit for unit in _units(content, blocks(content, html)) if unit.tokens]
    groups = _balanced(list(_grouped(units)))
    return [_passage(groups[place - 1] if place else [], group) for place, group in enumerate(groups)]


def _units(content: str, found: Sequence[Block]) -> Iterator[_Unit]:
    path: list[tuple[int, str]] = []
    for block in found:
        if block.kind == "heading":
            while path and path[-1][0] >= block.level:
                path.pop()
            path.append((block.level, content[block.start : block.end]))
        heading = tuple(title for _, title in path)
        for start, end in _parts(content, block):
            yield _Unit(start, end, tokens_in(content[start:end]), block.kind, heading)


def _parts(content: str, block: Block) -> Iterator[tuple[int, int]]:
    """Yield what a block consists of: sentences, or all of it; nothing longer than a passage."""
    whole = content[block.start : block.end]
    if block.kind == "text":
        spans = list(_sentences(whole))
    elif tokens_in(whole) <= MOST - ROOM:
        spans = [(0, len(whole))]
    else:
        spans = [match.span() for match in re.finditer(r"[^\n]+", whole)]
    for start, end in spans:
        for first, last in _fitting(whole[start:end]):
            yield block.start + start + first, block.start + start + last


def _sentences(text: str) -> Iterator[tuple[int, int]]:
    for start, end in nupunkt.sent_spans(text):
        at = start
        for border in (*(match.start() for match in _BORDER.finditer(text, start, end)), end):
            words = text[at:border]
            if words.strip():
                yield at + len(words) - len(words.lstrip()), at + len(words.rstrip())
            at = border


def _fitting(text: str) -> Iterator[tuple[int, int]]:
    """Yield a sentence, or the parts of one that no passage could hold."""
    if tokens_in(text) <= MOST - ROOM:
        yield 0, len(text)
        return
    start = size = 0
    for piece in _PIECE.finditer(text):
        need = tokens_in(piece[0])
        if size and size + need > FULL // 2:
            yield start, piece.start()
            start, size = piece.start(), 0
        size += need
        while size > FULL // 2:  # one word without end
            middle = min(piece.end(), start + FULL // 2 * _PART)
            yield start, middle
            start, size = middle, tokens_in(text[middle : piece.end()])
    if start < len(text):
        yield start, len(text)


def _grouped(units: Sequence[_Unit]) -> Iterator[list[_Unit]]:
    group: list[_Unit] = []
    size = 0
    for unit in units:
        begins = unit.kind == "heading" and size >= FEWEST + ROOM
        full = size + unit.tokens > (FULL if unit.kind == "text" else MOST - ROOM)
        if group and (begins or full):
            kept = _without_headings(group)
            yield kept
            group = group[len(kept) :]
            size = sum(one.tokens for one in group)
        group.append(unit)
        size += unit.tokens
    if group:
        yield group


def _without_headings(group: list[_Unit]) -> list[_Unit]:
    """Leave out the headings at the end, which belong to what follows."""
    last = len(group)
    while last > 1 and group[last - 1].kind == "heading":
        last -= 1
    return group[:last] if group[last - 1].kind != "heading" else group


def _balanced(groups: list[list[_Unit]]) -> list[list[_Unit]]:
    """Put what is too short to a neighbour where both fit into one passage, or share the sentences between the two."""
    done: list[list[_Unit]] = []
    for group in groups:
        if not done or min(_size(done[-1]), _size(group)) >= FEWEST + ROOM:
            done.append(group)
        else:
            both = done.pop() + group
            done += [both] if _size(both) <= MOST - ROOM else _halves(both)
    return done


def _halves(units: list[_Unit]) -> list[list[_Unit]]:
    """Part units where the two sides are most alike."""
    total, size = _size(units), 0
    best, least = 1, float("inf")
    for place, unit in enumerate(units[:-1], 1):
        size += unit.tokens
        if abs(total - 2 * size) < least and unit.kind != "heading":
            best, least = place, abs(total - 2 * size)
    return [units[:best], units[best:]]


def _size(units: Sequence[_Unit]) -> int:
    return sum(unit.tokens for unit in units)


def _passage(before: Sequence[_Unit], group: Sequence[_Unit]) -> Cut:
    last = before[-1] if before else None
    first, size = group[0], _size(group)
    if (
        last is not None
        and last.kind == first.kind == "text"
        and last.heading == first.heading
        and last.tokens <= OVERLAP
        and size + last.tokens <= MOST
    ):
        first, size = replace(first, start=last.start), size + last.tokens
    weights: dict[Kind, int] = {}
    for unit in group:
        kind: Kind = "text" if unit.kind == "heading" else unit.kind
        weights[kind] = weights.get(kind, 0) + unit.tokens
    leading = next((unit for unit in group if unit.kind != "heading"), group[0])
    return Cut(first.start, group[-1].end, leading.heading, size, max(weights, key=lambda kind: weights[kind]))
