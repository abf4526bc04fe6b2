"""The Atom that the API of arXiv answers, https://info.arxiv.org/help/api/user-manual.html."""

from collections.abc import Iterator
from typing import Any

from service.imports.entry import Found, Problem, flat
from service.imports.formats.xml import Element, local, parsed, problems, text_of
from service.imports.references import dated, entry_of
from service.ingestion.identifiers import registered


def read(body: bytes) -> Iterator[Found]:
    """Yield the papers of an answer; what is wrong with a request is told as an entry, too."""
    tree = parsed(body)
    yield from problems(tree)
    if tree.root is None:
        return
    for element in tree.root:
        if local(element) == "entry":
            yield _paper(element)


def _paper(element: Element) -> Found:
    parts: dict[str, Element] = {}
    for child in element:
        parts.setdefault(local(child), child)
    named = registered((), [text_of(parts.get("id"))])
    if named is None or not named.startswith("arxiv:"):
        return Problem(1, "It is no paper.", text_of(parts.get("summary"))[:80])
    csl: dict[str, Any] = {
        "type": "article",
        "title": flat(text_of(parts.get("title"))),
        "author": [{"literal": flat(text_of(one))} for one in element.iter("{*}name")],
        "issued": dated(text_of(parts.get("published"))),
        "abstract": flat(text_of(parts.get("summary"))),
        "DOI": text_of(parts.get("doi")),
        "publisher": "arXiv",
        "number": named,
    }
    found = entry_of(1, csl, [])
    if not isinstance(found, Problem):
        found.identifiers.append(named)
    return found
