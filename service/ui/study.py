"""The pages on which somebody takes a quiz, sees what came of it, and reviews."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple
from urllib.parse import quote, unquote
from zoneinfo import ZoneInfo

import orjson
from markupsafe import Markup
from sqlalchemy import func, select
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from service.database import reading
from service.live.hub import newest
from service.quiz_sessions import actions
from service.quiz_sessions.opened import newest_open
from service.quiz_sessions.results import NotSubmitted, results
from service.reviews.days import zone
from service.reviews.statistics import statistics
from service.ui.pages import render
from service.ui.text import text
from service.web import account, path_id

LIMITS = (5, 10, 20, 30, 60, 90)  # minutes
BLANK = "_____"
EARLIER = 5  # results that are listed
EDGE = 4  # words by which each end of a passage is found


async def take_page(request: Request) -> Response:
    """Take a quiz: begin, or go on where one was, on whatever device."""
    who, id, now = account(request), path_id(request, what="quiz"), datetime.now(UTC)
    position = await newest()
    async with reading() as session:
        quiz = await actions.quiz_of(session, who, id)
        going = await newest_open(session, who.id, id)
        sitting = None if going is None else await actions.read(session, who, going)
        asked = actions.askable(who, id).subquery()
        count = await session.scalar(select(func.count()).select_from(asked)) or 0
        _, earlier = await actions.browse(session, who, now, limit=EARLIER, offset=0, quiz_id=id, state="submitted")
    taken = actions.shown(sitting, now) if sitting is not None and sitting.asked else None  # none: all were deleted
    return render(
        request,
        "take.html",
        quiz=quiz,
        taken=taken,
        count=count,
        earlier=earlier,
        limits=LIMITS,
        position=position,
        gaps=gaps,
        taking=Markup("null") if taken is None else in_page({"answers": taken["answers"]}),
    )


def gaps(stem: str, blanks: int) -> list[str]:
    """Split a stem at its blanks; where it does not have as many, what is to be filled in follows it."""
    parts = stem.split(BLANK)
    return parts if len(parts) == blanks + 1 else [f"{stem} ", *[" "] * blanks]


def in_page(data: Any) -> Markup:
    """Return JSON that may stand in a page."""
    return Markup(orjson.dumps(data).decode().replace("<", "\\u003c"))  # noqa: S704  # no tag can begin in it


async def session_page(request: Request) -> Response:
    """What came of a session; one that is not submitted goes on."""
    who, id = account(request), path_id(request, what="session")
    async with reading() as session:
        try:
            found = await results(session, who, id)
        except NotSubmitted:
            sitting = await actions.read(session, who, id)
            return RedirectResponse(f"/ui/quizzes/{sitting.row.quiz_id}/take", 303)
    return render(request, "result.html", result=found, passage_link=passage_link)


def passage_link(passage: Mapping[str, Any]) -> str:
    """Return where a passage is in the reading view: a text fragment (https://wicg.github.io/scroll-to-text-fragment/)."""
    blocks = [block for line in str(passage["text"]).splitlines() if (block := " ".join(line.split()))]
    if len(blocks) > 1:  # one end and the other, since a fragment as a whole stands in one block
        blocks = [" ".join(blocks[0].split()[:EDGE]), " ".join(blocks[-1].split()[-EDGE:])]
    marked = ",".join(quote(block, safe="").replace("-", "%2D") for block in blocks)
    return f"/ui/resources/{passage['resource_id']}#:~:text={marked}"


async def reviews_page(request: Request) -> Response:
    """Review what is due, and see how it goes."""
    where = _zone(request)
    async with reading() as session:
        found = await statistics(session, account(request), datetime.now(UTC), where)
    return render(request, "reviews.html", stats=found, bars=bars(found["forecast"]), plot=PLOT, timezone=where.key)


def _zone(request: Request) -> ZoneInfo:
    """Return where somebody lives, as the browser said it in a cookie."""
    try:
        return zone(unquote(request.cookies.get("pharos_timezone", "UTC")))
    except ValueError:
        return zone("UTC")


class Plot(NamedTuple):
    """The size of the forecast, and what its parts take, in its own units."""

    width: int = 640
    height: int = 130
    foot: int = 24
    head: int = 22
    gap: int = 4


class Bar(NamedTuple):
    """One day of the forecast, as it is drawn."""

    x: float
    y: float
    width: float
    height: float
    due: int
    day: str
    label: str  # under the bar, or nothing


PLOT = Plot()


def bars(forecast: Sequence[Mapping[str, Any]]) -> list[Bar]:
    """Lay the days of a forecast out; the highest bar fills the plot."""
    most = max(1, *(day["due"] for day in forecast))
    room, step = PLOT.height - PLOT.foot - PLOT.head, PLOT.width / len(forecast)
    drawn: list[Bar] = []
    for place, one in enumerate(forecast):
        height = round(room * one["due"] / most, 2)
        top = round(PLOT.head + room - height, 2)
        day = one["day"]
        named = f"{day.day} {text(f'month.{day.month}')[:3]}" if place % 7 == 0 and place + 3 < len(forecast) else ""
        x = round(place * step + PLOT.gap / 2, 2)
        drawn.append(Bar(x, top, round(step - PLOT.gap, 2), height, one["due"], day.isoformat(), named))
    return drawn
