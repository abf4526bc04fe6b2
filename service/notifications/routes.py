"""HTTP for notifications. Everybody may, also who only reads: they are one's own."""

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response

from service.database import reading, transaction
from service.live.hub import newest
from service.notifications import actions, preferences
from service.notifications.kinds import Kind
from service.web import Listed, Paged, Shape, account, no_content, parse, path_id, query, respond, route


class Filter(Paged):
    """Which notifications."""

    unread: bool | None = None
    kind: Kind | None = None


class NotificationView(BaseModel):
    """Something that you are told; `count` things together, until you read it."""

    id: UUID
    kind: Kind
    title: str
    message: str
    link: str | None
    count: int
    read: bool
    created_at: datetime
    updated_at: datetime
    read_at: datetime | None


class NotificationList(Listed[NotificationView]):
    """One page, and how many are unread in all."""

    unread: int


class Unread(BaseModel):
    """How many are unread, and the position in the log that this was true at."""

    unread: int
    position: int


class MarkedRead(BaseModel):
    """How many were unread."""

    read: int


class Preferences(Shape):
    """Which kinds you want to hear of; what is left out stays as it is."""

    document_ready: bool | None = None
    document_failed: bool | None = None
    ingestion_failed: bool | None = None
    quiz_ready: bool | None = None
    quiz_failed: bool | None = None
    reviews_due: bool | None = None
    batch_completed: bool | None = None
    task_failed: bool | None = None
    quality_degraded: bool | None = None
    collection_changed: bool | None = None
    webhook_disabled: bool | None = None


async def list_notifications(request: Request) -> Response:
    """What you are told, the last changed first."""
    asked, who = query(request, Filter), account(request)
    async with reading() as session:
        total, rows = await actions.browse(session, who, **asked.model_dump())
        unread = await actions.count_unread(session, who)
    items = [actions.shown(row) for row in rows]
    return respond({"total": total, "items": items, "limit": asked.limit, "offset": asked.offset, "unread": unread})


async def count_notifications(request: Request) -> Response:
    """How many are unread."""
    position = await newest()  # before they are counted: what happens after it is told by the stream
    async with reading() as session:
        return respond({"unread": await actions.count_unread(session, account(request)), "position": position})


async def read_notification(request: Request) -> Response:
    """Mark one as read."""
    async with transaction() as session:
        found = await actions.mark_read(session, account(request), path_id(request, what="notification"))
        return respond(actions.shown(found))


async def read_all_notifications(request: Request) -> Response:
    """Mark all as read."""
    async with transaction() as session:
        return respond({"read": await actions.mark_all_read(session, account(request))})


async def delete_notification(request: Request) -> Response:
    """Delete one; it is not told again."""
    async with transaction() as session:
        await actions.remove(session, account(request), path_id(request, what="notification"))
    return no_content()


async def read_preferences(request: Request) -> Response:
    """Which kinds you hear of."""
    async with reading() as session:
        return respond(await preferences.read(session, account(request)))


async def write_preferences(request: Request) -> Response:
    """Choose which kinds you hear of from now on."""
    wanted = (await parse(request, Preferences)).model_dump(exclude_none=True)
    async with transaction() as session:
        return respond(await preferences.write(session, account(request), wanted))


routes = [
    route(
        "GET", "/notifications", list_notifications, scope="read", queries=Filter, gives=NotificationList
    ),
    route("GET", "/notifications/count", count_notifications, scope="read", gives=Unread),
    route("GET", "/notifications/preferences", read_preferences, scope="read", gives=dict[Kind, bool]),
    route(
        "PUT", "/notifications/preferences", write_preferences, scope="read", takes=Preferences,
        gives=dict[Kind, bool],
    ),
    route("POST", "/notifications/read-all", read_all_notifications, scope="read", gives=MarkedRead),
    route("POST", "/notifications/{id}/read", read_notification, scope="read", gives=NotificationView),
    route("DELETE", "/notifications/{id}", delete_notification, scope="read", status=204),
]  # fmt: skip
