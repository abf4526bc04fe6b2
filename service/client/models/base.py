"""What all answers have in common."""

from collections.abc import Sequence
from typing import Generic, TypeVar

from pydantic import BaseModel, ConfigDict

ItemT = TypeVar("ItemT")


class Model(BaseModel):
    """The base of what is answered."""

    model_config = ConfigDict(extra="ignore", frozen=True, defer_build=True)  # built when first needed: a quick start


class Page(Model, Generic[ItemT]):
    """One page of a list, and how many items there are in all."""

    total: int
    items: Sequence[ItemT]
    limit: int
    offset: int


class Items(Model, Generic[ItemT]):
    """A list that is answered whole."""

    items: Sequence[ItemT]


class Part(Model, Generic[ItemT]):
    """A part of a list that begins with what came last; no `next`: it is the last part."""

    total: int
    items: Sequence[ItemT]
    limit: int
    next: str | None = None
