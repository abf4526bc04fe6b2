"""What kind of document some bytes are: decided by what they hold, never by a name or a header alone."""

import io
import re
import zipfile
from enum import Enum
from pathlib import PurePath

import orjson
import puremagic

from service.ingestion.decoding import decode, is_text
from service.ingestion.formats.archives import UNREADABLE
from service.ingestion.unreadable import (
    BrokenDocument,
    EmptyPage,
    MacroDocument,
    PasswordProtected,
    UnsupportedDocument,
)


class Kind(Enum):
    """A kind of document that can be read: its media type, and its name in a sentence."""

    HTML = ("text/html", "page")
    PDF = ("application/pdf", "PDF")
    DOCX = ("application/vnd.openxmlformats-officedocument.wordprocessingml.document", "Word document")
    EPUB = ("application/epub+zip", "EPUB")
    MARKDOWN = ("text/markdown", "Markdown text")
    TEXT = ("text/plain", "text")

    def __init__(self, media_type: str, label: str) -> None:
        self.media_type = media_type
        self.label = label


OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"  # Office before 2007, and encrypted Office documents
HEAD = 16_384  # characters that tell the kind of a text
BLANK = "\ufeff \t\r\n\x00"
HTML_START = re.compile(
    r"<(?:!doctype\s+html|html|head|body|title|meta|link|script|style|main|article|section|header|nav|div|p|h[1-6]|ul|ol"
    r"|table|blockquote|pre|figure|span|a|b|i|em|strong|br|img)\b",
    re.IGNORECASE,
)
HTML_WITHIN = re.compile(r"<html[\s>]", re.IGNORECASE)
HTML_ENDS = re.compile(r"</(?:p|div|a|h[1-6]|li|td|span|em|strong|b|i)>|<br\s*/?>", re.IGNORECASE)
XML_ROOT = re.compile(r"<([\w:.-]+)[\s/>]")
MARKDOWN_SIGNS = re.compile(
    r"^(?:#{1,6} \S.*|```.*|~~~.*|[ \t]*[-*+] \[[ x]\] .*|\|.*\|\s*|={3,}\s*|> .*)$"
    r"|\[[^\]\n]{1,200}\]\([^)\s]{1,500}\)|\*\*[^*\n]{1,200}\*\*|!\[[^\]\n]{0,200}\]\(",
    re.MULTILINE,
)
MARKDOWN_NAMES = frozenset({".md", ".markdown", ".mdown", ".mkd"})
OFFICE = {"xl/": "Excel workbooks (.xlsx)", "ppt/": "PowerPoint presentations (.pptx)"}


def sniff(body: bytes, filename: str | None = None, declared: str | None = None) -> Kind:
    """Tell the kind of a document (raises UnsupportedDocument, EmptyPage, BrokenDocument, MacroDocument).

    Among texts, which may be several kinds at once, the name and the declared type break the tie.
    """
    if not body.strip():
        raise EmptyPage(hint=": it is empty")
    if b"%PDF-" in body[:1024]:  # as readers do: some files have a few bytes before
        return Kind.PDF
    if body.startswith(b"PK\x03\x04"):
        return _sniff_archive(body)
    if body.startswith(OLE):
        if "EncryptedPackage".encode("utf-16-le") in body:
            raise PasswordProtected(kind="Word document")
        raise UnsupportedDocument(what="the Word format from before 2007 (.doc); save it as .docx or PDF")
    if not is_text(body):
        raise UnsupportedDocument(what=_name(body))
    return _sniff_text(body, filename, declared)


def _sniff_archive(body: bytes) -> Kind:
    try:
        with zipfile.ZipFile(io.BytesIO(body)) as archive:
            names = archive.namelist()
            mimetype = archive.open("mimetype").read(100).strip() if "mimetype" in names else b""
    except UNREADABLE as error:
        raise BrokenDocument(kind="archive", reason=str(error)) from error
    if mimetype == b"application/epub+zip" or "META-INF/container.xml" in names:
        return Kind.EPUB
    if any(name.lower().endswith("vbaproject.bin") for name in names):
        raise MacroDocument
    if "[Content_Types].xml" in names:
        if any(name.startswith("word/") for name in names):
            return Kind.DOCX
        for folder, what in OFFICE.items():
            if any(name.startswith(folder) for name in names):
                raise UnsupportedDocument(what=what)
    what = mimetype.decode("ascii", "replace") if mimetype else "ZIP archives; add the files in it one by one"
    raise UnsupportedDocument(what=what)


def _name(body: bytes) -> str:
    try:
        best = puremagic.magic_string(body[:65536])[0]
    except (puremagic.PureError, ValueError, IndexError):
        return "this kind of binary data"
    return f"this kind of data ({best.name}{', ' + best.mime_type if best.mime_type else ''})"


def _sniff_text(body: bytes, filename: str | None, declared: str | None) -> Kind:
    head = decode(body[: HEAD * 4]).lstrip(BLANK)
    if not head and not decode(body).strip(BLANK):
        raise EmptyPage(hint=": it is empty")
    says_html = (declared or "").partition(";")[0].strip().lower() in ("text/html", "application/xhtml+xml")
    if head.startswith("<?xml") and not HTML_WITHIN.search(head):
        root = XML_ROOT.search(_without_comments(head.partition("?>")[2].lstrip(BLANK)))
        raise UnsupportedDocument(what=f"this XML data (<{root.group(1)}>)" if root else "this XML data")
    if HTML_START.match(_without_comments(head)) or HTML_WITHIN.search(head) or (says_html and HTML_ENDS.search(head)):
        return Kind.HTML
    if head.startswith("{\\rtf"):
        raise UnsupportedDocument(what="RTF; save it as .docx or PDF")
    if head.startswith(("%!PS", "<svg", "<rss", "<feed")) or _is_json(body, head):
        raise UnsupportedDocument(what="this kind of data (JSON)" if head[0] in "{[" else _name(body))
    named = PurePath(filename or "").suffix.lower() in MARKDOWN_NAMES
    says_markdown = (declared or "").lower().startswith(("text/markdown", "text/x-markdown"))
    if named or says_markdown or len(MARKDOWN_SIGNS.findall(head)) >= 2:
        return Kind.MARKDOWN
    return Kind.TEXT


def _without_comments(head: str) -> str:
    while head.startswith("<!--") and (end := head.find("-->")) > 0:
        head = head[end + 3 :].lstrip(BLANK)
    return head


def _is_json(body: bytes, head: str) -> bool:
    if not head.startswith(("{", "[")):
        return False
    try:
        orjson.loads(body)
    except orjson.JSONDecodeError:
        return False
    return True
