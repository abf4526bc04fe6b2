"""Where a page of a list ends that begins with the newest: the time and the id of its last item."""

from datetime import UTC, datetime
from typing import Annotated, NamedTuple
from uuid import UUID

from pydantic import BeforeValidator, Field, InstanceOf, WithJsonSchema


class Cursor(NamedTuple):
    """The last item of a page; the next page begins behind it."""

    at: datetime
    id: UUID

    def __str__(self) -> str:
        return f"{self.at.astimezone(UTC).replace(tzinfo=None).isoformat()}Z/{self.id}"

    @classmethod
    def parse(cls, text: str) -> "Cursor":
        """Read a cursor back; ValueError where it is none."""
        moment, _, id = text.partition("/")
        try:
            return cls(datetime.fromisoformat(moment).astimezone(UTC), UUID(id))
        except (ValueError, OverflowError):
            raise ValueError("is no `next` of a list") from None


def _read(value: object) -> object:
    return Cursor.parse(value) if isinstance(value, str) else value


After = Annotated[
    InstanceOf[Cursor] | None,
    BeforeValidator(_read),
    WithJsonSchema({"type": "string"}),
    Field(description="`next` of the page before."),
]
