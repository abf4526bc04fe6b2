"""What a format's reader hands over, before language, hash and citations are added."""

from dataclasses import dataclass, field
from datetime import datetime


@dataclass(slots=True)
class Link:
    """A link in the text: where it goes, and its words."""

    url: str
    text: str


@dataclass(slots=True)
class Draft:
    """A document as its format tells it; empty where it does not."""

    text: str
    html: str
    title: str = ""
    authors: list[str] = field(default_factory=list)
    published_at: datetime | None = None
    site: str | None = None
    description: str | None = None
    canonical_url: str | None = None
    language: str | None = None
    identifiers: list[str] = field(default_factory=list)  # its own, as it gives them: `doi:10.1000/182`
    pages: int | None = None  # None where the format has none
    links: list[Link] = field(default_factory=list)
