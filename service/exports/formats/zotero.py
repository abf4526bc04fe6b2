"""Zotero RDF: items as its translator writes them, descriptions as notes, and after them the collections."""

from collections.abc import Sequence
from html import escape
from typing import Any

from service.exports.formats.shelves import Shelves
from service.exports.record import Record, as_csl, date_parts, literal_date, persons
from service.imports.entry import flat
from service.imports.vocabulary import ZOTERO_TYPES, written_as

HEAD = """<?xml version="1.0" encoding="UTF-8"?>
<rdf:RDF
 xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"
 xmlns:z="http://www.zotero.org/namespaces/export#"
 xmlns:bib="http://purl.org/net/biblio#"
 xmlns:dc="http://purl.org/dc/elements/1.1/"
 xmlns:dcterms="http://purl.org/dc/terms/"
 xmlns:foaf="http://xmlns.com/foaf/0.1/"
 xmlns:prism="http://prismstandard.org/namespaces/1.2/basic/"
 xmlns:vcard="http://nwalsh.com/rdf/vCard#">
"""
TYPES = written_as(ZOTERO_TYPES)
ELEMENTS = {
    "journalArticle": "bib:Article", "magazineArticle": "bib:Article", "newspaperArticle": "bib:Article",
    "book": "bib:Book", "bookSection": "bib:BookSection", "thesis": "bib:Thesis", "letter": "bib:Letter",
    "manuscript": "bib:Manuscript", "interview": "bib:Interview", "film": "bib:MotionPicture",
    "artwork": "bib:Illustration", "report": "bib:Report", "hearing": "bib:Report", "patent": "bib:Patent",
    "bill": "bib:Legislation", "statute": "bib:Legislation", "map": "bib:Image", "podcast": "bib:Recording",
    "presentation": "bib:ConferenceProceedings", "computerProgram": "bib:Data",
}  # fmt: skip
WITHIN = {
    "bookSection": "bib:Book", "encyclopediaArticle": "bib:Book", "dictionaryEntry": "bib:Book",
    "magazineArticle": "bib:Periodical", "newspaperArticle": "bib:Newspaper", "webpage": "z:Website",
}  # fmt: skip
FIELDS = {
    "title": "dc:title", "abstract": "dcterms:abstract", "volume": "prism:volume", "page": "bib:pages",
    "edition": "prism:edition", "language": "z:language", "title-short": "z:shortTitle", "genre": "z:type",
    "citation-key": "z:citationKey", "note": "dc:description",
}  # fmt: skip
ROLES = {"author": "bib:authors", "editor": "bib:editors", "translator": "z:translators"}


class Library:
    """Items with their notes, and after them the collections that they are in."""

    def __init__(self) -> None:
        self._shelves = Shelves()
        self._held: dict[int, list[str]] = {}  # ids of the items of each collection
        self._before = HEAD

    def add(self, records: Sequence[Record]) -> bytes:
        """Write items."""
        parts = [self._before]
        self._before = ""
        for record in records:
            parts.append(_item(record))
            for path in record.collections:
                self._held.setdefault(self._shelves.number(path), []).append(_id(record))
        return "".join(parts).encode()

    def end(self) -> bytes:
        """Write the collections."""
        titles: dict[int, str] = {}
        inner: dict[int, list[str]] = {}
        for number, name, parent in self._shelves:
            titles[number] = name
            if parent is not None:
                inner.setdefault(parent, []).append(f"#collection_{number}")
        shelves = [
            _element(
                "z:Collection",
                [_said("dc:title", name)]
                + [f"<dcterms:hasPart {_to(part)}/>" for part in inner.get(number, []) + self._held.get(number, [])],
                f' rdf:about="#collection_{number}"',
            )
            for number, name in titles.items()
        ]
        return "".join((self._before, *shelves, "</rdf:RDF>\n")).encode()


def _item(record: Record) -> str:
    csl = as_csl(record)
    if not (record.reference or {}).get("abstract"):
        csl.pop("abstract", None)  # it is the description, which is a note
    kind = TYPES.get(str(csl["type"]), "document")
    parts = [_said("z:itemType", kind)]
    for series, key in ((WITHIN.get(kind, "bib:Journal"), "container-title"), ("bib:Series", "collection-title")):
        if csl.get(key):
            parts.append(_element("dcterms:isPartOf", [_element(series, [_said("dc:title", csl[key])])]))
    for role, name in ROLES.items():
        if people := persons(csl, role):
            parts.append(_element(name, [_element("rdf:Seq", [_person(one) for one in people])]))
    parts.append(_publisher(csl))
    parts += [_said("dc:subject", tag) for tag in record.tags]
    parts += [_said(name, csl.get(key)) for key, name in FIELDS.items()]
    parts.append(_said("prism:number", csl.get("number") or csl.get("issue")))
    day = "-".join(f"{part:0{2 if place else 4}}" for place, part in enumerate(date_parts(csl)))
    parts.append(_said("dc:date", day or literal_date(csl)))
    if record.created_at:
        parts.append(_said("dcterms:dateSubmitted", f"{record.created_at:%Y-%m-%d %H:%M:%S}"))
    parts += [_said("dc:identifier", f"{name} {csl[name]}") for name in ("DOI", "ISBN", "ISSN") if csl.get(name)]
    if csl.get("URL"):
        address = _element("dcterms:URI", [_said("rdf:value", csl["URL"])])
        parts.append(_element("dc:identifier", [address]))
    note = ""
    if record.description:
        about = f"{_id(record)}_note"
        parts.append(f"<dcterms:isReferencedBy {_to(about)}/>")
        paragraph = f"<p>{escape(flat(record.description))}</p>"
        note = _element("bib:Memo", [_said("rdf:value", paragraph)], f' rdf:about="{about}"')
    return _element(ELEMENTS.get(kind, "bib:Document"), parts, f' rdf:about="{_id(record)}"') + note


def _id(record: Record) -> str:
    return f"#item_{record.id}"


def _to(id: str) -> str:
    return f'rdf:resource="{id}"'


def _person(person: dict[str, str]) -> str:
    if person.get("literal") or not person.get("family"):
        surname, given = person.get("literal") or person.get("given"), ""
    else:
        particle = person.get("non-dropping-particle") or person.get("dropping-particle")
        surname = " ".join(part for part in (particle, person["family"]) if part)
        given = ", ".join(part for part in (person.get("given"), person.get("suffix")) if part)
    named = _element("foaf:Person", [_said("foaf:surname", surname), _said("foaf:givenName", given)])
    return _element("rdf:li", [named])


def _publisher(csl: dict[str, Any]) -> str:
    parts = [_said("foaf:name", csl.get("publisher"))]
    if csl.get("publisher-place"):
        address = _element("vcard:Address", [_said("vcard:locality", csl["publisher-place"])])
        parts.append(_element("vcard:adr", [address]))
    return _element("dc:publisher", [_element("foaf:Organization", parts)]) if any(parts) else ""


def _element(name: str, parts: Sequence[str], attributes: str = "") -> str:
    return f"<{name}{attributes}>{''.join(parts)}</{name}>\n"


def _said(name: str, value: Any) -> str:
    text = escape(flat(str(value or "")), quote=False)
    return f"<{name}>{text}</{name}>\n" if text else ""
