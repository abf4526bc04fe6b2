"""HTTP for exports."""

from collections.abc import AsyncIterator
from typing import Annotated, Literal
from uuid import UUID

import orjson
from pydantic import BeforeValidator, Field
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from service.database import transaction
from service.exports.actions import FIELDS, chosen, exported
from service.exports.spreadsheet import line
from service.security.accounts import Account
from service.web import Shape, account, query, route


def _listed(value: object) -> object:
    return [value] if isinstance(value, str) else value


class ExportQuery(Shape):
    """In which format, and what: everything, or the named resources and those of a collection."""

    format: Literal["json", "csv"] = "json"
    id: Annotated[list[UUID] | None, BeforeValidator(_listed), Field(max_length=100)] = None
    collection: UUID | None = None


async def _csv(who: Account, only: list[UUID] | None) -> AsyncIterator[str]:
    yield line(FIELDS)
    async for rows in exported(who, only):
        yield "".join(line(getattr(row, name) for name in FIELDS) for row in rows)


async def _json(who: Account, only: list[UUID] | None) -> AsyncIterator[bytes]:
    separator = b"["
    async for rows in exported(who, only):
        for row in rows:
            yield separator + orjson.dumps(
                {name: getattr(row, name) for name in FIELDS}, default=str, option=orjson.OPT_UTC_Z
            )
            separator = b",\n"
    yield b"[]" if separator == b"[" else b"]"


async def export(request: Request) -> Response:
    """Everything that you may see, without its text; or the resources that `id` names and those of a collection."""
    asked, who, only = query(request, ExportQuery), account(request), None
    if asked.id or asked.collection:
        async with transaction() as session:
            only = await chosen(session, who, asked.id or (), asked.collection)
    content, kind = (_csv(who, only), "text/csv") if asked.format == "csv" else (_json(who, only), "application/json")
    disposition = f'attachment; filename="pharos.{asked.format}"'
    return StreamingResponse(content, media_type=kind, headers={"Content-Disposition": disposition})


routes = [route("GET", "/export", export, scope="read", queries=ExportQuery)]
