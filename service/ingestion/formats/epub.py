"""E-books: XHTML pages in a zip archive, in the order of the spine (EPUB 2 and 3)."""

import posixpath
from urllib.parse import unquote

from service.ingestion.decoding import clean, decode, is_text
from service.ingestion.formats.archives import Archive, dublin_core
from service.ingestion.formats.dates import date_of
from service.ingestion.formats.draft import Draft
from service.ingestion.formats.links import links_of
from service.ingestion.formats.names import names_of
from service.ingestion.formats.plain import title_of
from service.ingestion.formats.reading_view import safe_html, text_of
from service.ingestion.unreadable import BrokenDocument, PasswordProtected

CONTAINER = "META-INF/container.xml"
ENCRYPTION = "META-INF/encryption.xml"
OPF = "{http://www.idpf.org/2007/opf}"
PAGES = frozenset({"application/xhtml+xml", "text/html"})


def read(body: bytes) -> Draft:
    """Read an EPUB (raises PasswordProtected for one with digital rights management)."""
    archive = Archive(body, "EPUB")
    rootfile = next(archive.xml(CONTAINER).iter("{*}rootfile"), None)
    opf_name = rootfile.get("full-path", "") if rootfile is not None else ""
    opf = archive.xml(opf_name)
    folder = posixpath.dirname(opf_name)
    pages = {
        item.get("id", ""): posixpath.normpath(posixpath.join(folder, unquote(item.get("href", ""))))
        for item in opf.iter(f"{OPF}item")
        if item.get("media-type") in PAGES
    }
    order = [pages[name] for item in opf.iter(f"{OPF}itemref") if (name := item.get("idref", "")) in pages]
    if not order:
        raise BrokenDocument(kind="EPUB", reason="its spine names no pages")
    _refuse_protection(archive, order)
    chapters = [safe_html(clean(decode(_page(archive, name)))) for name in order if name in archive.names]
    html = "\n".join(chapter for chapter in chapters if chapter)
    text = "\n".join(filter(None, map(text_of, chapters)))
    return Draft(
        text=text,
        html=html,
        title=next(iter(dublin_core(opf, "title")), "") or title_of(text),
        authors=names_of("; ".join(dublin_core(opf, "creator"))),
        published_at=date_of(next(iter(dublin_core(opf, "date")), None)),
        description=text_of(safe_html(next(iter(dublin_core(opf, "description")), ""))) or None,
        site=next(iter(dublin_core(opf, "publisher")), None),
        language=next(iter(dublin_core(opf, "language")), None),
        links=links_of(html),
    )


def _page(archive: Archive, name: str) -> bytes:
    body = archive.read(name)
    if not is_text(body):
        raise BrokenDocument(kind="EPUB", reason=f"its page {name} holds something other than text")
    return body


def _refuse_protection(archive: Archive, order: list[str]) -> None:
    """Refuse an EPUB whose pages are encrypted; encrypted fonts alone do not matter."""
    if ENCRYPTION not in archive.names:
        return
    encrypted = {unquote(found.get("URI", "")) for found in archive.xml(ENCRYPTION).iter("{*}CipherReference")}
    if encrypted & set(order):
        raise PasswordProtected("The EPUB is protected against copying (DRM). Add a copy without protection.")
