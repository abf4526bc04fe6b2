"""Real files of every format, made for the tests."""

import io
import zipfile
from collections.abc import Mapping, Sequence

import docx
from pypdf import PdfReader, PdfWriter
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import getSampleStyleSheet
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import Paragraph, SimpleDocTemplate

SENTENCE = "The lighthouse of Alexandria guided ships into the harbour for sixteen hundred years. "
ARTICLE = "".join(f"<p>{SENTENCE}Paragraph {number} tells how its light was kept burning.</p>" for number in range(12))


def page(body: str = ARTICLE, head: str = "<title>The Lighthouse</title>") -> bytes:
    return f"<!doctype html><html lang=en><head>{head}</head><body>{body}</body></html>".encode()


def pdf(paragraphs: Sequence[str] = (SENTENCE * 5,), title: str = "", author: str = "", headline: str = "") -> bytes:
    target = io.BytesIO()
    styles = getSampleStyleSheet()
    document = SimpleDocTemplate(target, pagesize=A4, title=title or None, author=author or None)
    story = [Paragraph(headline, styles["Title"])] if headline else []
    document.build([*story, *(Paragraph(text, styles["BodyText"]) for text in paragraphs)])
    return target.getvalue()


def scanned_pdf() -> bytes:
    target = io.BytesIO()
    canvas = Canvas(target)
    canvas.rect(100, 100, 200, 200, fill=1)
    canvas.showPage()
    canvas.save()
    return target.getvalue()


def encrypted_pdf(password: str) -> bytes:
    writer = PdfWriter(PdfReader(io.BytesIO(pdf())))
    writer.encrypt(password, algorithm="RC4-128")
    target = io.BytesIO()
    writer.write(target)
    return target.getvalue()


def word() -> bytes:
    document = docx.Document()
    document.core_properties.title = "On Lighthouses"
    document.core_properties.author = "Sostratus of Cnidus"
    document.add_heading("On Lighthouses", 1)
    document.add_paragraph(SENTENCE)
    document.add_paragraph("First point", style="List Bullet")
    table = document.add_table(1, 2)
    table.cell(0, 0).text, table.cell(0, 1).text = "height", "103 metres"
    target = io.BytesIO()
    document.save(target)
    return target.getvalue()


def archive(entries: Mapping[str, bytes | str]) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in entries.items():
            file.writestr(name, content)
    return target.getvalue()


def with_entries(document: bytes, entries: Mapping[str, bytes | str]) -> bytes:
    with zipfile.ZipFile(io.BytesIO(document)) as file:
        kept = {name: file.read(name) for name in file.namelist()}
    return archive({**kept, **entries})


CONTAINER = (
    '<container xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles>'
    '<rootfile full-path="OEBPS/book.opf"/></rootfiles></container>'
)
OPF = """<package xmlns="http://www.idpf.org/2007/opf" xmlns:dc="http://purl.org/dc/elements/1.1/"><metadata>
<dc:title>The Pharos</dc:title><dc:creator>Sostratus of Cnidus</dc:creator><dc:language>en</dc:language>
<dc:date>1999-05-01</dc:date><dc:publisher>Harbour Press</dc:publisher></metadata>
<manifest><item id="two" href="two.xhtml" media-type="application/xhtml+xml"/>
<item id="one" href="chapter%201.xhtml" media-type="application/xhtml+xml"/>
<item id="style" href="style.css" media-type="text/css"/></manifest>
<spine><itemref idref="one"/><itemref idref="two"/><itemref idref="missing"/></spine></package>"""


def epub(**more: bytes | str) -> bytes:
    chapter = '<?xml version="1.0" encoding="utf-8"?><html xmlns="http://www.w3.org/1999/xhtml"><body>{}</body></html>'
    entries: dict[str, bytes | str] = {
        "mimetype": "application/epub+zip",
        "META-INF/container.xml": CONTAINER,
        "OEBPS/book.opf": OPF,
        "OEBPS/chapter 1.xhtml": chapter.format(f"<h1>One</h1><p>{SENTENCE}</p><script>evil()</script>"),
        "OEBPS/two.xhtml": chapter.format("<h1>Two</h1><p>It fell in three earthquakes.</p>"),
    }
    return archive(entries | more)
