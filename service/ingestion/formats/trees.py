"""HTML trees by lxml, which carries no types."""

from typing import Any

import lxml.html
from trafilatura.utils import load_html

Element = Any


def parse_page(html: str) -> Element | None:
    """Parse a whole page, however broken; None when there is nothing in it."""
    if "<body" not in html[:200_000].lower():
        html = f"<html><body>{html}</body></html>"
    return load_html(html)


def parse_fragment(html: str) -> Element:
    """Parse cleaned HTML under one `div`."""
    return lxml.html.fromstring(f"<div>{html}</div>")


def write_fragment(root: Element) -> str:
    """Write what `parse_fragment` read, without the `div`."""
    written = str(lxml.html.tostring(root, encoding="unicode"))
    return written.removeprefix("<div>").removesuffix("</div>").strip()


def words_of(element: Element) -> str:
    """Return the text of an element on one line."""
    return " ".join(element.text_content().split())
