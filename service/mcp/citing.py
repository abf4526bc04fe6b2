"""A resource as BibTeX and as CSL-JSON."""

import re
import unicodedata
from datetime import datetime
from typing import Any

import orjson

_SPECIAL = {
    "\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}",
    **{sign: f"\\{sign}" for sign in "&%$#_{}"},
}  # fmt: skip
_CSL = {"webpage": "webpage", "book": "book", "document": "document", "note": "document", "article": "article"}


def bibtex(resource: dict[str, Any]) -> str:
    """Return an entry: @book for a book, @article for what has a DOI, @online for a page, else @misc."""
    doi = _doi(resource)
    kind = "book" if resource["type"] == "book" else "article" if doi else "online" if resource.get("url") else "misc"
    published = _date(resource.get("published_at"))
    fields = {
        "title": f"{{{_escaped(resource['title'])}}}",
        "author": " and ".join(_escaped(name) for name in resource.get("authors") or ()),
        "year": f"{published.year}" if published else "",
        "month": f"{published.month}" if published else "",
        "doi": doi or "",
        "url": (resource.get("url") or "").replace("}", "%7D").replace("{", "%7B"),
        "urldate": _day(resource["created_at"]) if resource.get("url") else "",
        "language": resource.get("language") or "",
    }
    lines = [f"  {name} = {{{value}}}" for name, value in fields.items() if value]
    return f"@{kind}{{{_key(resource, published)},\n" + ",\n".join(lines) + "\n}\n"


def csl(resource: dict[str, Any]) -> str:
    """Return an item of CSL-JSON (https://citeproc-js.readthedocs.io/en/latest/csl-json/markup.html), as text."""
    published, added = _date(resource.get("published_at")), _date(resource["created_at"])
    item: dict[str, Any] = {
        "id": resource["id"],
        "type": _CSL.get(resource["type"], "document"),
        "title": resource["title"],
        "author": [_name(name) for name in resource.get("authors") or ()],
        "issued": _parts(published),
        "accessed": _parts(added) if resource.get("url") else None,
        "URL": resource.get("url"),
        "DOI": _doi(resource),
        "abstract": resource.get("description"),
        "language": resource.get("language"),
    }
    return orjson.dumps({name: value for name, value in item.items() if value}, option=orjson.OPT_INDENT_2).decode()


def _doi(resource: dict[str, Any]) -> str | None:
    found = re.search(r"doi\.org/(10\.\d{4,9}/[^\s?#]+)", resource.get("url") or "")
    return found[1] if found else None


def _key(resource: dict[str, Any], published: datetime | None) -> str:
    names, words = resource.get("authors") or (), re.findall(r"\w{4,}", resource["title"])
    parts = [names[0].split()[-1] if names and names[0].split() else "", f"{published.year}" if published else ""]
    plain = unicodedata.normalize("NFKD", "".join([*parts, words[0] if words else ""]))
    return re.sub(r"[^A-Za-z0-9]", "", plain).lower() or f"pharos{resource['id'][:8]}"


def _escaped(text: str) -> str:
    return "".join(_SPECIAL.get(sign, sign) for sign in " ".join(text.split()))


def _name(name: str) -> dict[str, str]:
    family, comma, given = (part.strip() for part in name.partition(","))
    if not comma:
        given, _, family = name.strip().rpartition(" ")
    return {"family": family, "given": given} if given else {"literal": name.strip()}


def _date(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def _day(text: str) -> str:
    return text[:10]


def _parts(moment: datetime | None) -> dict[str, list[list[int]]] | None:
    return {"date-parts": [[moment.year, moment.month, moment.day]]} if moment else None
