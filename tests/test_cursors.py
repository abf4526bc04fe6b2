"""Where a page of a list ends, as it stands in an address."""

from datetime import UTC, datetime

import pytest

from service.cursors import Cursor

NOON, ID = "2026-11-28T12:00:00.000005", "6f9619ff-8b86-d011-b42d-00cf4fc964ff"


@pytest.mark.parametrize(
    "text", ["", "1", "x/y", f"{NOON}Z/2", f"2026/{ID}", f"0001-01-01T00:00:00+14:00/{ID}", f"{NOON}Z{ID}"]
)
def test_what_is_no_cursor(text: str) -> None:
    with pytest.raises(ValueError, match="is no `next`"):
        Cursor.parse(text)


@pytest.mark.parametrize("zone", ["Z", "+00:00"])
def test_a_cursor_is_read_back(zone: str) -> None:
    cursor = Cursor.parse(f"{NOON}{zone}/{ID}")
    assert cursor.at == datetime(2026, 11, 28, 12, 0, 0, 5, UTC)
    assert str(cursor) == f"{NOON}Z/{ID}"
