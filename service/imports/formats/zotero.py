"""Zotero RDF: items by bibliographic vocabularies, collections with their parts, notes and tags.

https://www.zotero.org/support/kb/exporting and the translator `Zotero RDF.js`.
"""

import re
from collections.abc import Iterator
from html import unescape
from typing import Any

from service.imports.entry import Found, flat, written
from service.imports.formats.readers import paths_of
from service.imports.formats.xml import Element, local, parsed, problems, text_of
from service.imports.references import dated, entry_of
from service.imports.vocabulary import ZOTERO_TYPES

RDF = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}"
_PARTS = {"Journal", "Book", "Proceedings", "Series", "Periodical", "Website", "BlogPost", "Newspaper", "Magazine"}
_NO_ITEMS = {"Attachment", "Memo", "Collection", "Journal", "Series", "Seq", "Automatic Tag"}
_TAGS = re.compile(r"<[^<>]{1,500}>")


def read(body: bytes) -> Iterator[Found]:
    """Yield the items of a library; attachments are left out, notes go into the description."""
    tree = parsed(body)
    if tree.root is not None:
        nodes = [element for element in tree.root if local(element)]
        about = {id: element for element in nodes if (id := _id(element))}
        folders = _folders(nodes)
        for element in nodes:
            kind = text_of(_child(element, "itemType"))
            if local(element) in _NO_ITEMS or kind in ("attachment", "note") or (not kind and not len(element)):
                continue
            csl = _csl(element, kind, about)
            names = [text_of(one) for one in element if local(one) == "subject"]
            notes = [text_of(about[id]) for one in element if (id := _link(one, "isReferencedBy")) in about]
            yield entry_of(
                element.sourceline or 1,
                csl,
                names,
                folders=folders.get(_id(element) or "", []),
                created_at=written(text_of(_child(element, "dateSubmitted")).replace(" ", "T")),
                description="\n\n".join(flat(unescape(_TAGS.sub(" ", note))) for note in notes) or None,
            )
    yield from problems(tree)


def _id(element: Element) -> str | None:
    id = element.get(f"{RDF}about") or element.get(f"{RDF}ID") or element.get(f"{RDF}nodeID")
    return id.removeprefix("#") if id else None


def _link(element: Element, name: str) -> str:
    return (element.get(f"{RDF}resource") or "").removeprefix("#") if local(element) == name else ""


def _child(element: Element, name: str) -> Element | None:
    return next((one for one in element if local(one) == name), None)


def _folders(nodes: list[Element]) -> dict[str, list[list[str]]]:
    """Return the paths of the collections that each item is in."""
    shelves = {id: one for one in nodes if local(one) == "Collection" and (id := _id(one))}
    parts = {id: [part for link in one if (part := _link(link, "hasPart"))] for id, one in shelves.items()}
    above = {part: id for id, held in parts.items() for part in held if part in shelves}
    paths = paths_of({id: (text_of(_child(one, "title")), above.get(id, "")) for id, one in shelves.items()})
    found: dict[str, list[list[str]]] = {}
    for id, held in parts.items():
        for part in held:
            if part not in shelves:
                found.setdefault(part, []).append(paths[id])
    return found


def _csl(element: Element, kind: str, about: dict[str, Element]) -> dict[str, Any]:
    csl: dict[str, Any] = {"type": ZOTERO_TYPES.get(kind, "document")}
    for role, name in (("authors", "author"), ("editors", "editor"), ("translators", "translator")):
        if (listed := _child(element, role)) is not None:
            csl[name] = [person for one in listed.iter() if local(one) == "Person" and (person := _person(one))]
    simple = {
        "title": "title", "abstract": "abstract", "volume": "volume", "number": "issue", "pages": "page",
        "edition": "edition", "language": "language", "shortTitle": "title-short", "type": "genre",
        "citationKey": "citation-key", "description": "note",
    }  # fmt: skip
    for one in element:
        if (target := simple.get(local(one))) and (said := text_of(one)):
            csl.setdefault(target, said)
    csl["issued"] = dated(text_of(_child(element, "date")))
    if (publisher := _child(element, "publisher")) is not None:
        names = [text_of(one) for one in publisher.iter() if local(one) == "name"]
        csl["publisher"] = next((one for one in names if one), "")
        csl["publisher-place"] = next((text_of(one) for one in publisher.iter() if local(one) == "locality"), "")
    _identify(csl, element)
    for one in element:
        if local(one) == "isPartOf":
            whole = about.get(_link(one, "isPartOf")) if not len(one) else one[0]
            if whole is not None and local(whole) in _PARTS:
                _within(csl, whole)
    return csl


def _within(csl: dict[str, Any], whole: Element) -> None:
    """Take from the journal or the book what it says of its part."""
    series = local(whole) == "Series"
    csl.setdefault("collection-title" if series else "container-title", text_of(_child(whole, "title")))
    for name, target in (("volume", "volume"), ("number", "issue")):
        if said := text_of(_child(whole, name)):
            csl.setdefault(target, said)
    _identify(csl, whole)


def _identify(csl: dict[str, Any], element: Element) -> None:
    for one in element:
        if local(one) == "identifier":
            said = text_of(one)
            kind, _, value = said.partition(" ")
            if kind in ("DOI", "ISBN", "ISSN"):
                csl.setdefault(kind, value.strip())
            elif said.startswith(("http://", "https://")):
                csl.setdefault("URL", said)
    about = element.get(f"{RDF}about") or ""
    if about.startswith(("http://", "https://")):
        csl.setdefault("URL", about)


def _person(element: Element) -> dict[str, str]:
    family = text_of(_child(element, "surname"))
    given = text_of(_child(element, "givenName")) or text_of(_child(element, "givenname"))
    if not given:
        return {"literal": family} if family else {}
    return {"family": family, "given": given}
