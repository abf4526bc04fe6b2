"""How it goes: what is remembered, on how many days in a row, and what comes."""

from collections import Counter
from collections.abc import Collection
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import case, func, select, text

from service.database import ReadSession
from service.reviews.actions import is_due, reviewable
from service.reviews.days import local_day
from service.reviews.tables import Review, ReviewCard
from service.security.accounts import Account

DAYS = 30
MATURE = 21  # days of stability; as Anki calls a card then
_QUARTER = text("interval '15 minutes'")  # no time zone of today is off by less
_ORIGIN = datetime.fromisoformat("2000-01-01T00:00:00+00:00")


async def statistics(session: ReadSession, account: Account, now: datetime, where: ZoneInfo) -> dict[str, Any]:
    """Return retention, streak, what is due, a forecast by day, and counts by state."""
    today = local_day(now, where)
    own = Review.owner_id == account.id
    recent = Review.reviewed_at > now - timedelta(days=DAYS)
    tested = (Review.state == "review") & (Review.elapsed_days >= 1)
    counted = select(
        func.count().filter(tested & recent),
        func.count().filter(tested & recent & (Review.rating > 1)),
        func.count().filter(recent),
        func.count(),
    ).where(own)
    asked, remembered, lately, ever = (await session.execute(counted)).one()
    bins = func.date_bin(_QUARTER, Review.reviewed_at, _ORIGIN)
    studied = await session.execute(select(bins, func.count()).where(own).group_by(bins))
    by_day: Counter[date] = Counter()
    for moment, number in studied:
        by_day[local_day(moment, where)] += number
    cards = reviewable(account).with_only_columns(ReviewCard.due).where(ReviewCard.suspended_at.is_(None)).subquery()
    bins = func.date_bin(_QUARTER, cards.c.due, _ORIGIN)
    forecast = Counter[date]()
    for moment, number in await session.execute(select(bins, func.count()).group_by(bins)):
        forecast[max(today, local_day(moment, where))] += number
    days = [today + timedelta(days=number) for number in range(DAYS)]
    due_now = select(func.count()).select_from(
        reviewable(account).where(is_due(now, where)).with_only_columns(ReviewCard.question_id).subquery()
    )
    return {
        "today": today,
        "due": await session.scalar(due_now) or 0,
        "reviewed_today": by_day[today],
        "retention": {
            "days": DAYS,
            "reviews": asked,
            "remembered": remembered,
            "rate": round(remembered / asked, 4) if asked else None,
        },
        "reviews": {"last_30_days": lately, "total": ever},
        "streak": streaks(by_day.keys(), today),
        "forecast": [{"day": day, "due": forecast[day]} for day in days],
        "states": await _states(session, account),
    }


async def _states(session: ReadSession, account: Account) -> dict[str, int]:
    name = case(
        (ReviewCard.suspended_at.is_not(None), "suspended"),
        (ReviewCard.state == "relearning", "relearning"),
        (ReviewCard.stability >= MATURE, "mature"),
        else_="young",
    ).label("name")
    named = reviewable(account).with_only_columns(name).subquery()
    rows = await session.execute(select(named.c.name, func.count()).group_by(named.c.name))
    found: dict[str, int] = {name: number for name, number in rows}
    counts = {state: found.get(state, 0) for state in ("young", "mature", "relearning", "suspended")}
    return {**counts, "total": sum(counts.values())}


def streaks(studied: Collection[date], today: date) -> dict[str, int]:
    """Return the days in a row on which somebody studied: up to now, and the most there ever were.

    A streak lives through a day until that is over.
    """
    longest = current = 0
    day: date | None = None
    for following in sorted(studied):
        current = current + 1 if day is not None and following - day == timedelta(days=1) else 1
        longest, day = max(longest, current), following
    alive = day is not None and today - day <= timedelta(days=1)
    return {"current": current if alive else 0, "longest": longest}
