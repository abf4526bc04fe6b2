"""From the lines of printed pages back to paragraphs, as far as lines alone tell."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from statistics import quantiles

ENTRY = re.compile(r"^(?:\[\d{1,3}\]|\(\d{1,3}\)|\d{1,3}\.(?=\s)|[•◦▪‣·∗*–-](?=\s))")
HEADING = re.compile(r"^(?:\d{1,2}(?:\.\d{1,2}){0,3}\.?\s+)?[A-ZÀ-Þ][^.!?]{2,70}$")
END = re.compile(r"""[.!?:]["'”’)\]]*$""")
LEADERS = re.compile(r"(?:\s*\.){5,}\s*")  # the dots between a title and its page number
BROKEN_WORD = re.compile(r"(\w)[-\u00ad\u2010\ufffe\x02]$")
FULL = 0.85  # of a typical line's length; a shorter line may end its paragraph
EDGE = 2  # lines at the top and bottom of a page that may be running heads


def paragraphs(pages: Sequence[str]) -> Iterator[str]:
    """Join the lines of pages to paragraphs, without page numbers and running heads."""
    lines = [line for page in _without_running_heads(pages) for line in page]
    lengths = [len(line) for line in lines]
    typical = quantiles(lengths, n=10)[7] if len(lengths) > 1 else 0.0
    held = ""
    for position, line in enumerate(lines):
        if held and _begins(lines[position - 1], line, typical):
            yield held
            held = ""
        if not held:
            held = LEADERS.sub(" ", line)
        elif broken := BROKEN_WORD.search(held, max(0, len(held) - 2)):
            held = f"{held[:-1]}{line}" if line[0].islower() else f"{held[: broken.end(1)]}-{line}"
        else:
            held = f"{held} {line}"
    if held:
        yield BROKEN_WORD.sub(r"\1", held)


def _begins(before: str, line: str, typical: float) -> bool:
    """Tell whether a line begins a paragraph, by the line before it and by itself."""
    if ENTRY.match(line) or LEADERS.search(line) or LEADERS.search(before):
        return True
    if BROKEN_WORD.search(before):
        return False
    short = len(before) < FULL * typical
    starts_large = line[0].isupper() or line[0].isdigit() or not line[0].isalnum()
    if END.search(before):
        return short
    return short and starts_large and bool(HEADING.match(before))


def _without_running_heads(pages: Sequence[str]) -> Iterator[list[str]]:
    by_page = [[line for raw in page.splitlines() if (line := " ".join(raw.split()))] for page in pages]
    edges = Counter(shape for page in by_page for shape in {_shape(line) for line in (*page[:EDGE], *page[-EDGE:])})
    repeated = {shape for shape, count in edges.items() if count >= 3 and count * 2 >= len(by_page)}
    for page in by_page:
        last = len(page) - EDGE
        yield [
            line
            for position, line in enumerate(page)
            if not ((position < EDGE or position >= last) and (_shape(line) in repeated or _is_number(line)))
        ]


def _shape(line: str) -> str:
    return re.sub(r"\d+", "0", line)


def _is_number(line: str) -> bool:
    return bool(re.fullmatch(r"[-–—\s]*(?:page\s+)?\d{1,4}(?:\s*(?:/|of)\s*\d{1,4})?[-–—\s]*", line, re.IGNORECASE))
