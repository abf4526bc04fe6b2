"""Days as they are where somebody lives."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator


def zone(name: str) -> ZoneInfo:
    """Return a time zone by its IANA name; ValueError where there is none."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError("is the IANA name of a time zone, as Europe/Berlin or UTC") from None


def _known(name: str) -> str:
    zone(name)
    return name


ZoneName = Annotated[str, AfterValidator(_known)]


def local_day(moment: datetime, where: ZoneInfo) -> date:
    """Return which day it is there."""
    return moment.astimezone(where).date()


def tomorrow(now: datetime, where: ZoneInfo) -> datetime:
    """Return when the present day there ends, in UTC."""
    following = local_day(now, where) + timedelta(days=1)
    return datetime.combine(following, time.min, where).astimezone(UTC)
