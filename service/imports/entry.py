"""What any format says of one thing that somebody collected; what is wrong with a file. Pure, and cleaned."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from service.ingestion.decoding import clean, one_line

MOST = 100_000  # entries of a file
LONGEST_TAG = 64
MOST_TAGS = 60  # of an entry; three more may say how it was read
LONGEST_NAME = 200  # of a folder
DEEPEST = 18  # levels of folders; what lies deeper is put into the last of them
LONGEST_TEXT = 10_000_000  # characters
MOST_HIGHLIGHTS = 1000  # of an entry
_SEPARATORS = re.compile(r"[\x00-\x1f\x7f]+")


@dataclass(frozen=True, slots=True)
class Problem:
    """Something in a file that could not be read: where, and why."""

    line: int  # 1 is the first; of a file without lines, the number of the entry
    reason: str
    shown: str = ""  # what stands there, as far as a person recognises it by that


@dataclass(frozen=True, slots=True)
class Highlight:
    """A passage that somebody marked."""

    quote: str
    note: str = ""
    tags: list[str] = field(default_factory=list[str])
    colour: str | None = None


@dataclass(slots=True)
class Entry:
    """One thing: an address to fetch, a text, or a bibliographic record (CSL-JSON), and what is said of it."""

    line: int
    title: str = ""
    url: str | None = None
    tags: list[str] = field(default_factory=list[str])
    folders: list[list[str]] = field(default_factory=list[list[str]])  # each from the outermost on
    description: str | None = None
    text: str = ""
    html: str = ""
    authors: list[str] = field(default_factory=list[str])
    subjects: list[str] = field(default_factory=list[str])
    language: str | None = None
    type: str | None = None
    created_at: datetime | None = None
    published_at: datetime | None = None
    identifiers: list[str] = field(default_factory=list[str])
    highlights: list[Highlight] = field(default_factory=list[Highlight])
    csl: dict[str, Any] | None = None

    def cleaned(self) -> "Entry":
        """Return the same within what the library holds: no control characters, nothing too long."""
        return Entry(
            line=self.line,
            title=one_line(self.title),
            url=(_plain(self.url or "").strip() or None),
            tags=tags(self.tags),
            folders=folders(self.folders),
            description=_plain(self.description or "").strip()[:20_000] or None,
            text=_plain(self.text)[:LONGEST_TEXT],
            html=_plain(self.html)[:LONGEST_TEXT],
            authors=[name for name in (one_line(name, 200) for name in self.authors[:200]) if name],
            subjects=[name for name in (one_line(name, 200) for name in self.subjects[:200]) if name],
            language=language(self.language),
            type=one_line(self.type, 40) or None,
            created_at=self.created_at,
            published_at=self.published_at,
            identifiers=[one_line(one, 500) for one in self.identifiers[:20] if one.strip()],
            highlights=[
                Highlight(
                    _plain(one.quote).strip()[:20_000],
                    _plain(one.note).strip()[:20_000],
                    tags(one.tags),
                    one_line(one.colour, 20) or None,
                )
                for one in self.highlights[:MOST_HIGHLIGHTS]
                if one.quote.strip()
            ],
            csl=None if self.csl is None else storable(self.csl),
        )


Found = Entry | Problem


def _plain(text: str) -> str:
    return clean(text)


def storable(value: Any, depth: int = 0) -> Any:
    """Return JSON without what PostgreSQL cannot hold, and not deeper than a record is."""
    match value:
        case str():
            return clean(value)
        case dict() if depth < 8:
            return {clean(str(key))[:200]: storable(one, depth + 1) for key, one in list(value.items())[:500]}
        case list() if depth < 8:
            return [storable(one, depth + 1) for one in value[:1000]]
        case bool() | int() | float() | None:
            return value if not isinstance(value, int) or abs(value) < 2**63 else str(value)
        case _:
            return None


def tags(given: Iterable[str]) -> list[str]:
    """Return tags once each, on one line; one that is too long is cut."""
    known: dict[str, str] = {}
    for one in given:
        tag = one_line("".join(char if char.isprintable() else " " for char in one), LONGEST_TAG).strip()
        if tag:
            known.setdefault(tag.casefold(), tag)
    return list(known.values())[:MOST_TAGS]


def folders(given: Iterable[Iterable[str]]) -> list[list[str]]:
    """Return folders once each, by names that collections can have."""
    kept: dict[tuple[str, ...], None] = {}
    for path in given:
        names = [name for name in (one_line(name, LONGEST_NAME) for name in path) if name][:DEEPEST]
        if names:
            kept.setdefault(tuple(names))
    return [list(path) for path in kept][:50]


def language(code: str | None) -> str | None:
    """Return the language of a tag such as `en_US`, lower case; None where it is none."""
    first = (code or "").replace("_", "-").partition("-")[0].strip().lower()
    return first if 2 <= len(first) <= 3 and first.isascii() and first.isalpha() else None


def moment(seconds: object) -> datetime | None:
    """Return a time of seconds, milliseconds or microseconds since 1970, or None: years outside 1970-2100 are none."""
    try:
        number = float(str(seconds))
    except ValueError:
        return None
    for unit in (1.0, 1e3, 1e6):
        if 0 < number / unit < 4_102_444_800:
            return datetime.fromtimestamp(number / unit, UTC)
    return None


def written(text: object) -> datetime | None:
    """Return a time in ISO 8601, of which the end may be missing; UTC where it names no zone."""
    said = str(text or "").strip()
    for candidate in (said, f"{said[:4]}-{said[5:7]}-01", f"{said[:4]}-01-01"):
        try:
            found = datetime.fromisoformat(candidate)
            found = found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
        except (ValueError, OverflowError):
            continue
        return found if 1 <= found.year <= 9000 else None
    return None


def flat(text: str) -> str:
    """Return a text without line breaks and other controls, as a field of one line."""
    return " ".join(_SEPARATORS.sub(" ", text).split())
