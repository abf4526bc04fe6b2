"""Lists of feeds as other readers write and read them: OPML 2.0 (http://opml.org/spec2.opml)."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from lxml import etree  # pyright: ignore[reportAttributeAccessIssue]

from service.errors import Invalid
from service.feeds.tables import Feed
from service.ingestion.decoding import clean, one_line

LARGEST = 5 * 2**20  # bytes
MOST = 5000  # outlines that are looked at


class NotOpml(Invalid):
    """This is no OPML: {reason}."""


@dataclass(frozen=True, slots=True)
class Outline:
    """A feed of a list, with the line that it stands in; `folder` are the titles above it, by slashes."""

    line: int
    url: str
    title: str | None
    folder: str | None


def read(body: bytes) -> list[Outline]:
    """Return the feeds of a list; what is broken in it is skipped as far as it can be. Raises NotOpml."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, recover=True, remove_pis=True)
    try:
        root = etree.fromstring(body, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise NotOpml(reason=str(error) or "it is empty") from None
    if root is None or etree.QName(root).localname.lower() != "opml":
        raise NotOpml(reason="its first element is not <opml>")
    found: list[Outline] = []
    folders: dict[Any, str | None] = {}
    for number, element in enumerate(root.iter("outline")):
        if number >= MOST:
            break
        above = element.getparent()
        folder = folders.get(above) if above is not None else None
        title = one_line(element.get("title") or element.get("text"), 300) or None
        url = element.get("xmlUrl") or element.get("xmlurl")
        if url is not None:
            found.append(Outline(int(element.sourceline or 0), one_line(url, 4096), title, folder))
        folders[element] = "/".join(filter(None, (folder, title)))[:300] or None
    return found


def write(feeds: Iterable[Feed], title: str) -> bytes:
    """Return a list of feeds."""
    root = Element("opml", version="2.0")
    SubElement(SubElement(root, "head"), "title").text = clean(title)
    body = SubElement(root, "body")
    folders: dict[str, Element] = {}
    for feed in feeds:
        parent, path = body, ""
        for name in feed.folder.split("/") if feed.folder else ():
            path = f"{path}/{name}"
            if path not in folders:
                folders[path] = SubElement(parent, "outline", text=clean(name), title=clean(name))
            parent = folders[path]
        outline = SubElement(parent, "outline", type="rss", text=clean(feed.title), title=clean(feed.title))
        outline.set("xmlUrl", feed.url)
        if feed.site_url:
            outline.set("htmlUrl", feed.site_url)
    indent(root)
    return tostring(root, encoding="utf-8", xml_declaration=True)
