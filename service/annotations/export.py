"""Annotations as Markdown and as JSON, resource by resource, read and written a page at a time."""

import re
from collections.abc import AsyncGenerator
from typing import Any, Literal
from urllib.parse import quote

import orjson
from sqlalchemy import func, tuple_
from starlette.responses import Response, StreamingResponse

from service.annotations.actions import marked
from service.annotations.tables import Annotation
from service.database import reading
from service.resources.tables import Resource
from service.security.accounts import Account

PAGE = 200
TYPES = {"markdown": ("text/markdown; charset=utf-8", "md"), "json": ("application/json", "json")}
Format = Literal["markdown", "json"]

_MARKS = re.compile(r"([\\`*_{}\[\]<>#+!|~&-])")
_PLACE = func.coalesce(Annotation.start, Annotation.position)
_LEFT_OUT = ("id", "resource_id", "title", "url", "place", "stale", "version")


def answer(account: Account, form: Format, resource: Resource | None) -> Response:
    """Answer with a file of an account's annotations, of one resource or of all."""
    media_type, extension = TYPES[form]
    title = f"annotations {resource.title}" if resource else "annotations"
    written = _markdown(account, resource) if form == "markdown" else _json(account, resource)
    headers = {"Content-Disposition": disposition(title, extension), "X-Content-Type-Options": "nosniff"}
    return StreamingResponse(written, headers=headers, media_type=media_type)


def disposition(title: str, extension: str) -> str:
    """Return a `Content-Disposition` (RFC 6266) whose name can neither leave a folder nor end the header."""
    clean = " ".join(re.sub(r"[^\w .-]", " ", title).split())[:80].strip(" .") or "annotations"
    plain = re.sub(r"[^A-Za-z0-9.-]+", "-", clean).strip("-.") or "annotations"
    return f"attachment; filename=\"{plain}.{extension}\"; filename*=UTF-8''{quote(f'{clean}.{extension}')}"


async def _rows(account: Account, resource: Resource | None) -> AsyncGenerator[dict[str, Any]]:
    """Yield annotations by resource in reading order; each page is read by itself, so that no session stays open."""
    order = (Annotation.resource_id, _PLACE, Annotation.id)
    chosen = marked(account).add_columns(Resource.title, Resource.url, _PLACE.label("place"))
    if resource is not None:
        chosen = chosen.where(Annotation.resource_id == resource.id)
    chosen, after = chosen.order_by(*order).limit(PAGE), None
    while True:
        following = chosen if after is None else chosen.where(tuple_(*order) > tuple_(*after))
        async with reading() as session:
            rows = [dict(row) for row in (await session.execute(following)).mappings()]
        for row in rows:
            yield row
        if len(rows) < PAGE:
            return
        after = (rows[-1]["resource_id"], rows[-1]["place"], rows[-1]["id"])


async def _markdown(account: Account, resource: Resource | None) -> AsyncGenerator[str]:
    current = None
    yield "# Annotations\n"
    async for row in _rows(account, resource):
        if row["resource_id"] != current:
            current = row["resource_id"]
            yield f"\n## {escaped(row['title'])}\n" + (f"\n<{quote(row['url'], safe=SAFE)}>\n" if row["url"] else "")
        yield _as_markdown(row)


SAFE = ":/?#[]@!$&'()*+,;=%~"


def escaped(text: str) -> str:
    """Return a text as Markdown that shows it in one line: no markup of others' texts takes hold."""
    return _MARKS.sub(r"\\\1", " ".join(text.split()))


def _as_markdown(row: dict[str, Any]) -> str:
    lines = row["quote"].splitlines() or [""]
    parts = ["\n" + "\n".join(f"> {escaped(line)}".rstrip() for line in lines) + "\n"]
    if row["note"]:
        parts.append(f"\n{row['note'].strip()}\n")
    about = [row["colour"], *(f"#{tag.replace(' ', '-')}" for tag in row["tags"])]
    about += ["not in the present text"] if row["orphaned"] else []
    parts.append(f"\n{escaped(', '.join(about))}\n")
    return "".join(parts)


async def _json(account: Account, resource: Resource | None) -> AsyncGenerator[bytes]:
    """Write `{"resources": [{"id", "title", "url", "annotations": [..]}]}`."""
    current = None
    yield b'{"resources":['
    async for row in _rows(account, resource):
        begins = b","
        if row["resource_id"] != current:
            about = {"id": row["resource_id"], "title": row["title"], "url": row["url"]}
            begins = (b"" if current is None else b"]},") + _dumped(about)[:-1] + b',"annotations":['
            current = row["resource_id"]
        yield begins + _dumped({"id": row["id"]} | {key: row[key] for key in row if key not in _LEFT_OUT})
    yield b"]}" if current is None else b"]}]}"


def _dumped(value: dict[str, Any]) -> bytes:
    return orjson.dumps(value, default=str, option=orjson.OPT_UTC_Z)
