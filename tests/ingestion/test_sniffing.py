import pytest

from service.ingestion.sniffing import Kind, sniff
from service.ingestion.unreadable import (
    BrokenDocument,
    EmptyPage,
    ExtractionError,
    MacroDocument,
    PasswordProtected,
    UnsupportedDocument,
)
from tests.ingestion.samples import archive, epub, page, pdf, with_entries, word

PNG = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + bytes(100)
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (page(), Kind.HTML),
        (b"\xef\xbb\xbf  \n<!-- a comment --><!DOCTYPE HTML><title>x</title>", Kind.HTML),
        (b'<?xml version="1.0"?><html xmlns="http://www.w3.org/1999/xhtml"><body/></html>', Kind.HTML),
        (b"<p>a fragment</p>", Kind.HTML),
        (b"<!--" + b"-" * 10_000 + b"--><html>", Kind.HTML),
        (pdf(), Kind.PDF),
        (b"\nbytes before" + pdf(), Kind.PDF),
        (word(), Kind.DOCX),
        (epub(), Kind.EPUB),
        (b"# A heading\n\nand a [link](https://example.com)", Kind.MARKDOWN),
        (b"Plain words, and 3 < 4 > 2.", Kind.TEXT),
        (b"{not json at all", Kind.TEXT),
        ("наука".encode("windows-1251"), Kind.TEXT),
        ("plain".encode("utf-16-le"), Kind.TEXT),
        (b"with a few \x00 zeros in a long enough text that they hardly count at all, " * 3, Kind.TEXT),
    ],
)
def test_the_kind_is_what_the_bytes_are(body: bytes, kind: Kind) -> None:
    assert sniff(body) is kind


@pytest.mark.parametrize("filename", ["paper.docx", "paper.html", "paper.pdf", "paper.png", None])
def test_a_wrong_extension_or_header_changes_nothing(filename: str | None) -> None:
    assert sniff(pdf(), filename, "text/html") is Kind.PDF
    assert sniff(page(), filename, "application/pdf") is Kind.HTML
    assert sniff(word(), filename, "text/plain") is Kind.DOCX


def test_among_texts_the_name_and_the_header_break_the_tie() -> None:
    assert sniff(b"just words", "notes.md") is Kind.MARKDOWN
    assert sniff(b"just words", None, "text/markdown; charset=utf-8") is Kind.MARKDOWN
    assert sniff(b"words first<br>then a tag", None, "text/html") is Kind.HTML
    assert sniff(b"words first<br>then a tag", "notes.txt") is Kind.TEXT


@pytest.mark.parametrize(
    ("body", "error", "sentence"),
    [
        (b"", EmptyPage, "it is empty"),
        (b" \r\n\t", EmptyPage, "it is empty"),
        (b"\xef\xbb\xbf", EmptyPage, "it is empty"),
        (PNG, UnsupportedDocument, "image/png"),
        (b"\xff\xd8\xff\xe0\x00\x10JFIF" + bytes(100), UnsupportedDocument, "image/jpeg"),
        (bytes(range(256)) * 4, UnsupportedDocument, "binary data"),
        (b'{"an": "answer of an API"}', UnsupportedDocument, "JSON"),
        (b'<?xml version="1.0"?><!-- feed --><rss version="2.0"></rss>', UnsupportedDocument, "<rss>"),
        (b"{\\rtf1 text}", UnsupportedDocument, "RTF"),
        (OLE + bytes(500), UnsupportedDocument, "before 2007"),
        (OLE + bytes(500) + "EncryptedPackage".encode("utf-16-le"), PasswordProtected, "protected by a password"),
        (archive({"[Content_Types].xml": "", "xl/workbook.xml": ""}), UnsupportedDocument, "Excel"),
        (archive({"photo.jpg": b"x"}), UnsupportedDocument, "ZIP"),
        (archive({"mimetype": "application/vnd.oasis.opendocument.text"}), UnsupportedDocument, "opendocument"),
        (archive({"a": b"x"})[:30], BrokenDocument, "broken"),
        (with_entries(word(), {"word/vbaProject.bin": b"macro"}), MacroDocument, "contains macros"),
    ],
)
def test_what_cannot_be_read_is_refused_in_a_sentence(body: bytes, error: type[ExtractionError], sentence: str) -> None:
    with pytest.raises(error, match=sentence):
        sniff(body, "paper.pdf", "application/pdf")
