"""The passages of texts, for whoever needs parts that make sense by themselves: quizzes, pages, programs."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Select, func, select

from service.database import ReadSession
from service.documents.cutting import Cut, cut
from service.documents.tables import Passage
from service.resources.tables import Resource


@dataclass(frozen=True, slots=True)
class Piece:
    """A passage with its words; `start` and `end` count characters of the resource's content."""

    position: int
    heading: tuple[str, ...]  # the path of headings above it
    start: int
    end: int
    tokens: int  # word pieces, about
    kind: str  # text, table or list
    text: str


def _present(resource_id: UUID, *columns: Any) -> Select[*tuple[Any, ...]]:
    """Select passages that were cut from the present text of a resource."""
    return (
        select(*columns)
        .select_from(Passage)
        .join(Resource, (Resource.id == Passage.resource_id) & (Resource.content_hash == Passage.content_hash))
        .where(Passage.resource_id == resource_id)
    )


async def page_of(session: ReadSession, resource_id: UUID, limit: int, offset: int) -> tuple[int, list[Piece]]:
    """Return how many passages of its present text a resource has, and one page of them; none before they are cut."""
    total = await session.scalar(_present(resource_id, func.count()))
    words = func.substr(Resource.content, Passage.start + 1, Passage.end - Passage.start)
    rows = await session.execute(
        _present(
            resource_id,
            Passage.position,
            Passage.heading,
            Passage.start,
            Passage.end,
            Passage.tokens,
            Passage.kind,
            words,
        )
        .order_by(Passage.position)
        .limit(limit)
        .offset(offset)
    )
    return total or 0, [
        Piece(position, tuple(heading), start, end, tokens, kind, text)
        for position, heading, start, end, tokens, kind, text in rows
    ]


@dataclass(frozen=True, slots=True)
class Source:
    """A text with what is known of its passages."""

    resource_id: UUID
    content: str
    content_hash: str
    html: str | None
    known: Sequence[Cut]

    def pieces(self) -> list[Piece]:
        """Return the passages; what is no document, or is not cut yet, is cut now, which is work for a thread."""
        return [
            Piece(position, one.heading, one.start, one.end, one.tokens, one.kind, self.content[one.start : one.end])
            for position, one in enumerate(self.known or cut(self.content, self.html))
        ]


async def sources(session: ReadSession, resource_ids: Sequence[UUID]) -> list[Source]:
    """Return the texts of these resources, as far as they have one, with the passages of their present form.

    Who asks has made sure that the account may see them.
    """
    rows = await session.scalars(
        select(Passage)
        .join(Resource, (Resource.id == Passage.resource_id) & (Resource.content_hash == Passage.content_hash))
        .where(Passage.resource_id.in_(resource_ids))
        .order_by(Passage.position)
    )
    cuts: dict[UUID, list[Cut]] = {}
    for row in rows:
        kind: Any = row.kind
        cuts.setdefault(row.resource_id, []).append(Cut(row.start, row.end, tuple(row.heading), row.tokens, kind))
    found = await session.execute(
        select(Resource.id, Resource.content, Resource.content_hash, Resource.content_html).where(
            Resource.id.in_(resource_ids), Resource.content_hash.is_not(None)
        )
    )
    return [
        Source(id, content, content_hash or "", html, cuts.get(id, [])) for id, content, content_hash, html in found
    ]
