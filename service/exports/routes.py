"""HTTP for exports."""

from collections.abc import AsyncIterator
from typing import Literal

import orjson
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from service.exports.actions import FIELDS, exported
from service.exports.spreadsheet import line
from service.security.accounts import Account
from service.web import Shape, account, query, route


class ExportQuery(Shape):
    """In which format."""

    format: Literal["json", "csv"] = "json"


async def _csv(who: Account) -> AsyncIterator[str]:
    yield line(FIELDS)
    async for rows in exported(who):
        yield "".join(line(getattr(row, name) for name in FIELDS) for row in rows)


async def _json(who: Account) -> AsyncIterator[bytes]:
    separator = b"["
    async for rows in exported(who):
        for row in rows:
            yield separator + orjson.dumps(
                {name: getattr(row, name) for name in FIELDS}, default=str, option=orjson.OPT_UTC_Z
            )
            separator = b",\n"
    yield b"[]" if separator == b"[" else b"]"


async def export(request: Request) -> Response:
    """Everything that you may see, without its text."""
    format = query(request, ExportQuery).format
    who = account(request)
    content, kind = (_csv(who), "text/csv") if format == "csv" else (_json(who), "application/json")
    disposition = f'attachment; filename="pharos.{format}"'
    return StreamingResponse(content, media_type=kind, headers={"Content-Disposition": disposition})


routes = [route("GET", "/export", export, scope="read", queries=ExportQuery)]
