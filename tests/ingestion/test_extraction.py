import io
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from hashlib import sha256

import pytest
from pypdf import PdfReader, PdfWriter

from service.ingestion.extraction import Citation, extract
from service.ingestion.unreadable import (
    BrokenDocument,
    DocumentTooLarge,
    EmptyPage,
    ErrorPage,
    ExtractionError,
    LoginWall,
    MacroDocument,
    NoTextLayer,
    OutOfMemory,
    PasswordProtected,
    UnsupportedDocument,
)
from service.security.addresses import Allowlist
from service.security.egress import Egress, HttpRefused
from service.settings import settings
from tests.ingestion.samples import (
    ARTICLE,
    SENTENCE,
    archive,
    encrypted_pdf,
    epub,
    page,
    pdf,
    scanned_pdf,
    with_entries,
    word,
)
from tests.origin import Origin, Page

# Documents that are read


async def test_a_page() -> None:
    url = "https://news.example/lighthouse"
    extracted = await extract(page(), url=url, declared_type="text/html; charset=utf-8")
    assert (extracted.media_type, extracted.type, extracted.language) == ("text/html", "webpage", "en")
    assert (extracted.title, extracted.canonical_url) == ("The Lighthouse", None)
    assert extracted.text.startswith(SENTENCE.strip())
    assert extracted.html.startswith("<p>The lighthouse")
    assert extracted.word_count == len(extracted.text.split())
    assert extracted.content_hash == sha256(extracted.text.encode()).hexdigest()
    assert len(extracted.signature) == 4


async def test_a_pdf() -> None:
    paragraphs = [SENTENCE * 4, "It is described in doi:10.1000/182.", "References", "[1] Strabo. Geography. 1917."]
    extracted = await extract(pdf(paragraphs, "On Light", "Ada Lovelace; Charles Babbage"), filename="a.pdf")
    assert (extracted.media_type, extracted.type, extracted.title) == ("application/pdf", "document", "On Light")
    assert extracted.authors == ["Ada Lovelace", "Charles Babbage"]
    assert extracted.text.split("\n")[:2] == [(SENTENCE * 4).strip(), "It is described in doi:10.1000/182."]
    assert extracted.citations == [
        Citation("doi", "10.1000/182", "10.1000/182"),
        Citation("reference", "Strabo. Geography. 1917.", "Strabo. Geography. 1917."),
    ]
    assert extracted.published_at is not None
    assert abs((datetime.now(UTC) - extracted.published_at).total_seconds()) < 86_400


async def test_the_title_of_a_pdf_is_its_largest_line_when_its_properties_tell_none() -> None:
    extracted = await extract(
        pdf([SENTENCE * 3], "untitled", headline="A Light for Ships that Lasted Sixteen Hundred Years")
    )
    assert extracted.title == "A Light for Ships that Lasted Sixteen Hundred Years"


async def test_a_word_document() -> None:
    extracted = await extract(word(), filename="wrong.pdf", declared_type="application/pdf")
    assert extracted.media_type == "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
    assert (extracted.title, extracted.authors) == ("On Lighthouses", ["Sostratus of Cnidus"])
    assert extracted.text == f"On Lighthouses\n{SENTENCE.strip()}\nFirst point\nheight\t103 metres"
    assert "<h1>On Lighthouses</h1>" in extracted.html


async def test_an_epub() -> None:
    extracted = await extract(epub())
    assert (extracted.type, extracted.title, extracted.authors) == ("book", "The Pharos", ["Sostratus of Cnidus"])
    assert (extracted.site, extracted.language) == ("Harbour Press", "en")
    assert extracted.published_at == datetime(1999, 5, 1, tzinfo=UTC)
    assert extracted.text == f"One\n{SENTENCE.strip()}\nTwo\nIt fell in three earthquakes."
    assert "evil" not in extracted.html


async def test_markdown() -> None:
    source = (
        "---\ntitle: On Light\nauthor: Ada Lovelace\ndate: 2019-11-20\n---\n# Heading\n\n"
        "Some *words* and a [link](https://example.com/a).\n\n- item\n\n<script>alert(1)</script>\n"
    )
    extracted = await extract(source.encode(), filename="note.md")
    assert (extracted.media_type, extracted.title, extracted.authors) == ("text/markdown", "On Light", ["Ada Lovelace"])
    assert extracted.published_at == datetime(2019, 11, 20, tzinfo=UTC)
    assert extracted.text == "Heading\nSome words and a link.\nitem"
    assert extracted.citations == [Citation("url", "https://example.com/a", "link")]
    assert "script" not in extracted.html


