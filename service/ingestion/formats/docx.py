"""Word documents."""

import io
import re
from xml.parsers.expat import ExpatError

import mammoth

from service.ingestion.decoding import clean
from service.ingestion.formats.archives import UNREADABLE, Archive, dublin_core
from service.ingestion.formats.dates import date_of
from service.ingestion.formats.draft import Draft
from service.ingestion.formats.links import links_of
from service.ingestion.formats.names import names_of
from service.ingestion.formats.plain import title_of
from service.ingestion.formats.reading_view import safe_html, text_of
from service.ingestion.unreadable import BrokenDocument

PROPERTIES = "docProps/core.xml"
CREATED = "{http://purl.org/dc/terms/}created"
HEADING = re.compile(r"<h[1-2]>(.*?)</h[1-2]>", re.DOTALL)


def read(body: bytes) -> Draft:
    """Read a DOCX: paragraphs, headings, lists, tables, footnotes; pictures are left out."""
    archive = Archive(body, "Word document")
    try:
        converted: str = mammoth.convert_to_html(io.BytesIO(body), convert_image=_without_images).value
    except (*UNREADABLE, LookupError, AttributeError, TypeError, ExpatError) as error:
        raise BrokenDocument(kind="Word document", reason=f"{type(error).__name__}: {error}"[:200]) from error
    html = safe_html(clean(converted))
    draft = Draft(text=text_of(html), html=html, links=links_of(html))
    if PROPERTIES in archive.names:
        properties = archive.xml(PROPERTIES)
        draft.title = next(iter(dublin_core(properties, "title")), "")
        draft.authors = names_of("; ".join(dublin_core(properties, "creator")))
        draft.description = next(iter(dublin_core(properties, "description")), None)
        draft.published_at = date_of(properties.findtext(CREATED))
    if not draft.title:
        heading = HEADING.search(html)
        draft.title = text_of(heading.group(1)) if heading else title_of(draft.text)
    return draft


def _without_images(_: object) -> list[object]:
    return []
