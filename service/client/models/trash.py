"""What was deleted, and what is there twice."""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal
from uuid import UUID

from .base import Model
from .library import ResourceItem


class Trashed(Model):
    """A resource in the trash."""

    id: UUID
    title: str
    url: str | None = None
    type: str
    private: bool
    deleted_at: datetime
    deleted_by: UUID | None = None
    purged_after: datetime


class Purged(Model):
    """How many resources were deleted for good."""

    purged: int


class NewSeparation(Model):
    """What was said; by its id it can be undone."""

    id: UUID


class Separation(NewSeparation):
    """Resources of which you said that no two are duplicates, the oldest first."""

    separated_at: datetime
    items: Sequence[ResourceItem]


class DuplicateGroup(Model):
    """Resources that are the same in these respects, the oldest first."""

    reasons: Sequence[Literal["text", "address", "near"]]
    items: Sequence[ResourceItem]
