"""Days where somebody lives, and days in a row."""

from datetime import UTC, date, datetime

import pytest

from service.reviews.days import local_day, tomorrow, zone
from service.reviews.statistics import streaks

TODAY = date(2026, 3, 10)


@pytest.mark.parametrize(
    ("name", "day", "end"),
    [
        ("UTC", 28, "2026-03-29T00:00:00+00:00"),
        ("Pacific/Kiritimati", 29, "2026-03-29T10:00:00+00:00"),
        ("America/Los_Angeles", 28, "2026-03-29T07:00:00+00:00"),
        ("Asia/Kathmandu", 29, "2026-03-29T18:15:00+00:00"),
        ("Europe/Berlin", 29, "2026-03-29T22:00:00+00:00"),  # of 23 hours: summer time begins on it
    ],
)
def test_a_day_ends_where_one_lives(name: str, day: int, end: str) -> None:
    now = datetime(2026, 3, 28, 23, 30, tzinfo=UTC)
    assert local_day(now, zone(name)).day == day
    assert tomorrow(now, zone(name)).isoformat() == end


@pytest.mark.parametrize(
    "name", ["Mars/Olympus", "", "../../etc/passwd", "/etc/localtime", "x" * 5000, "Europe", "\x00"]
)
def test_what_is_no_zone(name: str) -> None:
    with pytest.raises(ValueError, match="IANA"):
        zone(name)


@pytest.mark.parametrize(
    ("ago", "current", "longest"),
    [([], 0, 0), ([0], 1, 1), ([1], 1, 1), ([2], 0, 1), ([0, 1, 2, 5, 6, 7, 8], 3, 4), ([1, 2, 4], 2, 2)],
)
def test_days_in_a_row(ago: list[int], current: int, longest: int) -> None:
    studied = {date.fromordinal(TODAY.toordinal() - days) for days in ago}
    assert streaks(studied, TODAY) == {"current": current, "longest": longest}
