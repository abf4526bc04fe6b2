"""When the next letter goes out, by the clock where somebody lives. Pure."""

from datetime import UTC, datetime, time, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

Frequency = Literal["off", "daily", "weekly"]


def following(frequency: Frequency, weekday: int, hour: int, where: ZoneInfo, after: datetime) -> datetime | None:
    """Return the first moment after `after` at which it is that hour there, on that weekday (Monday is 1) if weekly.

    An hour that the clock leaves out comes an hour later; of one that comes twice the first counts.
    """
    if frequency == "off":
        return None
    day = after.astimezone(where).date() - timedelta(days=1)
    for _ in range(10):
        moment = datetime.combine(day, time(hour), where).astimezone(UTC)
        if moment > after and (frequency == "daily" or day.isoweekday() == weekday):
            return moment
        day += timedelta(days=1)
    raise AssertionError("every weekday comes within eight days")
