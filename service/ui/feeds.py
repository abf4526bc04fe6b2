"""The page of feeds: what one follows, how it goes, and what it brought."""

from uuid import UUID

from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response

from service.collections import actions as collections
from service.database import reading
from service.feeds import actions
from service.feeds.tables import Feed
from service.ui.pages import render
from service.web import Shape, account, query

PAGE = 50
ENTRIES = 25
COLLECTIONS = 100  # to choose from


class Asked(Shape):
    """Which page of feeds, which of them alone, and of which one the entries are shown."""

    id: UUID | None = None
    failing: bool | None = None
    page: int = Field(1, ge=1, le=40_000)


def state(feed: Feed) -> str:
    """Say in one word how a feed is."""
    if feed.paused:
        return "paused"
    if feed.error is not None:
        return "failing"
    return "on" if feed.checked_at is not None else "new"


async def feeds_page(request: Request) -> Response:
    """Show the feeds that somebody follows, and of one of them what was seen."""
    asked, who = query(request, Asked), account(request)
    total, seen, chosen = 0, (), None
    async with reading() as session:
        number, rows = await actions.listed(
            session, who, failing=asked.failing, limit=PAGE, offset=0 if asked.id else (asked.page - 1) * PAGE
        )
        _, own = await collections.browse(session, who, own=True, limit=COLLECTIONS, offset=0)
        if asked.id is not None:
            chosen = await actions.read(session, who, asked.id)
            total, seen = await actions.entries(session, who, asked.id, ENTRIES, (asked.page - 1) * ENTRIES)
            number, rows = 1, [chosen]
    shown = (total, ENTRIES) if chosen else (number, PAGE)
    return render(
        request,
        "feeds.html",
        feeds=rows,
        number=number,
        state=state,
        collections=own,
        names={one["id"]: one["name"] for one in own},
        chosen=chosen,
        entries=seen,
        failing=bool(asked.failing),
        page=asked.page,
        more=shown[0] > asked.page * shown[1],
    )
