"""Markdown, with front matter."""

import re
from datetime import datetime

from markdown_it import MarkdownIt

from service.ingestion.decoding import clean, decode
from service.ingestion.formats.dates import date_of
from service.ingestion.formats.draft import Draft, Link
from service.ingestion.formats.names import names_of
from service.ingestion.formats.plain import title_of
from service.ingestion.formats.reading_view import safe_html, text_of

FRONT_MATTER = re.compile(r"\A---[ \t]*\n(.*?)\n(?:---|\.\.\.)[ \t]*(?:\n|\Z)", re.DOTALL)
FIELD = re.compile(r"^(\w+)[ \t]*:[ \t]*(.*)$")
LINKS = re.compile(r'<a href="([^"]+)"[^>]*>(.*?)</a>', re.DOTALL)
HEADING = re.compile(r"<h([1-6])>(.*?)</h\1>", re.DOTALL)


def read(body: bytes, charset: str | None) -> Draft:
    """Read Markdown; raw HTML in it is cleaned like any other."""
    source = clean(decode(body, charset))
    fields: dict[str, str] = {}
    if matter := FRONT_MATTER.match(source):
        fields = _fields(matter.group(1))
        source = source[matter.end() :]
    html = safe_html(MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"]).render(source))
    text = text_of(html)
    heading = HEADING.search(html)
    published: datetime | None = date_of(fields.get("date"))
    return Draft(
        text=text,
        html=html,
        title=fields.get("title") or (text_of(heading.group(2)) if heading else title_of(text)),
        authors=names_of(fields.get("author") or fields.get("authors")),
        published_at=published,
        description=fields.get("description") or None,
        links=[Link(url, text_of(words)) for url, words in LINKS.findall(html)],
    )


def _fields(matter: str) -> dict[str, str]:
    """Read the `key: value` lines of front matter; lists and nested values are left alone."""
    found = (FIELD.match(line) for line in matter.split("\n"))
    return {field.group(1).lower(): field.group(2).strip().strip("\"'") for field in found if field}
