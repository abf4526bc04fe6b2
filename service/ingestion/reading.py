"""The work of a parser process: from bytes to everything that is known about a document. No I/O, no settings.

Loads every parser, so only `zygote.py` imports it.
"""

import hashlib
from collections.abc import Callable
from typing import Any

import orjson

from service.errors import PharosError
from service.ingestion.decoding import charset_of, clean, one_line
from service.ingestion.extracted import DocumentType, Extracted, Source
from service.ingestion.formats import docx, epub, html, markdown, pdf, plain
from service.ingestion.formats.draft import Draft
from service.ingestion.formats.walls import refuse_emptiness
from service.ingestion.identifiers import citations_of
from service.ingestion.language import identifier, language_of
from service.ingestion.near_duplicates import signature
from service.ingestion.sniffing import Kind, sniff
from service.ingestion.unreadable import BrokenDocument, DocumentTooLarge, ExtractionError

LONGEST_TEXT = 20_000_000  # characters
LONGEST_DESCRIPTION = 2000
TYPES: dict[Kind, DocumentType] = {Kind.HTML: "webpage", Kind.EPUB: "book"}


def answer(description: bytes, body: bytes, write: Callable[[bytes], None]) -> None:
    """Read a document and write the name of its kind, a line feed, and the result or the refusal as JSON."""
    label = "document"
    try:
        source = Source(**orjson.loads(description))
        kind = sniff(body, source.filename, source.declared_type)
        label = kind.label
        write(f"{label}\n".encode())
        outcome: Extracted | dict[str, Any] = read(body, kind, source)
    except MemoryError:
        raise
    except Exception as error:
        refusal = _refusal(label, error)
        outcome = {"error": type(refusal).__name__, "detail": refusal.detail}
        if label == "document":
            write(b"document\n")
    write(orjson.dumps(outcome, option=orjson.OPT_PASSTHROUGH_SUBCLASS))


def read(body: bytes, kind: Kind, source: Source) -> Extracted:
    """Read a document of a known kind (raises ExtractionError)."""
    draft = _draft(body, kind, source)
    if len(draft.text) > LONGEST_TEXT:
        measure = f"holds {len(draft.text):,} characters of text"
        raise DocumentTooLarge(kind=kind.label, measure=measure, limit=f"{LONGEST_TEXT:,}")
    refuse_emptiness(draft.text)
    text = clean(draft.text)
    return Extracted(
        media_type=kind.media_type,
        type=TYPES.get(kind, "document"),
        title=one_line(draft.title, 500),
        authors=[one_line(name, 200) for name in draft.authors[:200]],
        published_at=draft.published_at,
        language=language_of(text) or _two_letters(draft.language),
        site=one_line(draft.site, 200) or None,
        description=one_line(draft.description, LONGEST_DESCRIPTION) or None,
        canonical_url=draft.canonical_url,
        text=text,
        html=clean(draft.html),
        word_count=len(text.split()),
        pages=draft.pages,
        content_hash=hashlib.sha256(text.encode()).hexdigest(),
        signature=list(signature(text) or ()),
        identifiers=draft.identifiers,
        citations=citations_of(text, [(link.url, link.text) for link in draft.links]),
    )


def warm_up() -> None:
    """Load what is otherwise loaded by the first document."""
    identifier()


def _draft(body: bytes, kind: Kind, source: Source) -> Draft:
    charset = charset_of(source.declared_type)
    match kind:
        case Kind.HTML:
            return html.read(body, charset, source.url, source.captured)
        case Kind.PDF:
            return pdf.read(body)
        case Kind.DOCX:
            return docx.read(body)
        case Kind.EPUB:
            return epub.read(body)
        case Kind.MARKDOWN:
            return markdown.read(body, charset)
        case Kind.TEXT:
            return plain.read(body, charset)


def _refusal(label: str, error: Exception) -> ExtractionError:
    """Say in a sentence why a document could not be read, also where its parser did not expect it."""
    match error:
        case ExtractionError():
            return error
        case RecursionError():
            return BrokenDocument(kind=label, reason="it is nested too deeply")
        case PharosError():
            return ExtractionError(error.detail)
        case _:
            return ExtractionError(kind=label, reason=one_line(f"{type(error).__name__}: {error}", 300))


def _two_letters(language: str | None) -> str | None:
    """Return the ISO 639-1 part of a language tag such as `en-US`."""
    code = (language or "").replace("_", "-").partition("-")[0].strip().lower()
    return code if len(code) == 2 and code.isascii() and code.isalpha() else None
