"""A bibliographic record, CSL-JSON, as a text that words find, as fields of a resource, and as an entry."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from service.imports.entry import Entry, Found, Problem, flat, written
from service.imports.vocabulary import CROSSREF_TYPES, CSL_TYPES

_DOI = re.compile(r"10\.\d{4,9}/\S+")
_MARKUP = re.compile(r"</?(?:i|b|sub|sup|sc|span|p|div|jats:[a-z-]+)(?:\s[^<>]{0,200})?/?>", re.IGNORECASE)


def entry_of(line: int, csl: dict[str, Any], tags: list[str], **more: Any) -> Found:
    """Return the entry of a record; a Problem where nothing says what it is."""
    csl = {name: value for name, value in csl.items() if value not in (None, "", [], {})}
    csl["type"] = CROSSREF_TYPES.get(str(csl.get("type")), csl.get("type"))
    if csl["type"] not in CSL_TYPES:
        csl["type"] = "document"
    title = plain(csl.get("title") or csl.get("container-title"))
    url = str(csl.get("URL") or "").strip() or None
    if not (title or url or csl.get("DOI")):
        return Problem(line, "It has neither a title nor an address nor a DOI.", str(csl.get("id", ""))[:80])
    return Entry(
        line,
        title or url or str(csl["DOI"]),
        url,
        tags,
        authors=people(csl),
        language=str(csl.get("language") or "") or None,
        type="book" if csl["type"] == "book" else "webpage" if csl["type"] == "webpage" else "document",
        published_at=issued(csl),
        identifiers=identifiers(csl),
        csl=csl,
        **more,
    )


def plain(title: Any) -> str:
    """Return a title without the markup that CSL allows in it; one that is nothing else stays as it is."""
    said = flat(str(title or ""))
    return flat(_MARKUP.sub("", said)) or said


def name(person: Any) -> str:
    """Return how a person of CSL is called."""
    if not isinstance(person, Mapping):
        return ""
    parts = [person.get(part) for part in ("given", "non-dropping-particle", "dropping-particle", "family", "suffix")]
    return flat(str(person.get("literal") or " ".join(str(part) for part in parts if part)))


def people(csl: Mapping[str, Any], role: str = "author") -> list[str]:
    """Return the names of those who have a role; the editors where a work has no author."""
    listed = csl.get(role)
    found = [name(person) for person in listed] if isinstance(listed, list) else []
    found = [one for one in found if one]
    return found if found or role == "editor" else people(csl, "editor")


def issued(csl: Mapping[str, Any]) -> datetime | None:
    """Return when a work appeared: the first of `date-parts`, or what `raw` or `literal` says in ISO 8601."""
    date = csl.get("issued")
    if not isinstance(date, Mapping):
        return written(date)
    parts = date.get("date-parts")
    first = parts[0] if isinstance(parts, list) and parts else None
    if isinstance(first, list) and first:
        try:
            year, month, day = ([int(part) for part in first] + [1, 1])[:3]
            return datetime(year, month, day, tzinfo=UTC) if year <= 9000 else None
        except (ValueError, TypeError):
            return None
    return written(date.get("raw") or date.get("literal"))


def dated(text: str) -> dict[str, Any] | None:
    """Return a date of CSL: parts where the text is ISO 8601 or parts with slashes, else as it is written."""
    said = flat(text).strip("/ ")
    if not said:
        return None
    found = re.fullmatch(r"(\d{4})(?:[-/](\d{1,2})(?:[-/](\d{1,2}))?)?(?:[T ].*)?", said)
    if found is None:
        return {"literal": said[:100]}
    return {"date-parts": [[int(part) for part in found.groups() if part]]}


def doi(csl: Mapping[str, Any]) -> str | None:
    """Return the DOI of a record, lower case, without the address of the resolver."""
    found = _DOI.search(str(csl.get("DOI") or ""))
    return found[0].rstrip(".,;").lower() if found else None


def identifiers(csl: Mapping[str, Any]) -> list[str]:
    """Return a record's DOI, ISBN and PMID as the library writes them."""
    found = [f"doi:{one}"] if (one := doi(csl)) else []
    isbn = re.sub(r"[^0-9Xx]", "", str(csl.get("ISBN") or "").split(" ")[0])
    if len(isbn) in (10, 13):
        found.append(f"isbn:{isbn.upper()}")
    pmid = str(csl.get("PMID") or "").strip()
    return [*found, f"pmid:{pmid}"] if pmid.isdigit() else found


def as_text(csl: Mapping[str, Any]) -> str:
    """Return the record in words: who, what, where, when, and its abstract."""
    place = [csl.get("container-title"), csl.get("publisher"), csl.get("volume"), csl.get("issue"), csl.get("page")]
    when = issued(csl)
    lines = [
        plain(csl.get("title")),
        ", ".join(people(csl)),
        ", ".join(flat(str(part)) for part in place if part) + (f" ({when.year})" if when else ""),
        f"https://doi.org/{one}" if (one := doi(csl)) else "",
        _MARKUP.sub("", str(csl.get("abstract") or "")).strip(),
    ]
    return "\n\n".join(line.strip() for line in lines if line.strip())
