"""HTTP for documents."""

from pathlib import PurePath
from urllib.parse import quote
from uuid import UUID

from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from service import storage
from service.database import reading, transaction
from service.documents import actions
from service.documents.actions import FILE_LIMIT
from service.documents.passages import page_of
from service.documents.shapes import (
    BrowseDocuments,
    Deletion,
    DocumentChange,
    DocumentStatus,
    DocumentView,
    PassageView,
    UploadedList,
    UploadForm,
    document_view,
)
from service.errors import Invalid, TooLarge, UnsupportedType
from service.ingestion.status import status_of
from service.recommendations import actions as recommendations
from service.web import Listed, Paged, TaskStarted, account, no_content, page, parse, path_id, query, respond, route

FILES = 10


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
            subject, category = _line(form.get("subject"), "subject"), _line(form.get("category"), "category")
            private = str(form.get("private") or "").lower() in ("1", "true", "on", "yes")
            batch_id = _batch_id(form.get("batch_id"))
            for file in files:
                stored = await _store(file)
                async with transaction() as session:
                    items.append(
                        await actions.upload(
                            session,
                            account(request),
                            stored,
                            subject=subject,
                            category=category,
                            private=private,
                            batch_id=batch_id,
                        )
                    )
    except HTTPException as error:  # what Starlette makes of a body that it cannot parse
        raise Invalid(f"The upload is not valid multipart/form-data: {error.detail}") from None
    except UnicodeError:  # of a charset that it names
        raise Invalid(
            "The upload is not valid multipart/form-data: its names are not in the charset it states."
        ) from None
    return respond({"items": items}, 202)


def _line(given: object, name: str) -> str | None:
    """Return the name of a subject or category, None where nothing was said; Invalid for what is no line of text."""
    line = " ".join(_storable(str(given or "")).split())
    if len(line) > 200 or not line.isprintable():
        raise Invalid(f"`{name}` has more than 200 characters, or some that are not printable.")
    return line or None


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


async def browse_documents(request: Request) -> Response:
    """List documents that you may see, by default the newest first."""
    asked, who = query(request, BrowseDocuments), account(request)
    async with reading() as session:
        total, found = await actions.browse(session, who, **asked.model_dump())
        reasons = await actions.failures(session, [one.resource.id for one in found if one.status == "failed"])
    items = [document_view(one, who.id, error=reasons.get(one.resource.id)) for one in found]
    return page(items, total, asked)


async def read_document(request: Request) -> Response:
    """Read one document's record."""
    who = account(request)
    async with reading() as session:
        known, entered = await actions.read(session, who, _id(request))
        progress = await status_of(session, known.resource, entered)
    return respond(document_view(known, who.id, progress["steps"], entered.error))


async def change_document(request: Request) -> Response:
    """Rename a document of yours, or put it into a subject or a category."""
    who, document_id = account(request), _id(request)
    asked = await parse(request, DocumentChange)
    async with transaction() as session:
        known = await actions.change(session, who, document_id, asked.fields())
        view = document_view(known, who.id)
    return respond(view)


async def read_document_status(request: Request) -> Response:
    """How far a document is, step by step."""
    who = account(request)
    async with reading() as session:
        known, entered = await actions.read(session, who, _id(request))
        progress = await status_of(session, known.resource, entered)
    view = document_view(known, who.id, progress["steps"], entered.error)
    told = {"id": view.id, "status": view.status, "percent": view.percent, "message": view.message}
    return respond({**progress, **told})


async def read_passages(request: Request) -> Response:
    """The passages of a document, in the order of its text; none before they are cut."""
    asked, who = query(request, Paged), account(request)
    async with reading() as session:
        known, _ = await actions.read(session, who, _id(request))
        total, found = await page_of(session, known.resource.id, asked.limit, asked.offset)
    return page(found, total, asked)


async def download_document(request: Request) -> Response:
    """The original bytes, sandboxed: never rendered as a page of this site."""
    who = account(request)
    async with transaction() as session:
        known, _ = await actions.read(session, who, _id(request))
        document, resource = known.document, known.resource
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
    """Put a document with its resource into the trash; what is derived is gone."""
    async with transaction() as session:
        await actions.remove(session, account(request), _id(request))
    return no_content()


async def delete_documents(request: Request) -> Response:
    """Delete up to a thousand documents; the task tells how far it is, and its result what went wrong with which."""
    asked = await parse(request, Deletion)
    async with transaction() as session:
        task_id = await actions.request_removal(session, account(request), asked.document_ids)
    return respond(TaskStarted(task_id=task_id), 202, {"Location": f"/tasks/{task_id}"})


routes = [
    route(
        "POST", "/documents", upload_documents, scope="write",
        form=UploadForm, gives=UploadedList, status=202, also=(415, 507),
    ),
    route("GET", "/documents", browse_documents, scope="read", queries=BrowseDocuments, gives=Listed[DocumentView]),
    route("POST", "/documents/delete", delete_documents, scope="write", takes=Deletion, gives=TaskStarted, status=202),
    route("GET", "/documents/{id}", read_document, scope="read", gives=DocumentView),
    route("PUT", "/documents/{id}", change_document, scope="write", takes=DocumentChange, gives=DocumentView),
    route("GET", "/documents/{id}/status", read_document_status, scope="read", gives=DocumentStatus),
    route("GET", "/documents/{id}/passages", read_passages, scope="read", queries=Paged, gives=Listed[PassageView]),
    route("GET", "/documents/{id}/download", download_document, scope="read", also=(410,)),
    route("DELETE", "/documents/{id}", delete_document, scope="write", status=204),
]  # fmt: skip
