"""The page of notifications: what somebody is told, and what they want to hear of."""

from zoneinfo import available_timezones

from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response

from service.database import reading
from service.digests import actions as digests
from service.digests import mail
from service.live.hub import newest
from service.notifications import actions, preferences
from service.notifications.wording import WORDS
from service.ui.pages import render
from service.web import Shape, account, query

PAGE = 25


class Asked(Shape):
    """Which part of the list."""

    unread: bool = False
    page: int = Field(1, ge=1, le=40_000)


async def notifications_page(request: Request) -> Response:
    """Show what somebody is told, and let them choose."""
    asked, who = query(request, Asked), account(request)
    position = await newest()  # before the list is read: what happens after it is told by the stream
    async with reading() as session:
        total, rows = await actions.browse(
            session, who, unread=asked.unread or None, kind=None, limit=PAGE, offset=(asked.page - 1) * PAGE
        )
        unread = await actions.count_unread(session, who)
        wanted = await preferences.read(session, who)
        digest = await digests.read(session, who)
    return render(
        request,
        "notifications.html",
        items=[actions.shown(row) for row in rows],
        unread=unread,
        unread_only=asked.unread,
        page=asked.page,
        more=total > asked.page * PAGE,
        kinds=[(kind, WORDS[kind].label, chosen) for kind, chosen in wanted.items()],
        digest=digest,
        mail=mail.configured(),
        zones=sorted(available_timezones()),
        position=position,
    )
