"""What is known about a document before and after it was read."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

CitationKind = Literal["doi", "arxiv", "isbn", "pmid", "url", "reference"]
DocumentType = Literal["webpage", "document", "book"]


@dataclass(frozen=True, slots=True)
class Citation:
    """Something that a document refers to.

    `value` is the normalised identifier or URL; for an entry of a reference list without one, the entry itself.
    `text` is what stands in the document: the entry, the words of the link, or the identifier.
    """

    kind: CitationKind
    value: str
    text: str


@dataclass(frozen=True, slots=True)
class Extracted:
    """What a document says and who says it."""

    media_type: str
    type: DocumentType
    title: str
    authors: list[str]
    published_at: datetime | None
    language: str | None  # ISO 639-1
    site: str | None
    description: str | None
    canonical_url: str | None
    text: str  # one paragraph a line, without \x00
    html: str  # cleaned: no script, style, image or event handler
    word_count: int
    content_hash: str  # SHA-256 of the text, hex
    signature: list[int]  # for near-duplicates, see near_duplicates.py; empty when the text is too short
    citations: list[Citation]
    identifiers: list[str] = field(default_factory=list[str])  # its own: `doi:10.1000/182`
    pages: int | None = None  # None where the format has none


@dataclass(frozen=True, slots=True)
class Source:
    """What is known about the bytes besides themselves: hints, never facts."""

    filename: str | None = None
    url: str | None = None
    declared_type: str | None = None
    captured: bool = False
