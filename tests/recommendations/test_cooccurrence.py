"""What people touched together."""

from math import sqrt
from uuid import UUID

import pytest

from service.recommendations.cooccurrence import cosine, together

A, B, C, D = (UUID(int=number) for number in range(1, 5))


def test_the_cosine_of_two_sets() -> None:
    assert cosine(2, 4, 1) == 1.0
    assert cosine(1, 2, 3) == pytest.approx(1 / sqrt(6))
    assert cosine(0, 0, 0) == 0.0


def test_what_was_touched_together_belongs_together() -> None:
    people = [{A, C}, {A, C, D}, {A}, {B, D}]
    found = together(people, {A: 1.0, B: 3.0})
    assert found.keys() == {C, D}
    assert found[C] == (pytest.approx(2 / sqrt(2 * 3) * 1 / 4), A)
    assert found[D] == (pytest.approx((1 / sqrt(2 * 3) * 1 + 1 / sqrt(2 * 1) * 3) / 4), B)


def test_nobody_else_makes_nothing() -> None:
    assert together([], {A: 1.0}) == {}
    assert together([{C, D}], {A: 1.0}) == {}
    assert together([{A, C}], {}) == {}
