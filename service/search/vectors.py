"""Vectors in PostgreSQL (pgvector): bytes of float32 here, its text form on the wire, no library in between."""

import struct
from typing import Any

from sqlalchemy.types import UserDefinedType

from service.inference import DIMENSIONS, Vector

TERMS = 1_000_000_000  # dimensions of a `SparseVector`: the number of a term is its place

_FLOATS = struct.Struct(f"{DIMENSIONS}f")
_TEXT = "[" + ",".join(["%.7g"] * DIMENSIONS) + "]"  # seven digits are all that a float32 has


def floats(vector: Vector) -> list[float]:
    """Return the numbers of a vector."""
    return list(_FLOATS.unpack(vector))


def to_text(vector: Vector) -> str:
    """Return a vector as PostgreSQL reads it."""
    return _TEXT % _FLOATS.unpack(vector)


def from_text(text: str) -> Vector:
    """Return a vector that PostgreSQL wrote."""
    return _FLOATS.pack(*map(float, text[1:-1].split(",")))


class _VectorType(UserDefinedType[Vector]):
    name: str

    def __init__(self, dimensions: int = DIMENSIONS) -> None:
        super().__init__()
        self.dimensions = dimensions

    def get_col_spec(self, **_: Any) -> str:
        return f"{self.name}({self.dimensions})"

    def bind_processor(self, dialect: Any) -> Any:
        def process(value: Vector | None) -> str | None:
            return None if value is None else to_text(value)

        return process

    def result_processor(self, dialect: Any, coltype: Any) -> Any:
        def process(value: str | None) -> Vector | None:
            return None if value is None else from_text(value)

        return process


class FullVector(_VectorType):
    """`vector`: four bytes a dimension."""

    cache_ok = True  # SQLAlchemy wants it said by each class
    name = "vector"


class HalfVector(_VectorType):
    """`halfvec`: two bytes a dimension. The angle between two vectors changes in the fourth digit, the index halves."""

    cache_ok = True
    name = "halfvec"


class SparseVector(UserDefinedType[str]):
    """`sparsevec`: the few places that are not zero, as `{place:value,...}/dimensions`."""

    cache_ok = True

    def get_col_spec(self, **_: Any) -> str:
        return f"sparsevec({TERMS})"
