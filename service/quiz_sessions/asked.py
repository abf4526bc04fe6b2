"""A question as somebody sees it, with its key."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Asked:
    """A question as it is shown: `key` is as `Question.answer`, its `option` an index into these `options`."""

    id: UUID
    type: str
    stem: str
    options: list[str] | None
    key: Mapping[str, Any]
    passage: str

    @property
    def blanks(self) -> int | None:
        """How many texts it takes; None where it takes something else."""
        return len(self.key["blanks"]) if self.type == "fill_in_blank" else None
