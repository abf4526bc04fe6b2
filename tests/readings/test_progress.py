"""What follows from a state or a place in a text."""

from datetime import UTC, datetime

import pytest

from service.readings.cursors import Cursor
from service.readings.progress import END, Standing, State, moved
from service.resources.reading_time import WORDS_A_MINUTE, minutes

NOON, ID = "2026-11-28T12:00:00.000005", "6f9619ff-8b86-d011-b42d-00cf4fc964ff"


@pytest.mark.parametrize(
    ("before", "state", "progress", "after"),
    [
        (None, "unread", None, ("unread", 0)),
        (None, None, 0.0, ("unread", 0)),
        (None, None, 0.3, ("reading", 0.3)),
        (("unread", 0), None, 0.3, ("reading", 0.3)),
        (("reading", 0.3), None, 0.1, ("reading", 0.1)),
        (("reading", 0.3), None, 0.0, ("reading", 0)),
        (("reading", 0.3), None, END, ("read", END)),
        (("read", 1), None, 0.2, ("read", 0.2)),
        (("archived", 0.4), None, 1.0, ("archived", 1)),
        (("reading", 0.4), "archived", None, ("archived", 0.4)),
        (("reading", 0.4), "read", None, ("read", 1)),
        (("read", 1), "unread", None, ("unread", 0)),
        (("read", 1), "reading", 0.6, ("reading", 0.6)),
        (None, "read", 0.5, ("read", 0.5)),
    ],
)
def test_moved(
    before: tuple[State, float] | None, state: State | None, progress: float | None, after: tuple[State, float]
) -> None:
    assert moved(Standing(*before) if before else None, state, progress) == after


@pytest.mark.parametrize(
    ("words", "expected"), [(0, 0), (1, 1), (WORDS_A_MINUTE, 1), (2 * WORDS_A_MINUTE, 2), (100_000, 420)]
)
def test_minutes(words: int, expected: int) -> None:
    assert minutes(words) == expected


@pytest.mark.parametrize(
    "text", ["", "1", "x/y", f"{NOON}Z/2", f"2026/{ID}", f"0001-01-01T00:00:00+14:00/{ID}", f"{NOON}Z{ID}"]
)
def test_what_is_no_cursor(text: str) -> None:
    with pytest.raises(ValueError, match="is no `next`"):
        Cursor.parse(text)


@pytest.mark.parametrize("zone", ["Z", "+00:00"])
def test_a_cursor_is_read_back(zone: str) -> None:
    cursor = Cursor.parse(f"{NOON}{zone}/{ID}")
    assert cursor.updated_at == datetime(2026, 11, 28, 12, 0, 0, 5, UTC)
    assert str(cursor) == f"{NOON}Z/{ID}"
