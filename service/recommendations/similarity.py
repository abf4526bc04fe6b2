"""Cosines of many vectors at once."""

from collections.abc import Mapping, Sequence
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from service.inference import DIMENSIONS

_HEADER = 4  # bytes before the numbers, as pgvector sends a vector: how many there are, and nothing

Matrix = NDArray[np.float32]


def matrix(ids: Sequence[UUID], sent: Mapping[UUID, bytes]) -> Matrix:
    """Return a row for each id: its unit vector, or zeros where it has none; `sent` is what pgvector sends."""
    rows: Matrix = np.zeros((len(ids), DIMENSIONS), np.float32)
    for place, id in enumerate(ids):
        if id in sent:
            rows[place] = np.frombuffer(sent[id], dtype=">f4", offset=_HEADER)
    lengths: Matrix = np.linalg.norm(rows, axis=1, keepdims=True)
    lengths[lengths == 0] = 1
    return rows / lengths


def cosines(one: Matrix, other: Matrix) -> list[list[float]]:
    """Return the cosine of each row of one with each row of the other; 0 for a row of zeros.

    By einsum: so few are not worth the threads that a matrix product would start, and wait for on a busy machine.
    """
    return np.round(np.einsum("ij,kj->ik", one, other).astype(np.float64), 6).tolist()
