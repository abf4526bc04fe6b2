"""Markdown with front matter, one file for each resource, in a ZIP that is written as it is read."""

import io
import re
import zipfile
from collections.abc import Sequence
from typing import Any

import orjson

from service.exports.record import Record

FRONT = (
    "title", "url", "authors", "description", "type", "language", "subjects", "tags", "published_at", "site",
    "private", "created_at", "updated_at", "identifiers", "collections", "id",
)  # fmt: skip


class Archive:
    """A ZIP of which what is written can be taken out at any time."""

    def __init__(self) -> None:
        self._sink = _Sink()
        self._zip = zipfile.ZipFile(self._sink, "w", zipfile.ZIP_DEFLATED)
        self._names: set[str] = set()

    def add(self, records: Sequence[Record]) -> bytes:
        """Write files, and return the bytes that came of it."""
        for record in records:
            self._zip.writestr(self._name(record), as_markdown(record))
        return self._sink.taken()

    def end(self) -> bytes:
        """Return the last bytes."""
        self._zip.close()
        return self._sink.taken()

    def _name(self, record: Record) -> str:
        clean = " ".join(re.sub(r"[^\w .-]", " ", record.title).split())[:80].strip(" .") or "untitled"
        name = f"{clean}.md"
        if name.casefold() in self._names:
            name = f"{clean} {record.id}.md"
        self._names.add(name.casefold())
        return name


class _Sink(io.RawIOBase):
    """A file that only grows."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self._parts.append(bytes(data))
        return len(data)

    def taken(self) -> bytes:
        """Return what was written since the last time."""
        parts, self._parts = self._parts, []
        return b"".join(parts)


def as_markdown(record: Record) -> str:
    """Return the front matter, the text, and what somebody marked in it.

    Values are JSON, which is YAML 1.2: no text of a page can end the front matter or mean something else.
    """
    given = {name: getattr(record, name) for name in FRONT}
    lines = [
        f"{name}: {orjson.dumps(value, default=str, option=orjson.OPT_UTC_Z).decode()}"
        for name, value in given.items()
        if value not in (None, [], "")
    ]
    text = f"---\n{chr(10).join(lines)}\n---\n\n{record.content.strip()}\n"
    if record.annotations:
        text += "\n## Highlights\n"
    for mark in record.annotations:
        quoted = "\n".join(f"> {line}" for line in mark["quote"].splitlines())
        text += f"\n{quoted}\n" + (f"\n{mark['note'].strip()}\n" if mark["note"] else "")
    return text
