"""HTTP for imports."""

from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import PurePath
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, Field
from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from service import storage
from service.database import reading, transaction
from service.errors import Invalid, TooLarge, UnsupportedType
from service.exports.spreadsheet import line
from service.imports import actions
from service.imports.detection import FORMATS
from service.imports.tables import Import, ImportEntry
from service.resources.tags import normalised
from service.web import File, Listed, Paged, Shape, account, no_content, page, path_id, query, respond, route

FILE_LIMIT = 50 * 2**20  # bytes
AT_ONCE = 1000  # rows of a list of errors that are read at a time


class ImportView(BaseModel):
    """How far an import is: `total` is known once the file is read."""

    id: UUID
    filename: str
    format: str
    state: Literal["pending", "adding", "completed", "failed", "cancelled"]
    total: int
    pending: int
    added: int
    merged: int = Field(description="Were in the library already; what the file says besides was added to them.")
    failed: int
    error: str | None
    task_id: UUID | None
    batch_id: UUID
    created_at: datetime
    finished_at: datetime | None


class Started(BaseModel):
    """The task that reads a file; `batch_id` is the id of the import, and names the batch of its pages."""

    task_id: UUID
    batch_id: UUID


class ImportForm(Shape):
    """A file of another program, and what is said of everything in it."""

    file: File
    format: str = Field("auto", description=f"One of {', '.join(FORMATS)}; `auto` tells it by what is in the file.")
    collection_id: UUID | None = None
    private: bool = False
    tags: str | None = Field(None, description="Up to three, with commas between.")


class ErrorView(BaseModel):
    """Something that was not imported, where it stands in the file, and why; `again` tells whether a retry tries it."""

    line: int
    shown: str
    reason: str
    again: bool


class ErrorQuery(Paged):
    """Which part of the list, and how: a CSV is all of it."""

    format: Literal["json", "csv"] = "json"


async def create_import(request: Request) -> Response:
    """Import a file of another program, a form: `file`, `format`, `collection_id`, `private`, `tags`."""
    if not request.headers.get("content-type", "").startswith("multipart/form-data"):
        raise UnsupportedType("Send the file as multipart/form-data, in a field named `file`.")
    if int(request.headers.get("content-length") or 0) > FILE_LIMIT + 2**16:
        raise TooLarge(limit=FILE_LIMIT)
    try:
        async with request.form(max_files=1, max_fields=80) as form:
            file, asked = form.get("file"), _asked(form)
            if not isinstance(file, UploadFile):
                raise Invalid("There is no file: send one in a field named `file`.")
            if (file.size or 0) > FILE_LIMIT:
                raise TooLarge(limit=FILE_LIMIT)
            if not file.size:
                raise Invalid("The file is empty.")
            name = PurePath(_storable(file.filename or "").replace("\\", "/")).name[:255] or "untitled"
            original = await storage.keep(file.file)
    except HTTPException as error:
        raise Invalid(f"The upload is not valid multipart/form-data: {error.detail}") from None
    except UnicodeError:
        raise Invalid("The upload is not valid multipart/form-data: its charset is not what it states.") from None
    async with transaction() as session:
        row = await actions.request(session, account(request), filename=name, original=original, **asked)
        assert row.task_id is not None
        started = Started(task_id=row.task_id, batch_id=row.id)
    return respond(started, 202, {"Location": f"/imports/{started.batch_id}"})


def _asked(form: FormData) -> dict[str, Any]:
    format = str(form.get("format") or "auto")
    if format != "auto" and format not in FORMATS:
        raise Invalid(f"`format` is one of auto, {', '.join(FORMATS)}.")
    given = [one for value in form.getlist("tags") if isinstance(value, str) for one in value.split(",")]
    try:
        collection = form.get("collection_id")
        collection_id = UUID(str(collection)) if collection else None
        tags = normalised(_storable(one) for one in given if one.strip())
    except ValueError as error:
        raise Invalid(f"`collection_id` or `tags` cannot be used: {error}.") from None
    private = str(form.get("private") or "").lower() in ("1", "true", "on", "yes")
    return {"format": format, "collection_id": collection_id, "private": private, "tags": tags[:3]}


