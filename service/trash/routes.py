"""HTTP for the trash; `POST /resources/{id}/restore` takes back from it."""

from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from pydantic import BaseModel, Field
from starlette.requests import Request
from starlette.responses import Response

from service.cursors import After
from service.database import reading, transaction
from service.settings import settings
from service.trash import actions
from service.trash.emptying import emptied
from service.web import Shape, account, no_content, path_id, query, respond, route


class BrowseTrash(Shape):
    """Which part of the trash."""

    limit: int = Field(25, ge=1, le=100)
    after: After = None


class TrashedItem(BaseModel):
    """Something in the trash."""

    id: UUID
    title: str
    url: str | None
    type: str
    private: bool
    deleted_at: datetime
    deleted_by: UUID | None
    purged_after: datetime


class TrashList(BaseModel):
    """A part of the trash, deleted last first; no `next` means that it is the last part."""

    total: int
    items: list[TrashedItem]
    limit: int
    next: str | None


async def list_trash(request: Request) -> Response:
    """List what was deleted and can be restored."""
    asked, kept = query(request, BrowseTrash), timedelta(days=settings().trash_days)
    async with reading() as session:
        total, rows, beyond = await actions.browse(session, account(request), asked.limit, asked.after)
    items = [TrashedItem(**asdict(row), purged_after=row.deleted_at + kept) for row in rows]
    shown: dict[str, Any] = {"total": total, "items": [item.model_dump() for item in items], "limit": asked.limit}
    return respond(shown | {"next": None if beyond is None else str(beyond)})


async def purge_resource(request: Request) -> Response:
    """Delete something in the trash for good."""
    async with transaction() as session:
        await actions.purge(session, account(request), path_id(request, what="resource in the trash"))
    return no_content()


async def empty_trash(request: Request) -> Response:
    """Delete for good whatever in the trash is yours or was deleted by you."""
    return respond({"purged": await emptied(account(request))})


routes = [
    route("GET", "/trash", list_trash, scope="read", queries=BrowseTrash, gives=TrashList),
    route("DELETE", "/trash", empty_trash, scope="write", gives=dict[str, int]),
    route("DELETE", "/trash/{id}", purge_resource, scope="write", status=204),
]
