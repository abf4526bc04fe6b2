"""Where a page of the list ends: when the last item changed, and its id. The next page begins behind it."""

from datetime import UTC, datetime
from typing import NamedTuple
from uuid import UUID


class Cursor(NamedTuple):
    """An item of a list that begins with what changed last."""

    updated_at: datetime
    resource_id: UUID

    def __str__(self) -> str:
        return f"{self.updated_at.astimezone(UTC).replace(tzinfo=None).isoformat()}Z/{self.resource_id}"

    @classmethod
    def parse(cls, text: str) -> "Cursor":
        """Read a cursor back; ValueError where it is none."""
        moment, _, id = text.partition("/")
        try:
            return cls(datetime.fromisoformat(moment).astimezone(UTC), UUID(id))
        except (ValueError, OverflowError):
            raise ValueError("is no `next` of a list") from None
