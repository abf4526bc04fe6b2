"""The page that brings libraries in and takes them out."""

from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response

from service.database import reading
from service.imports import actions
from service.imports.detection import FORMATS
from service.live.hub import newest
from service.ui.pages import render
from service.web import Shape, account, query

PAGE = 10
ERRORS = 5  # of an import that the page shows; the file has all
LABELS = {
    "netscape": "Bookmarks (HTML)", "pocket_csv": "Pocket (CSV)", "pocket_html": "Pocket (HTML)",
    "wallabag": "wallabag (JSON)", "linkwarden": "Linkwarden (JSON)", "karakeep": "karakeep (JSON)",
    "zotero_rdf": "Zotero RDF", "csl": "CSL-JSON", "bibtex": "BibTeX", "ris": "RIS", "opml": "OPML",
    "json": "Pharos (JSON)",
}  # fmt: skip
EXPORTS = (
    "json", "text", "markdown", "csv", "netscape", "opml", "pocket_csv", "wallabag", "linkwarden", "karakeep",
    "zotero_rdf", "bibtex", "ris", "csl",
)  # fmt: skip


class Asked(Shape):
    """Which part of the list."""

    page: int = Field(1, ge=1, le=40_000)


async def imports_page(request: Request) -> Response:
    """Show how far imports are, take another file, and offer the library as a file."""
    asked, who = query(request, Asked), account(request)
    position = await newest()  # before the list is read: what happens after it is told by the stream
    async with reading() as session:
        total, rows = await actions.browse(session, who, PAGE, (asked.page - 1) * PAGE)
        counts = await actions.counts(session, [row.id for row in rows])
        errors = {row.id: await actions.errors(session, row.id, ERRORS) for row in rows if counts[row.id].failed}
    return render(
        request,
        "imports.html",
        items=[(row, counts[row.id], errors.get(row.id, ())) for row in rows],
        formats=[(one, LABELS[one]) for one in FORMATS],
        labels=LABELS,
        exports=[
            (one, "/export?format=json&text=true" if one == "text" else f"/export?format={one}") for one in EXPORTS
        ],
        page=asked.page,
        more=total > asked.page * PAGE,
        position=position,
    )
