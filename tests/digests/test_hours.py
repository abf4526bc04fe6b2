"""When the next letter goes out."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from service.digests.hours import Frequency, following

BERLIN, KOLKATA = ZoneInfo("Europe/Berlin"), ZoneInfo("Asia/Kolkata")


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("frequency", "weekday", "hour", "where", "after", "next_one"),
    [
        ("daily", 1, 7, BERLIN, "2026-11-28T05:59", "2026-11-28T06:00"),
        ("daily", 1, 7, BERLIN, "2026-11-28T06:00", "2026-11-29T06:00"),  # not twice
        ("daily", 1, 7, KOLKATA, "2026-11-28T06:00", "2026-11-29T01:30"),
        ("weekly", 1, 7, BERLIN, "2026-11-28T06:00", "2026-11-30T06:00"),  # a Saturday; then Monday
        ("weekly", 6, 7, BERLIN, "2026-11-28T06:00", "2026-12-05T06:00"),
        ("weekly", 1, 0, KOLKATA, "2026-11-28T06:00", "2026-11-29T18:30"),  # Sunday in UTC
        ("daily", 1, 2, BERLIN, "2027-03-28T00:00", "2027-03-28T01:00"),  # 2 o'clock is left out that night
        ("daily", 1, 2, BERLIN, "2026-10-25T00:00", "2026-10-26T01:00"),  # and comes twice in this one: once it was
        ("daily", 1, 2, BERLIN, "2026-10-24T12:00", "2026-10-25T00:00"),
    ],
)
def test_the_clock_of_the_place_counts(
    frequency: Frequency, weekday: int, hour: int, where: ZoneInfo, after: str, next_one: str
) -> None:
    assert following(frequency, weekday, hour, where, at(after)) == at(next_one)


def test_off_is_never() -> None:
    assert following("off", 1, 7, BERLIN, at("2026-11-28T06:00")) is None
