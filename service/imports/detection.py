"""Which format a file has: told by what is in it, not by its name."""

import re
from typing import Literal, get_args

from service.imports.formats.objects import Element, elements, outermost
from service.imports.vocabulary import CSL_TYPES
from service.ingestion.decoding import decode

Format = Literal[
    "netscape", "pocket_csv", "pocket_html", "wallabag", "linkwarden", "karakeep", "zotero_rdf", "csl", "bibtex", "ris",
    "opml", "json",
]  # fmt: skip
FORMATS: tuple[Format, ...] = get_args(Format)
HEAD = 200_000  # bytes that are looked at

_BIBTEX = re.compile(r"(?m)^\s*@\w+\s*[{(]")
_RIS = re.compile(r"(?m)^TY {1,2}- ?\w")
_ROOT = re.compile(r"<(?:\w+:)?(opml|rdf)\b", re.IGNORECASE)


def detect(body: bytes) -> Format | None:
    """Return the format of a file; None where it is none of them."""
    text = decode(body[:HEAD]).lstrip("\ufeff \t\r\n")
    if text[:1] in ("{", "["):
        return _json(text)
    if text[:1] == "<":
        return _markup(text)
    header = {name.strip(' "').casefold() for name in text.partition("\n")[0].strip().split(",")}
    if {"url", "title"} <= header and header & {"time_added", "tags", "status"}:
        return "pocket_csv"
    if _RIS.search(text):
        return "ris"
    return "bibtex" if _BIBTEX.search(text) else None


def _markup(text: str) -> Format | None:
    if root := _ROOT.search(text):
        return "opml" if root[1].casefold() == "opml" else "zotero_rdf"
    folded = text.casefold()
    if "time_added=" in folded and "netscape-bookmark" not in folded:
        return "pocket_html"
    return "netscape" if "netscape-bookmark" in folded or ("<dl" in folded and "<a " in folded) else None


def _json(text: str) -> Format | None:
    start = outermost(text)
    if start is None:
        if re.search(r'"bookmarks"\s*:\s*\[', text):
            return "karakeep"
        if re.search(r'"collections"\s*:\s*\[', text):
            return "linkwarden"
        return "csl" if re.search(r'"items"\s*:\s*\[', text) else None
    first = next(elements(text, start), None)
    value = first.value if isinstance(first, Element) and isinstance(first.value, dict) else None
    if value is None:  # it is cut off within its first element, or empty
        keys = set(re.findall(r'"(\w[\w-]*)"\s*:', text[:20_000]))
        return _by_keys(keys, None) or ("json" if text[start : start + 5].strip().startswith("]") else None)
    return _by_keys(set(value), value.get("type"))


def _by_keys(keys: set[str], type: object) -> Format | None:
    if "is_archived" in keys or ("domain_name" in keys and "content" in keys):
        return "wallabag"
    if type in CSL_TYPES and keys & {"id", "title", "DOI", "URL", "author", "issued"} and "subjects" not in keys:
        return "csl"
    if {"title", "tags"} <= keys and keys & {"created_at", "subjects", "word_count"}:
        return "json"
    return "csl" if keys & {"issued", "container-title", "DOI"} else None
