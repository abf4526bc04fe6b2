"""One resource as any format writes it, and as a bibliographic record."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from service.imports.references import name, people, plain


@dataclass(slots=True)
class Record:
    """What is known about a resource, with its collections and the asking account's own annotations."""

    id: UUID
    title: str
    url: str | None = None
    authors: list[str] = field(default_factory=list[str])
    description: str | None = None
    type: str = "webpage"
    language: str | None = None
    subjects: list[str] = field(default_factory=list[str])
    tags: list[str] = field(default_factory=list[str])
    published_at: datetime | None = None
    site: str | None = None
    status: str = "completed"
    word_count: int = 0
    private: bool = False
    created_at: datetime | None = None
    updated_at: datetime | None = None
    identifiers: list[str] = field(default_factory=list[str])
    collections: list[list[str]] = field(default_factory=list[list[str]])
    annotations: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    reference: dict[str, Any] | None = None
    content: str = ""


TYPES = {"book": "book", "webpage": "webpage", "document": "document"}


def as_csl(record: Record) -> dict[str, Any]:
    """Return a record as CSL-JSON: what a bibliography said of it, under what the library says now."""
    csl: dict[str, Any] = dict(record.reference or {"type": TYPES.get(record.type, "document")})
    csl["id"] = str(csl.get("citation-key") or csl.get("id") or record.id)
    if record.title != plain(csl.get("title")):
        csl["title"] = record.title
    if record.authors != people(csl):
        csl["author"] = [{"literal": one} for one in record.authors]
        csl.pop("editor", None)
    doi = next((one.removeprefix("doi:") for one in record.identifiers if one.startswith("doi:")), None)
    if doi and str(csl.get("DOI", "")).lower() != doi:
        csl["DOI"] = doi
    if record.url and record.url != f"https://doi.org/{doi}":
        csl["URL"] = record.url
    if record.published_at and not csl.get("issued"):
        day = record.published_at
        csl["issued"] = {"date-parts": [[day.year, day.month, day.day]]}
    for key, value in (("language", record.language), ("abstract", record.description)):
        if value and not csl.get(key):
            csl[key] = value
    return {key: value for key, value in csl.items() if value not in (None, "", [], {})}


def date_parts(csl: dict[str, Any]) -> list[int]:
    """Return year, month and day of a work, as far as they are known."""
    issued = csl.get("issued")
    parts = issued.get("date-parts") if isinstance(issued, dict) else None
    first = parts[0] if isinstance(parts, list) and parts and isinstance(parts[0], list) else []
    return [int(part) for part in first if str(part).isdigit()]


def literal_date(csl: dict[str, Any]) -> str:
    """Return what is said instead of a date."""
    issued = csl.get("issued")
    return str(issued.get("literal") or issued.get("raw") or "") if isinstance(issued, dict) else str(issued or "")


def persons(csl: dict[str, Any], role: str) -> list[dict[str, str]]:
    """Return those who have a role, each with a name."""
    listed = csl.get(role)
    return [one for one in listed if isinstance(one, dict) and name(one)] if isinstance(listed, list) else []
