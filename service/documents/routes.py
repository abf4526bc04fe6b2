"""HTTP for documents."""

from pathlib import PurePath
from typing import Any
from urllib.parse import quote
from uuid import UUID

from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from service import storage
from service.database import reading, transaction
from service.documents import actions
from service.errors import Invalid, TooLarge, UnsupportedType
from service.ingestion.status import status_of
from service.recommendations import actions as recommendations
from service.resources import actions as resources
from service.web import account, no_content, path_id, respond, route

FILES = 10
FILE_LIMIT = 100 * 2**20  # bytes


async def upload_documents(request: Request) -> Response:
    """Add up to ten files; each is stored before the answer and read after it."""
    if not request.headers.get("content-type", "").startswith("multipart/form-data"):
        raise UnsupportedType("Send the files as multipart/form-data, in fields named `file`.")
    if int(request.headers.get("content-length") or 0) > FILES * FILE_LIMIT:
        raise TooLarge(limit=FILES * FILE_LIMIT)
    items: list[actions.Uploaded] = []
    try:
        async with request.form(max_files=FILES, max_fields=20) as form:
            files = [value for value in form.getlist("file") if isinstance(value, UploadFile)]
            if not files:
                raise Invalid("There is no file: send one or more in fields named `file`.")
            subject = _storable(str(form.get("subject") or "")).strip() or None
            private = str(form.get("private") or "").lower() in ("1", "true", "on", "yes")
            batch_id = _batch_id(form.get("batch_id"))
            for file in files:
                stored = await _store(file)
                async with transaction() as session:
                    items.append(
                        await actions.upload(
                            session, account(request), stored, subject=subject, private=private, batch_id=batch_id
                        )
                    )
    except HTTPException as error:  # what Starlette makes of a body that it cannot parse
        raise Invalid(f"The upload is not valid multipart/form-data: {error.detail}") from None
    except UnicodeError:  # of a charset that it names
        raise Invalid(
            "The upload is not valid multipart/form-data: its names are not in the charset it states."
        ) from None
    return respond({"items": items}, 202)


def _batch_id(given: object) -> UUID | None:
    """Return under which id files that are sent one by one belong together."""
    try:
        return UUID(str(given)) if given else None
    except ValueError:
        raise Invalid("`batch_id` is no UUID.") from None


async def _store(file: UploadFile) -> actions.Upload:
    name = PurePath(_storable(file.filename or "").replace("\\", "/")).name[:255] or "untitled"
    size = file.size or 0
    if size > FILE_LIMIT:
        raise TooLarge(f"{name} is larger than {FILE_LIMIT} bytes.")
    if not size:
        raise Invalid(f"{name} is empty.")
    return actions.Upload(name, size, await storage.keep(file.file), _storable(file.content_type or "") or None)


def _storable(text: str) -> str:
    """Return a text of the form without what no text holds: some charsets that a form may name make lone surrogates."""
    return text.replace("\x00", "").encode(errors="replace").decode()


def _id(request: Request) -> UUID:
    return path_id(request, what="document")


async def read_document(request: Request) -> Response:
    """Read one document's record."""
    async with reading() as session:
        document, resource, entered = await actions.read(session, account(request), _id(request))
        progress = await status_of(session, resource, entered)
    return respond(
        {
            "id": document.id,
            "resource_id": document.resource_id,
            "filename": document.filename,
            "subject": document.subject,
            "size": document.size,
            "media_type": resource.media_type,
            "title": resource.title,
            "status": actions.status_of(resource, progress["steps"]),
            "created_at": document.created_at,
        }
    )


async def read_document_status(request: Request) -> Response:
    """How far a document is, step by step."""
    async with reading() as session:
        document, resource, entered = await actions.read(session, account(request), _id(request))
        progress = await status_of(session, resource, entered)
    return respond({**progress, "id": document.id, "status": actions.status_of(resource, progress["steps"])})


async def download_document(request: Request) -> Response:
    """The original bytes, sandboxed: never rendered as a page of this site."""
    who = account(request)
    async with transaction() as session:
        document, resource, _ = await actions.read(session, who, _id(request))
        if request.method == "GET":  # not HEAD
            await recommendations.track(session, who.id, resource.id, "download")
    return StreamingResponse(
        storage.pieces(document.original),
        media_type=resource.media_type or "application/octet-stream",
        headers={
            "Content-Length": str(await storage.size(document.original)),
            "Content-Disposition": f"attachment; filename*=UTF-8''{quote(document.filename)}",
            "Content-Security-Policy": "sandbox; default-src 'none'",
            "X-Content-Type-Options": "nosniff",
        },
    )


async def delete_document(request: Request) -> Response:
    """Delete a document with its resource."""
    async with transaction() as session:
        document, _, _ = await actions.read(session, account(request), _id(request))
        await resources.remove(session, account(request), document.resource_id)
    return no_content()


routes = [
    route("POST", "/documents", upload_documents, scope="write", gives=dict[str, Any], status=202, also=(415, 507)),
    route("GET", "/documents/{id}", read_document, scope="read", gives=dict[str, Any]),
    route("GET", "/documents/{id}/status", read_document_status, scope="read", gives=dict[str, Any]),
    route("GET", "/documents/{id}/download", download_document, scope="read", also=(410,)),
    route("DELETE", "/documents/{id}", delete_document, scope="write", status=204),
]
