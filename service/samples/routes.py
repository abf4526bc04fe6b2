"""HTTP for the sample set."""

from dataclasses import asdict
from uuid import UUID

from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response

from service.database import reading, transaction
from service.samples import actions
from service.web import account, respond, route


class PieceView(BaseModel):
    """One text of the sample set."""

    id: UUID
    filename: str
    duplicate: bool


class SampleView(BaseModel):
    """What you have of the sample set; `batch_id` shows how far its texts are, as that of other uploads does."""

    batch_id: UUID
    collection_id: UUID | None
    total: int
    items: list[PieceView]


class Removed(BaseModel):
    """How many texts were deleted."""

    removed: int


async def read_sample(request: Request) -> Response:
    """What you have of the sample set."""
    async with reading() as session:
        return respond(asdict(await actions.read(session, account(request))))


async def load_sample(request: Request) -> Response:
    """Add ten short texts to try everything with, for your eyes only; what is there already stays as it is."""
    uploads = await actions.keep_originals()
    async with transaction() as session:
        return respond(asdict(await actions.load(session, account(request), uploads)), 202)


async def remove_sample(request: Request) -> Response:
    """Delete the sample set for good, and everything that was made of it; it does not go to the trash."""
    async with transaction() as session:
        return respond({"removed": await actions.remove(session, account(request))})


routes = [
    route("GET", "/sample", read_sample, scope="read", gives=SampleView),
    route("POST", "/sample", load_sample, scope="write", gives=SampleView, status=202),
    route("DELETE", "/sample", remove_sample, scope="write", gives=Removed),
]
