"""The links of a text: kept when a page is reduced to its article, and listed."""

from collections import defaultdict
from urllib.parse import urljoin

import lxml.html

from service.ingestion.formats.draft import Link
from service.ingestion.formats.trees import Element, parse_fragment, words_of

MOST = 2000
IN_BLOCK = 200  # each is looked for in the whole block; one with more is a directory, not a paragraph
BLOCKS = ("p", "li", "td", "th", "dd", "dt", "blockquote", "figcaption", "h1", "h2", "h3", "h4", "h5", "h6")
WEB = ("http://", "https://")


def links_of(html: str) -> list[Link]:
    """Return the web links of cleaned HTML in reading order."""
    if "<a " not in html:
        return []
    found = (Link(anchor.get("href", ""), words_of(anchor)) for anchor in parse_fragment(html).iter("a"))
    return [link for link in found if link.url.startswith(WEB)][:MOST]


def links_by_block(page: Element, base_url: str | None) -> dict[str, list[Link]]:
    """Return the web links of a page by the text of the paragraph (list item, cell ...) that they stand in."""
    found: dict[str, list[Link]] = defaultdict(list)
    texts: dict[Element, str] = {}
    for anchor in list(page.iter("a"))[:MOST]:
        block = next(anchor.iterancestors(*BLOCKS), None)
        words = words_of(anchor)
        target = anchor.get("href", "").strip()
        if block is None or not words or target.startswith("#"):
            continue
        try:
            url = urljoin(base_url or "", target)
        except ValueError:
            continue
        if url.startswith(WEB):
            if block not in texts:
                texts[block] = words_of(block)
            found[texts[block]].append(Link(url, words))
    return found


def restore_links(article: Element, links: dict[str, list[Link]]) -> None:
    """Put links back into the paragraphs of an article that was extracted without them."""
    for block in list(article.iter(*BLOCKS)):
        for link in links.get(words_of(block), [])[:IN_BLOCK]:
            _insert(block, link)


def _insert(block: Element, link: Link) -> None:
    """Make the first plain occurrence of the link's words in a block a link."""
    for element in list(block.iter()):
        if element.tag == "a":
            continue
        if found := _split(element.text, link):
            element.text, anchor = found
            element.insert(0, anchor)
            return
        for position, child in enumerate(element):
            if found := _split(child.tail, link):
                child.tail, anchor = found
                element.insert(position + 1, anchor)
                return


def _split(text: str | None, link: Link) -> tuple[str, Element] | None:
    before, words, after = " ".join(f"|{text}|".split()).partition(link.text)
    if not text or not words:
        return None
    anchor = lxml.html.Element("a", href=link.url)
    anchor.text, anchor.tail = words, after.removesuffix("|")
    return before.removeprefix("|"), anchor
