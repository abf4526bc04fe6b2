"""The JSON that `GET /export` gives."""

from collections.abc import Iterator
from typing import Any

from service.imports.entry import Entry, Found, Highlight, Problem, written
from service.imports.formats.objects import elements, listed, names, outermost, words
from service.ingestion.decoding import decode


def read(body: bytes) -> Iterator[Found]:
    """Yield the resources of an export, with their text where it holds that."""
    text = decode(body)
    start = outermost(text)
    if start is None:
        yield Problem(1, "There is no list of resources.")
        return
    for one in elements(text, start):
        if isinstance(one, Problem):
            yield one
        elif not isinstance(one.value, dict):
            yield Problem(one.line, "It is no object with fields.", str(one.value)[:80])
        elif not (words(one.value.get("url")) or words(one.value.get("content")) or one.value.get("reference")):
            yield Problem(one.line, "It has no address, no text and no reference.", words(one.value.get("title"))[:200])
        else:
            yield _entry(one.line, one.value)


def _entry(line: int, one: dict[str, Any]) -> Entry:
    reference = one.get("reference")
    return Entry(
        line,
        words(one.get("title")),
        words(one.get("url")) or None,
        names(one.get("tags")),
        folders=[names(path) for path in listed(one.get("collections"))],
        description=words(one.get("description")) or None,
        text=words(one.get("content")),
        authors=names(one.get("authors")),
        subjects=names(one.get("subjects")),
        language=words(one.get("language")) or None,
        type=words(one.get("type")) or None,
        created_at=written(one.get("created_at")),
        published_at=written(one.get("published_at")),
        identifiers=names(one.get("identifiers")),
        highlights=[
            Highlight(words(mark.get("quote")), words(mark.get("note")), names(mark.get("tags")), mark.get("colour"))
            for mark in listed(one.get("annotations"))
            if isinstance(mark, dict) and isinstance(mark.get("colour"), str | None)
        ],
        csl=reference if isinstance(reference, dict) else None,
    )