async def test_plain_text() -> None:
    extracted = await extract(f"A short first line\n\n{SENTENCE * 3}".encode(), filename="note.txt")
    assert (extracted.media_type, extracted.title) == ("text/plain", "A short first line")
    assert extracted.html.count("<p>") == 2


async def test_a_declared_charset_is_used() -> None:
    body = page(f"<p>{'Zimní slunce vychází pozdě. ' * 20}</p>").decode().encode("iso-8859-2")
    extracted = await extract(body, declared_type="text/html; charset=iso-8859-2")
    assert "Zimní slunce vychází pozdě." in extracted.text
    assert extracted.language == "cs"


# Documents that are refused


@pytest.mark.parametrize(
    ("body", "error", "sentence"),
    [
        (b"", EmptyPage, "This page has no text to keep: it is empty."),
        (page("<p> </p>"), EmptyPage, "This page has no text to keep."),
        (
            scanned_pdf(),
            NoTextLayer,
            "This PDF has no text layer (it is probably a scan). Pharos has no OCR.",
        ),
        (
            encrypted_pdf("secret"),
            PasswordProtected,
            "The PDF is protected by a password. Save it without the password, then add it again.",
        ),
        (
            with_entries(word(), {"word/vbaProject.bin": b"x"}),
            MacroDocument,
            "The Word document contains macros. Save it as .docx without macros, then add it again.",
        ),
        (b"%PDF-1.7\nnothing of a PDF follows", BrokenDocument, "The PDF is broken: "),
        (pdf()[:400], BrokenDocument, "The PDF is broken: "),
        (word()[:-100], BrokenDocument, "The archive is broken: "),
        (with_entries(word(), {"word/document.xml": b"<broken"}), BrokenDocument, "The Word document is broken: "),
        (epub(**{"OEBPS/book.opf": "<package/>"}), BrokenDocument, "The EPUB is broken: its spine names no pages."),
        (epub(**{"META-INF/container.xml": "not xml"}), BrokenDocument, "The EPUB is broken: "),
        (
            epub(
                **{
                    "META-INF/encryption.xml": '<encryption><CipherReference URI="OEBPS/two.xhtml"/></encryption>',
                }
            ),
            PasswordProtected,
            "The EPUB is protected against copying (DRM).",
        ),
        (
            b"\x89PNG\r\n\x1a\n" + bytes(500),
            UnsupportedDocument,
            "Pharos cannot read this kind of data (Portable Network",
        ),
    ],
)
async def test_what_cannot_be_read_is_refused_in_a_sentence(
    body: bytes, error: type[ExtractionError], sentence: str
) -> None:
    with pytest.raises(error) as raised:
        await extract(body)
    assert type(raised.value) is error
    assert raised.value.detail.startswith(sentence)
    assert not raised.value.transient


async def test_an_owner_password_alone_does_not_matter() -> None:
    writer = PdfWriter(PdfReader(io.BytesIO(pdf())))
    writer.encrypt(user_password="", owner_password="secret", algorithm="RC4-128")
    target = io.BytesIO()
    writer.write(target)
    assert SENTENCE.strip() in (await extract(target.getvalue())).text


BOMB = bytes(50_000_000)


@pytest.mark.parametrize(
    "body",
    [
        with_entries(word(), {"word/media/image.bmp": BOMB}),
        with_entries(word(), {"word/document.xml": BOMB}),
        epub(**{"OEBPS/two.xhtml": BOMB}),
        epub(**{f"OEBPS/{number}.txt": "x" for number in range(10_001)}),
    ],
)
async def test_a_zip_bomb_is_refused_before_it_is_unpacked(body: bytes) -> None:
    started = time.monotonic()
    with pytest.raises(DocumentTooLarge, match="is too large: it"):
        await extract(body)
    assert time.monotonic() - started < 10


async def test_an_archive_in_place_of_a_page_is_no_page() -> None:
    with pytest.raises(BrokenDocument, match=r"two\.xhtml holds something other than text"):
        await extract(epub(**{"OEBPS/two.xhtml": archive({"inner.zip": archive({"zeros": bytes(10_000_000)})})}))


async def test_entities_of_xml_are_not_expanded() -> None:
    opf = '<!DOCTYPE p [<!ENTITY secret SYSTEM "file:///etc/hostname">]><package>&secret;</package>'
    with pytest.raises(BrokenDocument, match="spine"):
        await extract(epub(**{"OEBPS/book.opf": opf}))


async def test_a_document_that_needs_too_much_memory_fails_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    from service.ingestion import sandbox as module

    small = module.Sandbox(most=2, memory=40 << 20, seconds=30)
    with monkeypatch.context() as patch:
        patch.setattr(module, "_current", small)
        patch.setenv("PHAROS_PARSER_MEMORY_MB", "256")
        settings.cache_clear()
        with pytest.raises(OutOfMemory, match="The page needed more than 256 MB of memory to read"):
            await extract(page(ARTICLE * 4000))
        assert (await extract(page())).title == "The Lighthouse"
        await small.close()
    settings.cache_clear()


