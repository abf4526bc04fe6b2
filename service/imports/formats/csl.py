"""CSL-JSON, as Zotero, Mendeley and pandoc write it."""

from collections.abc import Iterator

from service.imports.entry import Found, Problem
from service.imports.formats.objects import elements, list_after, outermost
from service.imports.references import entry_of
from service.ingestion.decoding import decode


def read(body: bytes) -> Iterator[Found]:
    """Yield the items of a list, or of `items` (the answer of Zotero's API)."""
    text = decode(body)
    start = outermost(text)
    start = list_after(text, "items") if start is None else start
    if start is None:
        yield Problem(1, "There is no list of items.")
        return
    for one in elements(text, start):
        if isinstance(one, Problem):
            yield one
        elif isinstance(one.value, dict):
            keywords = one.value.get("keyword")
            names = keywords.split(",") if isinstance(keywords, str) else []
            yield entry_of(one.line, {key: one.value[key] for key in one.value if key != "keyword"}, names)
        else:
            yield Problem(one.line, "It is no object with fields.", str(one.value)[:80])
