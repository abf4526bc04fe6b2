"""Vectors as PostgreSQL reads and writes them."""

import struct

from hypothesis import given
from hypothesis import strategies as st

from service.inference import DIMENSIONS
from service.search.vectors import from_text, to_text


@given(st.lists(st.floats(-1, 1, width=32), min_size=8, max_size=8))
def test_a_vector_survives_the_wire(values: list[float]) -> None:
    values *= DIMENSIONS // len(values)
    back = struct.unpack(f"{DIMENSIONS}f", from_text(to_text(struct.pack(f"{DIMENSIONS}f", *values))))
    assert all(abs(a - b) <= 1e-6 * max(abs(a), 1e-30) for a, b in zip(values, back, strict=True))