# Text that hurts


async def test_null_bytes_and_control_characters_never_come_through() -> None:
    body = page(f"<p>{SENTENCE}</p><p>zero\x00byte &#0; and bell\x07 &#x1; and surrogate &#xD800; too</p>")
    for extracted in (await extract(body), await extract(f"{SENTENCE * 9}zero\x00byte".encode())):
        assert "\x00" not in extracted.text + extracted.html + extracted.title
        assert (extracted.text + extracted.html).encode("utf-8")
        assert "zerobyte" in extracted.text


async def test_broken_utf8_keeps_what_can_be_read() -> None:
    body = page(f"<p>{'Größe und Maß. ' * 30}</p>").replace("Maß".encode(), b"Ma\xc3", 1)
    extracted = await extract(body, declared_type="text/html; charset=utf-8")
    assert extracted.text.count("Größe") == 30
    assert extracted.text.count("Maß") == 29


@pytest.mark.parametrize("kind", ["text", "page"])
async def test_ten_megabytes_on_one_line(kind: str) -> None:
    line = SENTENCE * (10_000_000 // len(SENTENCE))
    started = time.monotonic()
    extracted = await extract(line.encode() if kind == "text" else page(f"<p>{line}</p>"))
    assert time.monotonic() - started < 60
    assert extracted.word_count == len(line.split())
    assert extracted.language == "en"


async def test_a_text_of_more_than_twenty_million_characters_is_refused() -> None:
    with pytest.raises(DocumentTooLarge, match="the limit is 20,000,000"):
        await extract(b"words " * 3_500_000)


async def test_ten_thousand_paragraphs_of_nothing_but_links() -> None:
    links = "".join(
        f'<p><a href="https://example.com/{number}">Word number {number}</a></p>' for number in range(10_000)
    )
    extracted = await extract(page(f"<article>{ARTICLE}{links}</article>"))
    assert extracted.text


# From a real server


@pytest.fixture
async def origin() -> AsyncIterator[Origin]:
    async with Origin() as server:
        yield server


async def fetched(origin: Origin, path: str) -> str:
    """Fetch and read as an ingestion does; return the title."""
    async with Egress(allow=Allowlist.parse([origin.address])) as egress:
        answer = await egress.fetch(origin.url(path))
    return (await extract(answer.body, url=answer.url, declared_type=answer.content_type)).title


async def test_a_page_a_pdf_and_a_wrong_content_type_are_read_as_what_they_are(origin: Origin) -> None:
    origin.pages |= {
        "/page": Page(page(), content_type="application/pdf"),
        "/paper": Page(pdf([SENTENCE * 3], "A Paper"), content_type="text/html"),
        "/latin": Page(page(ARTICLE, "<title>Café</title>").decode().encode("latin-1"), content_type="text/html"),
    }
    assert [await fetched(origin, path) for path in origin.pages] == ["The Lighthouse", "A Paper", "Café"]


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (Page(b"gone", 404), HttpRefused),
        (Page(b"no", 403), HttpRefused),
        (Page(page("<p>Please log in to continue</p><input type=password>")), LoginWall),
        (Page(page("<p>Sorry</p>", "<title>404 Not Found</title>")), ErrorPage),
        (Page(b""), EmptyPage),
        (Page(b"\x89PNG\r\n\x1a\n" + bytes(99), content_type="text/html"), UnsupportedDocument),
        (Page(b'{"json": true}', content_type="application/json"), UnsupportedDocument),
        (Page(archive({"bomb": BOMB}), content_type="text/html"), UnsupportedDocument),
        (Page(encrypted_pdf("x")), PasswordProtected),
    ],
)
async def test_what_a_server_sends_instead_is_never_the_document(
    origin: Origin, answer: Page, error: type[Exception]
) -> None:
    origin.pages |= {"/bad": answer, "/good": Page(page())}
    with pytest.raises(error):
        await fetched(origin, "/bad")
    assert await fetched(origin, "/good") == "The Lighthouse"


def test_every_refusal_has_a_readable_sentence() -> None:
    context = dict.fromkeys(["kind", "reason", "what", "measure", "limit", "hint", "title", "seconds", "signal"], "x")
    tree: list[type[ExtractionError]] = [ExtractionError]
    for error in tree:
        tree += error.__subclasses__()
    assert len(tree) >= 15
    assert all(error(**context).detail.endswith(".") and "{" not in error(**context).detail for error in tree)
