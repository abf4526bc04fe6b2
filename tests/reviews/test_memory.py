"""When a question comes back: the same ratings at the same times make the same dates."""

from datetime import UTC, datetime, timedelta

import pytest

from service.reviews.memory import Memory, rating_of, reviewed

NOW = datetime(2026, 3, 1, 9, tzinfo=UTC)


@pytest.mark.parametrize(("rating", "days"), [(1, 1), (2, 1), (3, 2), (4, 8)])
def test_a_new_question_comes_back_after_days(rating: int, days: int) -> None:
    first = reviewed(None, rating, NOW)
    assert (first.state, first.due) == ("review", NOW + timedelta(days=days))
    assert first == reviewed(None, rating, NOW)


def test_what_is_remembered_comes_ever_later_and_what_is_forgotten_soon() -> None:
    memory, now, intervals = reviewed(None, 3, NOW), NOW, list[int]()
    for _ in range(6):
        now = memory.due
        memory = reviewed(memory, 3, now)
        intervals.append((memory.due - now).days)
    assert intervals == sorted(intervals)
    assert intervals[-1] > 100
    forgotten = reviewed(memory, 1, memory.due)
    assert (forgotten.state, forgotten.due - memory.due) == ("relearning", timedelta(minutes=10))
    assert forgotten.stability < memory.stability / 2
    again = reviewed(forgotten, 3, forgotten.due)
    assert again.state == "review"
    assert timedelta(days=1) <= again.due - forgotten.due < timedelta(days=intervals[-1])


def test_ratings_are_in_order() -> None:
    memory: Memory = reviewed(None, 3, NOW)
    dues = [reviewed(memory, rating, memory.due).due for rating in (1, 2, 3, 4)]
    assert dues == sorted(set(dues))


@pytest.mark.parametrize(("share", "rating"), [(1, 3), (0.999, 2), (0.6, 2), (0.59, 1), (0, 1)])
def test_points_become_ratings(share: float, rating: int) -> None:
    assert rating_of(share) == rating
