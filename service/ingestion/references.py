"""The reference list at the end of a paper, split into its entries."""

import re
from collections.abc import Iterator

HEADING = re.compile(
    r"^\W*(?:(?:\d{1,2}|[IVX]{1,5})[.:]?\s+)?(?:references(?: and notes| cited)?|bibliography|works cited"
    r"|cited literature|literature(?: cited)?|notes and references|reference list|literatur(?:verzeichnis)?"
    r"|quellen(?:verzeichnis)?|bibliographie|références|referencias(?: bibliográficas)?|bibliograf[íi]a|riferimenti"
    r"|参考文献)\W*$",
    re.IGNORECASE,
)
AFTERWARDS = re.compile(
    r"^\W*(?:(?:[A-Z]|\d{1,2})[.:]?\s+)?(?:appendi(?:x|ces)\b.{0,60}|acknowledge?ments?|supplementa.{0,60}"
    r"|index|see also|about the authors?|author (?:information|biograph).{0,20}|external links|further reading)\W*$",
    re.IGNORECASE,
)
BRACKETED = re.compile(r"(?:^|(?<=\s))\[(\d{1,3})\]\s*", re.MULTILINE)
LABELLED = re.compile(r"(?:^|(?<=\s))\[[A-Z][\w+]{1,15}\]\s*", re.MULTILINE)
NUMBERED = re.compile(r"^[^\S\n]*(\d{1,3})[.)]\s+", re.MULTILINE)
AUTHOR_YEAR = re.compile(
    r"(?:(?<=[.\d)])\s+|^)(?=[A-ZÀ-Þ][\w'’-]{1,30},\s+(?:[A-ZÀ-Þ]\.[\s-]?){1,4}[^()\n]{0,150}?\(?(?:19|20)\d{2}[a-z]?\b)",
    re.MULTILINE,
)
YEAR = re.compile(r"\b(?:1[5-9]|20)\d{2}[a-z]?\b")
SHORTEST, LONGEST = 15, 2000  # characters of an entry
MOST = 3000
HEADINGS = 20  # that are tried, from the last: a text may be nothing but headings
LEAST_SHARE = 0.5  # of entries with a year or an identifier; fewer, and it is no reference list


def split_references(text: str) -> tuple[str, list[str]]:
    """Split a text, one paragraph a line, into all but its reference list, and the entries of that list."""
    lines = text.split("\n")
    starts = [number for number, line in enumerate(lines) if len(line) < 60 and HEADING.match(line)]
    for start in reversed(starts[-HEADINGS:]):
        end = next((n for n in range(start + 1, len(lines)) if len(lines[n]) < 80 and AFTERWARDS.match(lines[n])), None)
        entries = [entry for entry in _entries("\n".join(lines[start + 1 : end])) if SHORTEST <= len(entry) <= LONGEST]
        telling = sum(bool(YEAR.search(entry)) or "10." in entry or "http" in entry for entry in entries)
        if entries and telling >= LEAST_SHARE * len(entries):
            rest = lines[:start] + (lines[end:] if end is not None else [])
            return "\n".join(rest), entries[:MOST]
    return text, []


def _entries(section: str) -> Iterator[str]:
    """Split at `[1]`, else `[Knu97]`, else `1.`, else at `Surname, I. ... 1997`, else at lines."""
    for pattern in (BRACKETED, LABELLED, NUMBERED, AUTHOR_YEAR):
        starts = [match.start() for match in pattern.finditer(section)]
        if len(starts) >= 2 or (starts and len(section) < LONGEST and pattern is not AUTHOR_YEAR):
            for start, end in zip(starts, [*starts[1:], len(section)], strict=True):
                yield " ".join(pattern.sub("", section[start:end], count=1).split())
            return
    for line in section.split("\n"):
        yield " ".join(line.split())
