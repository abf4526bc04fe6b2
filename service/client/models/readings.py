"""What somebody reads."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from .base import Model

ReadingState = Literal["unread", "reading", "read", "archived"]


class Reading(Model):
    """How far you are with a resource, 0 to 1; no state where you never opened it nor put it on your list."""

    resource_id: UUID
    state: ReadingState | None = None
    progress: float
    added_at: datetime | None = None
    updated_at: datetime | None = None
    finished_at: datetime | None = None


class ReadingItem(Reading):
    """The same in a list, with what the resource is."""

    title: str
    url: str | None = None
    site: str | None = None
    type: str
    language: str | None = None
    word_count: int
    reading_minutes: int


class ReadLater(Model):
    """How many of the resources are on your list now."""

    count: int
