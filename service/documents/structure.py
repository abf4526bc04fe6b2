"""What the lines of a text are: headings, paragraphs, lists, tables. No I/O.

The content of a resource has one block a line. Where its cleaned HTML knows headings, lists or tables, that is
believed; of plain text and PDF the lines themselves have to tell.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html.parser import HTMLParser
from typing import Literal

Kind = Literal["heading", "text", "list", "table"]

AHEAD = 40  # blocks of the HTML among which a line of the text is looked for
LONGEST_HEADING = 120  # characters
HEADING_WORDS = 12
DEEPEST = 6

_BLOCKS = frozenset(
    """address article aside blockquote body caption center dd details dialog div dl dt fieldset figcaption figure
    footer form h1 h2 h3 h4 h5 h6 header hr li main nav ol p pre section summary table tbody tfoot thead tr ul
    br""".split()
)
_ENTRY = re.compile(r"(?:\[\d{1,3}\]|\(?(?:\d{1,3}|[a-zA-Z])\)|[•◦▪‣·∗*–-](?=\s))\s*\S")
_NUMBERED = re.compile(r"((?:\d{1,3}|[A-Z])(?:\.\d{1,3}){0,4})\.?\s+[^\W\d_]")
_NAMED = re.compile(r"(?:chapter|section|part|appendix|kapitel|chapitre|cap[ií]tulo)\s+[\dIVXLC]+\b", re.IGNORECASE)
_LEADERS = re.compile(r"(?:\s*\.){4,}\s*\d*$|\s\d{1,4}$")  # of a table of contents
_SENTENCE_END = re.compile(r"""[.!?;:,\u3002\uff01\uff1f]["'”’)\]]*$""")


@dataclass(frozen=True, slots=True)
class Block:
    """One line, or the lines of one list or table; `level` is that of a heading."""

    start: int
    end: int
    kind: Kind
    level: int = 0


def blocks(content: str, html: str | None = None) -> list[Block]:
    """Return the blocks of a text in their order; lists and tables as a whole."""
    lines = [Block(start, end, "text") for start, end in _lines(content)]
    known = _Structure.of(html) if html else []
    if any(kind != "text" for _, kind, _ in known):
        told = list(_matched(content, lines, known))
    else:
        told = list(_guessed(content, lines))
    return list(_together(told))


def _lines(content: str) -> Iterator[tuple[int, int]]:
    """Yield the span of each line that holds something, without the white space around it."""
    for line in re.finditer(r"[^\n]+", content):
        words = line[0].strip()
        if words:
            start = line.start() + len(line[0]) - len(line[0].lstrip())
            yield start, start + len(words)


def _matched(content: str, lines: Sequence[Block], known: Sequence[tuple[str, Kind, int]]) -> Iterator[Block]:
    """Give each line the kind of the next block of the HTML that says the same; a line without one is text."""
    at = 0
    for line in lines:
        words = " ".join(content[line.start : line.end].split())
        for place in range(at, min(at + AHEAD, len(known))):
            if known[place][0] == words:
                yield Block(line.start, line.end, known[place][1], known[place][2])
                at = place + 1
                break
        else:
            yield line


def _guessed(content: str, lines: Sequence[Block]) -> Iterator[Block]:
    kinds = [_kind_of(content[line.start : line.end]) for line in lines]
    for place, (line, (kind, level)) in enumerate(zip(lines, kinds, strict=True)):
        if kind == "heading" and not _leads(lines, kinds, place):
            yield line
        elif kind == "table" and not any(
            kinds[near][0] == "table" for near in (place - 1, place + 1) if 0 <= near < len(kinds)
        ):
            yield line  # one line is no table
        else:
            yield Block(line.start, line.end, kind, level)


def _leads(lines: Sequence[Block], kinds: Sequence[tuple[Kind, int]], place: int) -> bool:
    """Tell whether something longer follows a heading, at most two headings later: a list of names has none."""
    for following in range(place + 1, min(place + 4, len(lines))):
        if kinds[following][0] != "heading":
            return lines[following].end - lines[following].start > lines[place].end - lines[place].start
    return False


def _kind_of(line: str) -> tuple[Kind, int]:
    if line.count("\t") >= 1 or line.count("|") >= 2:
        return "table", 0
    if _ENTRY.match(line):
        return "list", 0
    if len(line) <= LONGEST_HEADING and len(line.split()) <= HEADING_WORDS and not _SENTENCE_END.search(line):
        if number := _NUMBERED.match(line):
            return ("text", 0) if _LEADERS.search(line) else ("heading", min(DEEPEST, 1 + number[1].count(".")))
        if _NAMED.match(line):
            return "heading", 1
        letters = [letter for letter in line if letter.isalpha()]
        if len(letters) >= 3 and line[0].isupper() and 2 * len(letters) > len(line) and not _LEADERS.search(line):
            return "heading", 2
    return "text", 0


def _together(told: Sequence[Block]) -> Iterator[Block]:
    """Join the lines of a list or of a table."""
    held: Block | None = None
    for block in told:
        if held is not None and held.kind == block.kind and block.kind in ("list", "table"):
            held = Block(held.start, block.end, held.kind)
            continue
        if held is not None:
            yield held
        held = block
    if held is not None:
        yield held


class _Structure(HTMLParser):
    """Reads the blocks of cleaned HTML, as `service.ingestion.formats.reading_view.text_of` makes lines of them."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[tuple[str, Kind, int]] = []
        self._words: list[str] = []
        self._open: list[str] = []

    @classmethod
    def of(cls, html: str) -> list[tuple[str, Kind, int]]:
        """Return the words of each block, its kind, and its level where it is a heading."""
        reader = cls()
        reader.feed(html)
        reader.close()
        reader.flush()
        return reader.found

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _BLOCKS and not self._in_cell():
            self.flush()
        if tag not in ("br", "hr"):
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag in self._open:
            if tag in _BLOCKS and (tag == "tr" or not self._in_cell()):
                self.flush()
            while self._open.pop() != tag:
                pass
        if tag in ("td", "th"):
            self._words.append("\t")

    def handle_data(self, data: str) -> None:
        for number, line in enumerate(data.split("\n") if "pre" in self._open else [data]):
            if number:
                self.flush()
            self._words.append(line)

    def flush(self) -> None:
        """End a block."""
        words = " ".join("".join(self._words).split())
        self._words.clear()
        if words:
            kind, level = self._kind()
            self.found.append((words, kind, level))

    def _in_cell(self) -> bool:
        return "td" in self._open or "th" in self._open

    def _kind(self) -> tuple[Kind, int]:
        for tag in reversed(self._open):
            if len(tag) == 2 and tag[0] == "h" and tag[1].isdigit():
                return "heading", int(tag[1])
            if tag == "table":
                return "table", 0
            if tag in ("li", "dd", "dt"):
                return "list", 0
        return "text", 0
