"""The page of what one reads: the list, by state, with how far one is."""

from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response

from service.cursors import Cursor
from service.database import reading
from service.readings import actions
from service.readings.progress import State
from service.ui import library
from service.ui.pages import render
from service.ui.wording import minutes_left
from service.web import Shape, account, query

Show = Literal["next", "unread", "reading", "read", "archived"]
SHOWN: dict[Show, tuple[State, ...]] = {
    "next": ("unread", "reading"),
    "unread": ("unread",),
    "reading": ("reading",),
    "read": ("read",),
    "archived": ("archived",),
}


class Asked(Shape):
    """Which part of the list."""

    show: Show = "next"
    after: str | None = Field(None, max_length=80)


@dataclass(frozen=True, slots=True)
class Tab:
    """A filter, and how many it shows."""

    name: Show
    number: int


async def readings_page(request: Request) -> Response:
    """What you want to read, read, and have read."""
    asked, who = query(request, Asked), account(request)
    after = _cursor(asked.after)
    async with reading() as session:
        counted = await actions.counts(session, who)
        rows, end = await actions.listed(session, who, SHOWN[asked.show], library.PAGE, after)
        items = await library.some(session, who, [row.resource_id for row, _ in rows])
    known: dict[UUID, library.Item] = {item.resource.id: item for item in items}
    tabs = [Tab(name, sum(counted[state] for state in states)) for name, states in SHOWN.items()]
    left = sum(minutes_left(item) for item in items if item.reading and item.reading.state in SHOWN["next"])
    return render(
        request,
        "readings.html",
        items=[known[row.resource_id] for row, _ in rows if row.resource_id in known],
        tabs=tabs,
        shown=asked.show,
        any=any(counted.values()),
        first=after is None,
        left=left,
        next=None if end is None else str(end),
    )


def _cursor(after: str | None) -> Cursor | None:
    try:
        return Cursor.parse(after) if after else None
    except ValueError:
        return None  # an old address: the list begins anew
