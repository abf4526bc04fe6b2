"""The work of a child process: from bytes to what a feed says. Loads feedparser, so only a zygote imports it."""

import calendar
from collections.abc import Callable
from io import BytesIO
from typing import Any

import feedparser
import orjson
from lxml import etree, html  # pyright: ignore[reportAttributeAccessIssue]

from service.feeds.parsed import MOST, Entry, Linked, Parsed
from service.ingestion.decoding import one_line

LONGEST = 2000  # characters of an address or a guid
FEEDS = ("application/rss+xml", "application/atom+xml", "application/rdf+xml")  # as a page names them


def warm_up() -> None:
    """Load what is otherwise loaded by the first feed."""
    feedparser.parse(BytesIO(b"<rss version='2.0'><channel><title>x</title></channel></rss>"))


def answer(description: bytes, body: bytes, write: Callable[[bytes], None]) -> None:
    """Read a feed, or find the one that a page names, and write it as JSON; `null` where there is neither."""
    headers: dict[str, str] = orjson.loads(description)
    write(orjson.dumps(read(body, headers) or find(body, headers.get("content-location", ""))))


def read(body: bytes, headers: dict[str, str]) -> Parsed | None:
    """Read a feed; None where it is none. `headers` are Content-Type and Content-Location, the base of addresses."""
    found: Any = feedparser.parse(BytesIO(body), response_headers=headers, sanitize_html=False)
    if not found.version and not found.entries:
        return None
    about = found.feed
    entries = [one for entry in found.entries[:MOST] if (one := _entry(entry)) is not None]
    return Parsed(one_line(about.get("title"), 500), _address(about.get("link")), entries)


def find(body: bytes, address: str) -> Linked | None:
    """Return the first feed that a page at an address names (`<link rel="alternate">`); None where it names none."""
    try:
        page = html.document_fromstring(body)
    except (etree.LxmlError, ValueError):
        return None
    page.make_links_absolute(address, resolve_base_href=True, handle_failures="ignore")
    for link in page.iter("link"):
        named = "alternate" in (link.get("rel") or "").lower().split()
        if named and (link.get("type") or "").split(";")[0].strip().lower() in FEEDS:
            url = _address(link.get("href"))
            if url is not None and url != address:
                return Linked(url)
    return None


def _entry(entry: Any) -> Entry | None:
    url = _address(entry.get("link"))
    guid = one_line(entry.get("id"), LONGEST) or url
    if guid is None:
        return None
    when = entry.get("published_parsed") or entry.get("updated_parsed")
    return Entry(guid, url, one_line(entry.get("title"), 500), _seconds(when))


def _seconds(when: Any) -> int | None:
    try:
        seconds = calendar.timegm(when) if when else None
    except (OverflowError, ValueError):
        return None
    return seconds if seconds is not None and 0 < seconds < 4_102_444_800 else None  # the year 2100


def _address(url: str | None) -> str | None:
    clean = one_line(url, LONGEST + 1)
    return clean if clean.startswith(("http://", "https://")) and len(clean) <= LONGEST else None
