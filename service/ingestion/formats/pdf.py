"""PDF: the text layer by PDFium, by pypdf where PDFium cannot open the file."""

import io
import re
from collections.abc import Iterator

import pypdfium2
import pypdfium2.raw

from service.ingestion.decoding import clean, one_line
from service.ingestion.formats.dates import date_of
from service.ingestion.formats.draft import Draft
from service.ingestion.formats.names import names_of
from service.ingestion.formats.paragraphs import paragraphs
from service.ingestion.formats.plain import title_of
from service.ingestion.formats.reading_view import html_of
from service.ingestion.unreadable import BrokenDocument, DocumentTooLarge, NoTextLayer, PasswordProtected

MOST_PAGES = 5000
LEAST_TEXT = 20  # letters and digits in the whole document
TITLE_WITHIN = 3000  # characters of the first page
LONGEST_TITLE = 300
NO_TITLE = re.compile(
    r"^(?:untitled.*|microsoft word\b.*|.*\.(?:docx?|pdf|tex|dvi|ps|eps|indd|qxd|rtf|odt|pptx?|html?)|title|document\d*"
    r"|paper\d*|slide \d+|powerpoint presentation|arxiv:.*|[\W\d_]*)$",
    re.IGNORECASE,
)


def read(body: bytes) -> Draft:
    """Read the text layer of a PDF (raises PasswordProtected, NoTextLayer, BrokenDocument)."""
    try:
        document = pypdfium2.PdfDocument(body)
    except pypdfium2.PdfiumError as error:
        if error.err_code == pypdfium2.raw.FPDF_ERR_PASSWORD:
            raise PasswordProtected(kind="PDF") from error
        pages, about, headline = _by_pypdf(body)
    else:
        _refuse_length(len(document))
        pages = [_text_of(document[number]) for number in range(len(document))]
        about = {name.lower(): value for name, value in document.get_metadata_dict().items()}
        headline = _headline(document)
    text = clean("\n".join(paragraphs(pages)))
    if sum(map(str.isalnum, text[:10_000])) < LEAST_TEXT:
        raise NoTextLayer
    title = one_line(about.get("title"), LONGEST_TITLE)
    if len(title) < 4 or NO_TITLE.match(title):
        title = headline or title_of(text)
    return Draft(
        text=text,
        html=html_of(text),
        title=title,
        authors=names_of(about.get("author")),
        published_at=date_of(about.get("creationdate")),
        description=one_line(about.get("subject")) or None,
        pages=len(pages),
    )


def _refuse_length(count: int) -> None:
    if count > MOST_PAGES:
        raise DocumentTooLarge(kind="PDF", measure=f"has {count} pages", limit=MOST_PAGES)
    if not count:
        raise BrokenDocument(kind="PDF", reason="it has no pages")


def _text_of(page: pypdfium2.PdfPage) -> str:
    text = page.get_textpage()
    try:
        return text.get_text_bounded()
    finally:
        text.close()
        page.close()


def _headline(document: pypdfium2.PdfDocument) -> str:
    """Return what the first page sets in its largest type, which nearly always is the title."""
    text = document[0].get_textpage()
    letters = [
        (round(pypdfium2.raw.FPDFText_GetFontSize(text, index), 1), chr(pypdfium2.raw.FPDFText_GetUnicode(text, index)))
        for index in range(min(text.count_chars(), TITLE_WITHIN))
    ]
    sizes = {size for size, letter in letters if not letter.isspace()}
    for size in sorted(sizes, reverse=True)[:3]:
        title = one_line("".join(_of_size(letters, size)), LONGEST_TITLE + 1)
        if len(sizes) > 1 and 4 < len(title) <= LONGEST_TITLE and not NO_TITLE.match(title):
            return title
    return ""


def _of_size(letters: list[tuple[float, str]], size: float) -> Iterator[str]:
    """Yield the letters of one size up to where the text goes on in another; blanks may have any size."""
    begun = False
    for its_size, letter in letters:
        if its_size == size or (begun and letter.isspace()):
            begun = begun or not letter.isspace()
            yield letter
        elif begun:
            return


def _by_pypdf(body: bytes) -> tuple[list[str], dict[str, str], str]:
    import pypdf  # 8 MB that every parser process would carry
    from pypdf.errors import PyPdfError

    try:
        reader = pypdf.PdfReader(io.BytesIO(body))
        if reader.is_encrypted and not reader.decrypt(""):
            raise PasswordProtected(kind="PDF")
        _refuse_length(len(reader.pages))
        pages = [page.extract_text() for page in reader.pages]
        about = {name.lstrip("/").lower(): str(value) for name, value in (reader.metadata or {}).items()}
    except (PyPdfError, ValueError, KeyError, TypeError, AttributeError, OSError) as error:
        raise BrokenDocument(kind="PDF", reason=one_line(str(error), 200) or "its structure cannot be read") from error
    return pages, about, ""
