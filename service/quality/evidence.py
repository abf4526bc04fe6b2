"""What is read about a resource and the library around it, before anything is computed."""

from dataclasses import asdict, dataclass
from datetime import datetime
from hashlib import sha256
from typing import NamedTuple
from uuid import UUID

import orjson

TEXT = 50_000  # characters of a text that are looked at: some 8,000 words
CITATIONS = 1000  # that are checked


class Cited(NamedTuple):
    """Something that a resource cites, and whether the library holds it."""

    kind: str
    value: str
    resolved: bool


@dataclass(frozen=True, slots=True)
class Surroundings:
    """The newest shared resources that a resource is compared with; similarities are cosines to two digits.

    `near` is to their centroid, `typical` the median of theirs to it; `kin` and `near_kin` are about those that share a
    subject. Nothing is known where there are too few.
    """

    size: int = 0
    near: float | None = None  # None: the resource has no embedding yet
    typical: float | None = None
    kin: int = 0
    near_kin: float | None = None


@dataclass(frozen=True, slots=True)
class Evidence:
    """A resource as its quality is judged by."""

    resource_id: UUID
    content_hash: str
    title: str
    text: str  # its first `TEXT` characters
    word_count: int
    description: str = ""
    url: str | None = None
    canonical_url: str | None = None
    type: str = "note"
    language: str | None = None
    authors: int = 0
    subjects: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    published_at: datetime | None = None
    month: datetime | None = None  # the first of this one, where there is a date to compare it with
    in_future: bool = False
    duplicate: bool = False
    superseded: bool = False
    citations: tuple[Cited, ...] = ()
    uses: int = 0  # resources that cite it
    readers: int = 0  # people besides the owner who touched it lately, five at most
    around: Surroundings = Surroundings()
    source_hash: str = ""  # of the rows it was read from; what the reconciler compares
    audience: UUID | None = None

    def hash(self, weights: tuple[float, ...], version: str) -> str:
        """Return the SHA-256 of everything that the scores are computed from."""
        read = asdict(self) | {"weights": weights, "version": version}
        for name in ("resource_id", "text", "source_hash", "audience"):  # for the text stands its hash
            del read[name]
        return sha256(orjson.dumps(read, default=str, option=orjson.OPT_SORT_KEYS)).hexdigest()
