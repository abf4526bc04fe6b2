"""HTML trees by lxml, which carries no types."""

import re
from typing import Any

import lxml.html
from trafilatura.utils import load_html

Element = Any


LARGEST_TEXT = 9_000_000  # bytes; libxml2 drops longer ones unless asked not to, which lifts its other limits, too
START = re.compile(r"<html\b[^>]*>", re.IGNORECASE)
HUGE = {"huge_tree": True, "remove_comments": True, "remove_pis": True, "encoding": "utf-8"}


def parse_page(html: str) -> Element | None:
    """Parse a whole page, however broken; None when there is nothing in it."""
    bodiless = "<body" not in html[:200_000].lower()
    if bodiless:
        start = START.search(html, 0, 10_000)
        html = f"{html[: start.end()]}<body>{html[start.end() :]}" if start else f"<html><body>{html}</body></html>"
    if len(html) < LARGEST_TEXT:
        page = load_html(html)
    else:
        page = lxml.html.document_fromstring(html.encode(), parser=lxml.html.HTMLParser(**HUGE))
    if bodiless and page is not None:
        _part_head(page)
    return page


def _part_head(page: Element) -> None:
    """Put what belongs into a head there: the tags of head and body may be left out (HTML Standard, 13.1.2.4)."""
    body = page.find("body")
    if body is None:
        return
    head = page.makeelement("head")
    page.insert(0, head)
    for element in list(body.iterchildren("title", "meta", "link", "base")):
        if not (element.tail or "").strip():  # else words would go along
            head.append(element)


def parse_fragment(html: str) -> Element:
    """Parse cleaned HTML under one `div`."""
    parser = lxml.html.HTMLParser(huge_tree=len(html) >= LARGEST_TEXT)
    return lxml.html.fromstring(f"<div>{html}</div>", parser=parser)


def write_fragment(root: Element) -> str:
    """Write what `parse_fragment` read, without the `div`."""
    written = str(lxml.html.tostring(root, encoding="unicode"))
    return written.removeprefix("<div>").removesuffix("</div>").strip()


def words_of(element: Element) -> str:
    """Return the text of an element on one line."""
    return " ".join(element.text_content().split())


def shown_text(page: Element) -> str:
    """Return all text of a page on one line, menus and footers too."""
    pieces = page.xpath(".//body//text()[not(parent::script or parent::style or parent::noscript)]")
    return " ".join(" ".join(pieces).split())
