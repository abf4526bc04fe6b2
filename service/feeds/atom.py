"""A feed of ours as text: Atom 1.0 (RFC 4287)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID
from xml.etree.ElementTree import Element, SubElement, tostring

from service.ingestion.decoding import clean

NAMESPACE = "http://www.w3.org/2005/Atom"


@dataclass(frozen=True, slots=True)
class Item:
    """A resource as an entry."""

    id: UUID
    title: str
    url: str | None
    authors: Sequence[str]
    tags: Sequence[str]
    summary: str
    published: datetime
    updated: datetime


@dataclass(frozen=True, slots=True)
class Published:
    """A collection or a saved search with its newest items."""

    id: UUID
    title: str
    subtitle: str | None
    changed: datetime  # of itself
    items: Sequence[Item]


def write(feed: Published, address: str, base: str) -> bytes:
    """Return the feed; `address` is its own, `base` that of Pharos, where items without an address of their own are."""
    root = Element("feed", xmlns=NAMESPACE)
    _texts(root, id=f"urn:uuid:{feed.id}", title=feed.title)
    if feed.subtitle:
        _texts(root, subtitle=feed.subtitle)
    _texts(root, updated=_time(max([feed.changed, *(item.updated for item in feed.items)])), generator="Pharos")
    _link(root, "self", address)
    _link(root, "alternate", f"{base}/ui/")
    for item in feed.items:
        entry = _element(root, "entry")
        _texts(entry, id=f"urn:uuid:{item.id}", title=item.title or "Untitled")
        _texts(entry, published=_time(item.published), updated=_time(item.updated), summary=item.summary)
        _link(entry, "alternate", item.url or f"{base}/ui/resources/{item.id}")
        for name in item.authors or ("Unknown",):  # an entry without an author is no valid one
            _texts(_element(entry, "author"), name=name)
        for tag in item.tags:
            _element(entry, "category").set("term", clean(tag))
    return tostring(root, encoding="utf-8", xml_declaration=True)


def _element(parent: Element, name: str) -> Element:
    return SubElement(parent, name)


def _texts(parent: Element, **texts: str) -> None:
    for name, value in texts.items():
        _element(parent, name).text = clean(value)


def _link(parent: Element, relation: str, address: str) -> None:
    link = _element(parent, "link")
    link.set("rel", relation)
    link.set("href", clean(address))


def _time(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
