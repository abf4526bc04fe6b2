"""How values are put into words and marks on a page."""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from html import unescape
from typing import Any
from zlib import crc32

import httpx
from markupsafe import Markup

from service.resources.reading_time import minutes
from service.security.destinations import host_of
from service.ui.text import text

HUES = 8

KINDS = {
    "application/pdf": "pdf",
    "application/epub+zip": "epub",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": "docx",
    "text/markdown": "markdown",
    "text/plain": "plain",
}

_HEADING = re.compile(r"\s*<h[12]>(.*?)</h[12]>", re.DOTALL)
_DOMAIN = re.compile(r"[^\s/]+\.[^\s/.]+")
_ARTICLE = re.compile(r"(?i)^(?:the|an?) (?=\w)")
_TAG = re.compile(r"<[^>]*>")
_UNITS = (("year", 31_557_600), ("month", 2_629_800), ("day", 86_400), ("hour", 3_600), ("minute", 60))


def ago(moment: datetime) -> str:
    """Say how long ago something was: `3 minutes ago`."""
    seconds = (datetime.now(UTC) - moment).total_seconds()
    for unit, length in _UNITS:
        if seconds >= length:
            return text(f"ago.{unit}", n=int(seconds // length))
    return text("ago.now")


def soon(moment: datetime) -> str:
    """Say when something will be: `in 3 minutes`."""
    seconds = (moment - datetime.now(UTC)).total_seconds() + 30
    for unit, length in _UNITS[2:]:
        if seconds >= length:
            return text(f"soon.{unit}", n=int(seconds // length))
    return text("soon.now")


def day(moment: datetime) -> str:
    """Write a date: `3 March 2026`."""
    return f"{moment.day} {text(f'month.{moment.month}')} {moment.year}"


def reading_time(words: int) -> str:
    """Say how long a text takes to read."""
    return text("minutes", n=max(1, minutes(words)))


def minutes_left(item: Any) -> int:
    """Return the minutes that the rest of an item takes, at least one."""
    progress: float = item.reading.progress if item.reading else 0
    return max(1, minutes(round(item.resource.word_count * (1 - progress))))


def duration(minutes: int) -> str:
    """Write minutes as people say them: `40 minutes`, `3 hours`."""
    if minutes < 100:
        return text("reading.minutes", n=minutes)
    return text("reading.hours", n=round(minutes / 60))


def size(value: float) -> str:
    """Write a number of bytes in the unit that leaves a number to be read."""
    for unit in ("B", "kB", "MB"):
        if value < 1000:
            return f"{value:.0f} {unit}" if value >= 10 or unit == "B" else f"{value:.1f} {unit}"
        value /= 1000
    return f"{value:.1f} GB"


def number(value: int) -> str:
    """Write a number with its thousands set apart."""
    return f"{value:,}"


def points(value: float) -> str:
    """Write points with at most two decimals: `8.5`, `10`."""
    return f"{value:.2f}".rstrip("0").rstrip(".")


def host(url: str | None) -> str | None:
    """Return whose page it is: the host without `www.`, in punycode, so that a look-alike shows as what it is."""
    try:
        return host_of(httpx.URL(url)).removeprefix("www.") or None if url else None
    except (httpx.InvalidURL, ValueError):
        return None


def source(item: Any) -> str | None:
    """Return where an item comes from: its site's name, else its host."""
    site: str | None = getattr(item, "site", None)
    if site and not site.isascii() and _DOMAIN.fullmatch(site):
        return host(f"https://{site}") or host(item.url)
    return site or host(item.url)


def kind(item: Any) -> str:
    """Say what an item is: `Web page`, `PDF`, `Note`."""
    media_type = getattr(item, "media_type", None) or ""
    name = KINDS.get(media_type) if item.type == "document" else None
    return text(f"kind.{name or item.type}", default=item.type.replace("_", " ").capitalize())


def language(code: str | None) -> str | None:
    """Return a language's name."""
    return text(f"language.{code}", default=code.upper()) if code else None


def monogram(item: Any) -> str:
    """Return the letter that stands for an item where it has no picture."""
    name = _ARTICLE.sub("", source(item) or item.title)
    return next((letter.upper() for letter in name if letter.isalnum()), "·")


def hue(item: Any) -> int:
    """Return one of `HUES` colours, the same for everything from one place."""
    return crc32((source(item) or item.type).encode()) % HUES


def paragraphs(content: str) -> list[str]:
    """Split plain text where lines are empty, or at each line where none is."""
    return [part.strip() for part in content.split("\n\n" if "\n\n" in content else "\n") if part.strip()]


def lede(resource: Any) -> str | None:
    """Return the description, unless it only repeats how the text begins."""
    told: str = (resource.description or "").strip()
    opening = " ".join(told.split())[:60].rstrip(".… ")
    return told if opening and opening not in " ".join(resource.content[:1000].split()) else None


def reading_view(item: Any) -> Markup:
    """Return the cleaned HTML of a resource, without a heading that only repeats its title."""
    html: str = item.content_html or ""
    heading = _HEADING.match(html)
    if heading and unescape(_TAG.sub("", heading[1])).strip().casefold() == item.title.strip().casefold():
        html = html[heading.end() :]
    return Markup(html)  # noqa: S704  # it was cleaned before it was stored, and the policy of the page allows no script


_ALL = (
    ago,
    soon,
    day,
    reading_time,
    minutes_left,
    duration,
    number,
    points,
    size,
    host,
    source,
    kind,
    language,
    monogram,
    hue,
    paragraphs,
    lede,
    reading_view,
)
FILTERS: dict[str, Callable[..., Any]] = {function.__name__: function for function in _ALL}
