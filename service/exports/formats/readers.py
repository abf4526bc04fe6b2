"""Programs that keep links to be read: the CSV of Pocket, the JSON of wallabag, Linkwarden and karakeep.

Their state is a tag here, as imports write it: read, unread, starred.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import orjson

from service.exports.formats.outlines import Folder, Link
from service.exports.formats.shelves import Shelves
from service.exports.record import Record
from service.exports.spreadsheet import line
from service.imports.entry import flat
from service.imports.formats.readers import UNSORTED
from service.ingestion.formats.reading_view import html_of
from service.resources.reading_time import minutes

POCKET = line(("title", "url", "time_added", "tags", "status"))
STATUS = {"read": "archive", "unread": "unread"}


def pocket(record: Record) -> str:
    """Return the row of what has an address; its status is empty where no tag says whether it was read."""
    if not record.url:
        return ""
    state, tags = _state(record.tags)
    added = int(record.created_at.timestamp()) if record.created_at else None
    names = "|".join(tag.replace("|", " ") for tag in tags)
    return line((flat(record.title), record.url, added, names, STATUS.get(state)))


def wallabag(record: Record) -> dict[str, Any] | None:
    """Return the article of what has an address, its text as HTML; what is not read is unread."""
    if not record.url:
        return None
    state, tags = _state(record.tags)
    return {
        "is_archived": int(state == "read"),
        "is_starred": int("starred" in tags),
        "tags": [tag for tag in tags if tag != "starred"],
        "is_public": False,
        "title": record.title,
        "url": record.url,
        "content": html_of(record.content),
        "created_at": record.created_at,
        "updated_at": record.updated_at,
        "published_at": record.published_at,
        "published_by": record.authors,
        "annotations": [{"text": one["note"], "quote": one["quote"], "ranges": []} for one in record.annotations],
        "mimetype": "text/html",
        "language": record.language,
        "reading_time": minutes(record.word_count),
    }


def linkwarden(root: Folder) -> Iterator[str]:
    """Write collections, each after the one that it lies in; what is in none is in that of Linkwarden for it."""
    waiting: list[tuple[str, Folder, int | None]] = [(UNSORTED, Folder(root.links), None)] if root.links else []
    waiting += [(name, folder, None) for name, folder in root.folders.items()]
    yield '{"collections":['
    for number, (name, folder, parent) in enumerate(waiting, 1):  # which grows meanwhile
        waiting += [(inner, held, number) for inner, held in folder.folders.items()]
        shown = {"id": number, "name": name, "description": "", "parentId": parent, "isPublic": False}
        links = [_link(link, number) for link in folder.links]
        yield (",\n" if number > 1 else "") + orjson.dumps(shown | {"links": links}, option=orjson.OPT_UTC_Z).decode()
    yield '],"pinnedLinks":[],"whitelistedUsers":[]}'


def _link(link: Link, collection: int) -> dict[str, Any]:
    return {
        "name": link.title,
        "type": "url",
        "description": link.description or "",
        "url": link.url,
        "collectionId": collection,
        "createdAt": link.created_at,
        "importDate": None,
        "tags": [{"name": tag} for tag in link.tags],
    }


class Karakeep:
    """Links and texts, and after them the lists that they are in."""

    def __init__(self) -> None:
        self._lists = Shelves()
        self._before = b'{"bookmarks":['

    def add(self, records: Sequence[Record]) -> bytes:
        """Write what has an address or a text."""
        written: list[bytes] = []
        for record in records:
            if record.url or record.content:
                written.append(self._before + orjson.dumps(self._bookmark(record)))
                self._before = b",\n"
        return b"".join(written)

    def end(self) -> bytes:
        """Write the lists."""
        nothing = b"" if self._before == b",\n" else self._before
        lists = [
            {
                "id": str(number),
                "name": name,
                "description": None,
                "icon": "📁",
                "type": "manual",
                "query": None,
                "parentId": None if parent is None else str(parent),
            }
            for number, name, parent in self._lists
        ]
        return nothing + b'],"lists":' + orjson.dumps(lists) + b"}"

    def _bookmark(self, record: Record) -> dict[str, Any]:
        link = {"type": "link", "url": record.url}
        return {
            "createdAt": int(record.created_at.timestamp()) if record.created_at else 0,
            "title": record.title,
            "tags": [tag for tag in record.tags if tag != "read"],
            "lists": [str(self._lists.number(path)) for path in record.collections],
            "content": link if record.url else {"type": "text", "text": record.content},
            "note": record.description,
            "archived": "read" in record.tags,
        }


def _state(tags: list[str]) -> tuple[str, list[str]]:
    """Return read or unread, as an import writes it in a tag, or nothing, and the other tags."""
    state = next((one for one in ("read", "unread") if one in tags), "")
    return state, [tag for tag in tags if tag != state]