def _storable(text: str) -> str:
    return text.replace("\x00", "").encode(errors="replace").decode()


def _id(request: Request) -> UUID:
    return path_id(request, what="import")


def import_view(row: Import, now: actions.Counts) -> ImportView:
    """Return an import as it is answered."""
    shown = {name: getattr(row, name) for name in ("id", "filename", "format", "state", "error", "task_id")}
    shown |= {name: getattr(now, name) for name in ("total", *actions.STATES)}
    times = {"created_at": row.created_at, "finished_at": row.finished_at}
    return ImportView.model_validate(shown | times | {"batch_id": row.id})


async def browse_imports(request: Request) -> Response:
    """List your imports, the newest first."""
    asked = query(request, Paged)
    async with reading() as session:
        total, rows = await actions.browse(session, account(request), asked.limit, asked.offset)
        now = await actions.counts(session, [row.id for row in rows])
    return page([import_view(row, now[row.id]) for row in rows], total, asked)


async def read_import(request: Request) -> Response:
    """How far an import is."""
    async with reading() as session:
        row = await actions.read(session, account(request), _id(request))
        now = await actions.counts(session, [row.id])
    return respond(import_view(row, now[row.id]))


async def read_import_errors(request: Request) -> Response:
    """What was not imported, with line and reason; `format=csv` is all of it as a file."""
    asked = query(request, ErrorQuery)
    async with reading() as session:
        row = await actions.read(session, account(request), _id(request))
        total = (await actions.counts(session, [row.id]))[row.id].failed
        if asked.format == "json":
            found = await actions.failed(session, row.id, asked.limit, asked.offset)
            return page([_error(one) for one in found], total, asked)
    headers = {"Content-Disposition": 'attachment; filename="not-imported.csv"'}
    return StreamingResponse(_csv(row.id), media_type="text/csv", headers=headers)


def _error(one: ImportEntry) -> ErrorView:
    return ErrorView(line=one.line, shown=one.shown, reason=one.reason or "", again=one.entry is not None)


async def _csv(import_id: UUID) -> AsyncIterator[str]:
    yield line(("line", "shown", "reason"))
    after = -1
    while True:
        async with reading() as session:
            rows = await actions.errors(session, import_id, AT_ONCE, after)
        if not rows:
            return
        yield "".join(line((one.line, one.shown, one.reason)) for one in rows)
        after = rows[-1].ordinal


async def retry_import(request: Request) -> Response:
    """Try again what failed of an import, or go on with one that was cancelled."""
    async with transaction() as session:
        row = await actions.retry(session, account(request), _id(request))
        assert row.task_id is not None
        started = Started(task_id=row.task_id, batch_id=row.id)
    return respond(started, 202)


async def cancel_import(request: Request) -> Response:
    """Stop an import; what is in the library stays there."""
    async with transaction() as session:
        row = await actions.cancel(session, account(request), _id(request))
        now = (await actions.counts(session, [row.id]))[row.id]
        await session.refresh(row)
        view = import_view(row, now)
    return respond(view)


async def delete_import(request: Request) -> Response:
    """Forget an import that has ended; what it added stays."""
    async with transaction() as session:
        await actions.remove(session, account(request), _id(request))
    return no_content()


routes = [
    route(
        "POST", "/import", create_import, scope="write",
        form=ImportForm, gives=Started, status=202, also=(404, 409, 415, 507),
    ),
    route("GET", "/imports", browse_imports, scope="read", queries=Paged, gives=Listed[ImportView]),
    route("GET", "/imports/{id}", read_import, scope="read", gives=ImportView),
    route("GET", "/imports/{id}/errors", read_import_errors, scope="read", queries=ErrorQuery, gives=Listed[ErrorView]),
    route("POST", "/imports/{id}/retry", retry_import, scope="write", gives=Started, status=202, also=(409,)),
    route("POST", "/imports/{id}/cancel", cancel_import, scope="write", gives=ImportView, also=(409,)),
    route("DELETE", "/imports/{id}", delete_import, scope="write", status=204, also=(409,)),
]  # fmt: skip
