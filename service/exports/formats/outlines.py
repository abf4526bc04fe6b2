"""Formats that are a tree of folders with links: bookmarks as every browser reads them, and OPML."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import format_datetime
from html import escape

from service.exports.record import Record
from service.imports.entry import flat


@dataclass(slots=True)
class Link:
    """What of a resource such a file holds."""

    title: str
    url: str
    tags: list[str]
    created_at: datetime | None
    description: str | None
    language: str | None


@dataclass(slots=True)
class Folder:
    """Links and folders by their names."""

    links: list[Link] = field(default_factory=list[Link])
    folders: "dict[str, Folder]" = field(default_factory=dict[str, "Folder"])

    def put(self, record: Record) -> None:
        """Put a resource that has an address into each of its collections, or here where it is in none."""
        if not record.url:
            return
        link = Link(
            record.title, record.url, record.tags, record.created_at, record.description, record.language
        )  # fmt: skip
        for path in record.collections or [[]]:
            here = self
            for name in path:
                here = here.folders.setdefault(name, Folder())
            here.links.append(link)


def netscape(root: Folder) -> Iterator[str]:
    """Write bookmarks as HTML."""
    yield (
        "<!DOCTYPE NETSCAPE-Bookmark-file-1>\n"
        '<META HTTP-EQUIV="Content-Type" CONTENT="text/html; charset=UTF-8">\n'
        "<TITLE>Bookmarks</TITLE>\n<H1>Bookmarks</H1>\n"
    )
    yield from _list(root)


def _list(folder: Folder) -> Iterator[str]:
    yield "<DL><p>\n"
    for link in folder.links:
        added = f' ADD_DATE="{int(link.created_at.timestamp())}"' if link.created_at else ""
        tags = f' TAGS="{_attribute(",".join(tag.replace(",", " ") for tag in link.tags))}"' if link.tags else ""
        yield f'<DT><A HREF="{_attribute(link.url)}"{added}{tags}>{escape(flat(link.title))}</A>\n'
        if link.description:
            yield f"<DD>{escape(flat(link.description))}\n"
    for name, inner in folder.folders.items():
        yield f"<DT><H3>{escape(flat(name))}</H3>\n"
        yield from _list(inner)
    yield "</DL><p>\n"


def opml(root: Folder) -> Iterator[str]:
    """Write an OPML 2.0."""
    yield '<?xml version="1.0" encoding="UTF-8"?>\n<opml version="2.0">\n<head><title>Pharos</title></head>\n<body>\n'
    yield from _outlines(root)
    yield "</body>\n</opml>\n"


def _outlines(folder: Folder) -> Iterator[str]:
    for link in folder.links:
        given = {
            "text": flat(link.title),
            "type": "link",
            "url": link.url,
            "category": ",".join(tag.replace(",", " ").strip("/ ") for tag in link.tags),
            "created": format_datetime(link.created_at) if link.created_at else "",
            "description": flat(link.description or ""),
            "language": link.language or "",
        }
        attributes = "".join(f' {name}="{_attribute(value)}"' for name, value in given.items() if value)
        yield f"<outline{attributes}/>\n"
    for name, inner in folder.folders.items():
        yield f'<outline text="{_attribute(flat(name))}">\n'
        yield from _outlines(inner)
        yield "</outline>\n"


def _attribute(value: str) -> str:
    return escape(value, quote=True).replace("\n", "&#10;").replace("\r", "&#13;").replace("\t", "&#9;")


def gathered(records: Iterable[Record], into: Folder) -> None:
    """Put a page of resources where they belong."""
    for record in records:
        into.put(record)
