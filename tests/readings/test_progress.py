"""What follows from a state or a place in a text."""

import pytest

from service.readings.progress import END, Standing, State, moved
from service.resources.reading_time import WORDS_A_MINUTE, minutes


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
