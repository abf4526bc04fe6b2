"""Web pages: the article without what surrounds it, by trafilatura."""

import re
from copy import deepcopy
from urllib.parse import urljoin, urlsplit

import lxml.html
from trafilatura import bare_extraction
from trafilatura.htmlprocessing import build_html_output
from trafilatura.settings import Document, Extractor, set_date_params

from service.ingestion.canonical import canonical_url
from service.ingestion.decoding import clean, decode, one_line
from service.ingestion.formats.dates import date_of
from service.ingestion.formats.draft import Draft
from service.ingestion.formats.links import BLOCKS, links_by_block, links_of, restore_links
from service.ingestion.formats.names import names_of
from service.ingestion.formats.reading_view import safe_html, text_of
from service.ingestion.formats.trees import (
    Element,
    parse_fragment,
    parse_page,
    shown_text,
    words_of,
    write_fragment,
)
from service.ingestion.formats.walls import refuse_emptiness, refuse_walls
from service.ingestion.identifiers import own_identifier
from service.ingestion.unreadable import EmptyPage

# Under-extraction: trafilatura's own test for it in its balanced mode, and a factor that the 91 articles never reach.
SHORT = 3000  # characters
SHARE_OF_PAGE = 0.2
MUCH_LONGER = 2.0

# What is larger is read in one fast pass, without a second opinion: all of them would take minutes.
LARGE = 2_000_000  # bytes
MANY = 20_000  # elements

OWN = {
    "citation_doi": "doi", "citation_arxiv_id": "arxiv", "citation_pmid": "pmid", "citation_isbn": "isbn",
    "prism.doi": "doi", "dc.identifier": "", "dcterms.identifier": "",
}  # fmt: skip
MOST_OWN = 10

NO_TITLE = re.compile(r"^\W*(?:no title|untitled(?: document)?|document|index)?\W*$", re.IGNORECASE)
TITLE_ENDS = re.compile(r"\s+[-–—|·•»:]+\s+")
TEASER = re.compile(
    r"^(?:related|read (?:more|also|next)|also read|see (?:more|also)|more(?: on this| from\b[^:]*)?|don.t miss|watch"
    r"|recommended|trending|you may (?:also )?like|must read)\b\s*[:：|]?",
    re.IGNORECASE,
)
TEASER_REST = 30  # characters beside the label and the link


def read(body: bytes, charset: str | None, url: str | None, captured: bool) -> Draft:
    """Read a page; a fetched one (with `url`, not `captured`) must not be a login wall, captcha or error page."""
    page = parse_page(decode(body, charset).replace("\x00", ""))
    if page is None:
        raise EmptyPage(hint="")
    links = links_by_block(page, url)
    large = len(body) > LARGE or sum(1 for _ in page.iter()) > MANY
    document = _extract(page, url, strict=True, fast=large)
    html = _cleaned(document)
    title = _title(document, page)
    if url and not captured:
        refuse_walls(page, title, text_of(html))
    html = _complete(page, url, html, large)
    article = parse_fragment(html)
    restore_links(article, links)
    _drop_repeated_title(article, title)
    _drop_teasers(article)
    html = safe_html(write_fragment(article))
    text = text_of(html)
    refuse_emptiness(text)
    return Draft(
        text=text,
        html=html,
        title=title,
        authors=names_of(document.author) if document else [],
        published_at=date_of(document.date) if document else None,
        site=_site_name(document, title),
        description=one_line(document.description) or None if document else None,
        canonical_url=_canonical(page, url),
        language=page.get("lang") or page.get("xml:lang"),
        identifiers=_identifiers(page),
        links=links_of(html),
    )


def _extract(page: Element, url: str | None, *, strict: bool, fast: bool) -> Document | None:
    """Extract the article: strictly and with all that the page says about it, or less strictly and alone."""
    options = Extractor(
        output_format="html",
        precision=strict,
        fast=fast,
        comments=False,
        formatting=True,
        url=url,
        with_metadata=strict,
        date_params=set_date_params(extensive=not fast),
    )
    found = bare_extraction(page, options=options)
    return found if isinstance(found, Document) else None


