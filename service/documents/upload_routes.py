"""HTTP for files that come in pieces."""

from starlette.requests import Request
from starlette.responses import Response

from service.database import reading, transaction
from service.documents import uploads
from service.documents.actions import FILE_LIMIT
from service.documents.shapes import NewUpload, UploadView
from service.documents.tables import PartialUpload
from service.errors import Invalid, TooLarge
from service.web import account, no_content, parse, path_id, respond, route


async def announce_upload(request: Request) -> Response:
    """Announce a file that is to come in pieces, each sent by PATCH from the offset that the server has."""
    asked = await parse(request, NewUpload)
    if asked.size > FILE_LIMIT:
        raise TooLarge(f"{asked.filename} is larger than {FILE_LIMIT} bytes.")
    file = uploads.Announced(
        asked.filename, asked.size, asked.type, asked.sha256, asked.subject, asked.category, asked.private
    )
    async with transaction() as session:
        row = await uploads.announce(session, account(request), file)
    return _answer(_view(row), 201, {"Location": f"/uploads/{row.id}"})


async def read_upload(request: Request) -> Response:
    """How much of a file is there; HEAD gives it as `Upload-Offset`."""
    async with reading() as session:
        row = await uploads.read(session, account(request), path_id(request, what="upload"))
        document = await uploads.made(session, row)
    return _answer(_view(row, document))


async def append_upload(request: Request) -> Response:
    """Send a piece, from `Upload-Offset` on, as the plain body; the last one answers with the document."""
    upload_id, who = path_id(request, what="upload"), account(request)
    async with reading() as session:
        await uploads.read(session, who, upload_id)
    given = request.headers.get("upload-offset", "")
    if not (given.isascii() and given.isdigit() and len(given) <= 15):
        raise Invalid("Say with the header `Upload-Offset` which byte of the file the body begins with.")
    row = await uploads.append(who, upload_id, int(given), request.stream())
    async with reading() as session:
        document = await uploads.made(session, row)
    return _answer(_view(row, document))


async def delete_upload(request: Request) -> Response:
    """Give a file up that is not whole."""
    await uploads.drop(account(request), path_id(request, what="upload"))
    return no_content()


def _view(row: PartialUpload, document: dict[str, object] | None = None) -> UploadView:
    return UploadView.model_validate(
        {
            "upload_id": row.id,
            "filename": row.filename,
            "size": row.size,
            "offset": row.received,
            "chunk_size": uploads.CHUNK,
            "expires_at": row.expires_at,
            "document": document,
        }
    )


def _answer(view: UploadView, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    said = {"Upload-Offset": str(view.offset), "Upload-Length": str(view.size), **(headers or {})}
    return respond(view, status, said)


routes = [
    route("POST", "/uploads", announce_upload, scope="write", takes=NewUpload, gives=UploadView, status=201),
    route("GET", "/uploads/{id}", read_upload, scope="read", gives=UploadView),
    route("PATCH", "/uploads/{id}", append_upload, scope="write", gives=UploadView, also=(507,)),
    route("DELETE", "/uploads/{id}", delete_upload, scope="write", status=204),
]
