"""HTTP for exports."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from typing import Annotated, Any, Literal, Protocol
from uuid import UUID

import orjson
from pydantic import BeforeValidator, Field
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from service.database import transaction
from service.exports.actions import FIELDS, chosen, exported
from service.exports.formats import bibtex, markdown, outlines, readers, ris, zotero
from service.exports.record import Record, as_csl
from service.exports.spreadsheet import line
from service.web import Shape, account, query, route

Pages = AsyncIterator[list[Record]]


def _listed(value: object) -> object:
    return [value] if isinstance(value, str) else value


Format = Literal[
    "json", "csv", "csl", "bibtex", "ris", "netscape", "opml", "markdown", "pocket_csv", "wallabag", "linkwarden",
    "karakeep", "zotero_rdf",
]  # fmt: skip
KINDS: dict[Format, tuple[str, str]] = {
    "json": ("application/json", "json"),
    "csv": ("text/csv", "csv"),
    "csl": ("application/vnd.citationstyles.csl+json", "csl.json"),
    "bibtex": ("application/x-bibtex; charset=utf-8", "bib"),
    "ris": ("application/x-research-info-systems; charset=utf-8", "ris"),
    "netscape": ("text/html; charset=utf-8", "html"),
    "opml": ("text/x-opml; charset=utf-8", "opml"),
    "markdown": ("application/zip", "zip"),
    "pocket_csv": ("text/csv", "pocket.csv"),
    "wallabag": ("application/json", "wallabag.json"),
    "linkwarden": ("application/json", "linkwarden.json"),
    "karakeep": ("application/json", "karakeep.json"),
    "zotero_rdf": ("application/rdf+xml", "rdf"),
}
TEXTS: tuple[Format, ...] = ("markdown", "wallabag", "karakeep")  # of which each holds the texts


class ExportQuery(Shape):
    """In which format, and what: everything, or the named resources and those of a collection."""

    format: Format = "json"
    id: Annotated[list[UUID] | None, BeforeValidator(_listed), Field(max_length=100)] = None
    collection: UUID | None = None
    text: bool = Field(
        False,
        description="With the text of each; of the format json only; Markdown, wallabag and karakeep always have it.",
    )


async def _list(pages: Pages, shown: Callable[[Record], Any]) -> AsyncIterator[bytes]:
    separator = b"["
    async for records in pages:
        for value in map(shown, records):
            if value is not None:
                yield separator + orjson.dumps(value, default=str, option=orjson.OPT_UTC_Z)
                separator = b",\n"
    yield b"[]" if separator == b"[" else b"]"


def as_json(one: Record) -> dict[str, Any]:
    """Return a resource as an import takes it back; without its text where that was not read."""
    shown = {name: getattr(one, name) for name in (*FIELDS, "identifiers", "collections", "annotations", "reference")}
    return shown | ({"content": one.content} if one.content else {})


def _cited(one: Record) -> dict[str, Any]:
    return as_csl(one) | ({"keyword": ",".join(tag.replace(",", " ") for tag in one.tags)} if one.tags else {})


def _row(one: Record) -> str:
    return line(getattr(one, name) for name in FIELDS)


async def _each(pages: Pages, written: Callable[[Record], str], head: str = "") -> AsyncIterator[str]:
    yield head
    async for records in pages:
        yield "".join(map(written, records))


async def _tree(pages: Pages, written: Callable[[outlines.Folder], Iterable[str]]) -> AsyncIterator[str]:
    root = outlines.Folder()
    async for records in pages:
        outlines.gathered(records, root)
    for part in written(root):
        yield part


class File(Protocol):
    """What is written a page at a time, and has an end."""

    def add(self, records: list[Record], /) -> bytes: ...
    def end(self) -> bytes: ...


async def _whole(pages: Pages, file: File) -> AsyncIterator[bytes]:
    async for records in pages:
        yield await asyncio.to_thread(file.add, records)
    yield file.end()


def _content(format: Format, pages: Pages) -> AsyncIterator[str] | AsyncIterator[bytes]:
    match format:
        case "json":
            return _list(pages, as_json)
        case "csl":
            return _list(pages, _cited)
        case "csv":
            return _each(pages, _row, line(FIELDS))
        case "bibtex":
            return _each(pages, bibtex.written)
        case "ris":
            return _each(pages, ris.written)
        case "netscape":
            return _tree(pages, outlines.netscape)
        case "opml":
            return _tree(pages, outlines.opml)
        case "markdown":
            return _whole(pages, markdown.Archive())
        case "pocket_csv":
            return _each(pages, readers.pocket, readers.POCKET)
        case "wallabag":
            return _list(pages, readers.wallabag)
        case "linkwarden":
            return _tree(pages, readers.linkwarden)
        case "karakeep":
            return _whole(pages, readers.Karakeep())
        case "zotero_rdf":
            return _whole(pages, zotero.Library())


async def export(request: Request) -> Response:
    """Everything that you may see, in a format of your choice; or what `id` names and what a collection holds."""
    asked, who, only = query(request, ExportQuery), account(request), None
    if asked.id or asked.collection:
        async with transaction() as session:
            only = await chosen(session, who, asked.id or (), asked.collection)
    text = asked.format in TEXTS or (asked.text and asked.format == "json")
    kind, extension = KINDS[asked.format]
    headers = {"Content-Disposition": f'attachment; filename="pharos.{extension}"', "X-Content-Type-Options": "nosniff"}
    return StreamingResponse(
        _content(asked.format, exported(who, only, text=text)), media_type=kind, headers=headers
    )  # fmt: skip


routes = [route("GET", "/export", export, scope="read", queries=ExportQuery)]