def _cleaned(document: Document | None) -> str:
    return clean(safe_html(build_html_output(document))) if document is not None else ""


def _complete(page: Element, url: str | None, html: str, large: bool) -> str:
    """Try again less strictly where the article is a small part of the page; at last take all of its text."""
    length = len(text_of(html))
    if length >= SHORT or length >= SHARE_OF_PAGE * len(shown_text(page)):
        return html
    wider = "" if large else _cleaned(_extract(page, url, strict=False, fast=False))
    if len(text_of(wider)) > MUCH_LONGER * length:
        return wider
    return _whole(page) if large or not html else html


def _whole(page: Element) -> str:
    """Return the whole page but its menus and margins."""
    copied = deepcopy(page)
    for element in list(copied.iter("nav", "footer", "aside")):
        element.drop_tree()
    return clean(safe_html(lxml.html.tostring(copied, encoding="unicode")))


def _title(document: Document | None, page: Element) -> str:
    """Return the title without the name of the site behind it."""
    title = one_line((document.title if document else None) or page.findtext(".//title"), 500).rstrip(" ¶#")
    site = one_line(document.sitename if document else None).lower()
    for heading in page.iter("h1"):
        if (words := words_of(heading).rstrip(" ¶#")) and len(words) > 3 and title.startswith(words):
            return words
    if NO_TITLE.match(title):
        return ""
    parts = TITLE_ENDS.split(title)
    if len(parts) > 1 and site and (site in parts[-1].lower() or parts[-1].lower() in site):
        return title[: -len(parts[-1])].rstrip(" -–—|·•»:")
    return title


def _site_name(document: Document | None, title: str) -> str | None:
    name = one_line(document.sitename, 200) if document else ""
    return name if name and name != title else None


def _canonical(page: Element, url: str | None) -> str | None:
    """Return the address that the page calls its own, if it is on the same site: others would be anyone's claim."""
    claims = page.xpath(".//link[@rel='canonical']/@href") or page.xpath(".//meta[@property='og:url']/@content")
    try:
        claim = urljoin(url or "", claims[0].strip()) if claims else ""
        if urlsplit(claim).username is not None:
            return None
        claim = canonical_url(claim)
        claimed, own = urlsplit(claim), urlsplit(canonical_url(url or claim))
    except ValueError:
        return None
    if claimed.scheme not in ("http", "https") or not claimed.hostname:
        return None
    to_the_front_page = claimed.path in ("", "/") and not claimed.query and own.path not in ("", "/")
    return claim if _site(claimed.hostname) == _site(own.hostname) and not to_the_front_page else None


def _identifiers(page: Element) -> list[str]:
    """Return what the page calls itself by: meta tags of Highwire Press, Dublin Core and PRISM."""
    found: list[str] = []
    for meta in page.iter("meta"):
        kind = OWN.get((meta.get("name") or meta.get("property") or "").strip().lower())
        if kind is not None and (own := own_identifier(kind, meta.get("content") or "")):
            found.append(own)
    return list(dict.fromkeys(found))[:MOST_OWN]


def _site(host: str | None) -> str:
    return re.sub(r"^(?:www|m|mobile|amp)\.", "", host or "")


def _drop_repeated_title(article: Element, title: str) -> None:
    """Remove the title where the text begins with it: it is kept apart."""
    first = next((element for element in article.iter(*BLOCKS) if words_of(element)), None)
    if first is not None and words_of(first).casefold() == title.casefold():
        first.drop_tree()


def _drop_teasers(article: Element) -> None:
    """Remove paragraphs that only point to another article ("Related: ...")."""
    for block in list(article.iter("p", "li", "h2", "h3", "h4")):
        words = words_of(block)
        label = TEASER.match(words)
        if label and len(words) - label.end() - sum(len(words_of(a)) for a in block.iter("a")) < TEASER_REST:
            if any(True for _ in block.iter("a")):
                block.drop_tree()
