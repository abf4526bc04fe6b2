"""Plain text."""

from service.ingestion.decoding import clean, decode
from service.ingestion.formats.draft import Draft
from service.ingestion.formats.reading_view import html_of


def read(body: bytes, charset: str | None) -> Draft:
    """Read plain text; its first line is the title when it is as short as one."""
    text = clean(decode(body, charset)).strip()
    return Draft(text=text, html=html_of(text), title=title_of(text))


def title_of(text: str) -> str:
    """Return the first line as a title, or nothing when it is a paragraph."""
    first = text.lstrip().partition("\n")[0].strip()
    return first if len(first) <= 150 else ""
