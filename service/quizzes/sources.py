"""What a quiz is made of: the resources behind documents, resources or a collection, as its owner may see them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Select, select, text

from service.collections.tables import Collection, CollectionResource, readable
from service.database import ReadSession
from service.documents.tables import Document
from service.errors import Conflict, Invalid, NotFound
from service.resources.tables import Resource, visible_to
from service.security.accounts import Account

MOST = 100  # resources of one quiz
FEWEST_WORDS = 60
NEIGHBOURS = 5
NEIGHBOUR_LENGTH = 40_000  # characters that are read of a neighbour

# The same person's, nearest in meaning first; while nothing is embedded, the newest.
_NEIGHBOURS = text(
    """SELECT r.id, left(r.content, :length) AS content, r.language
    FROM resources r LEFT JOIN embeddings e ON e.resource_id = r.id
    WHERE r.owner_id = :owner AND r.content <> '' AND NOT r.id = ANY(:ids)
    ORDER BY e.mean <=> (SELECT mean FROM embeddings WHERE resource_id = :first) NULLS LAST, r.created_at DESC, r.id
    LIMIT :most"""
)


class StillProcessing(Conflict):
    """“{title}” is still {status}: a quiz can be made of it once it is read. Try again in a moment."""


class Unreadable(Conflict):
    """“{title}” could not be read, so that no quiz can be made of it."""


class NothingThere(Invalid):
    """The collection holds nothing that you may see."""


class TooMany(Invalid):
    """A quiz is made of {most} items at most; these are {number}."""


class TooLittleText(Invalid):
    """There is too little text for a quiz: {number} words, and at least {fewest} are needed."""


@dataclass(frozen=True, slots=True)
class Source:
    """A resource that a quiz is made of; its content where that was read, too."""

    id: UUID
    title: str
    status: str
    words: int
    language: str | None
    content_hash: str | None
    content: str = ""


def _chosen(account_id: UUID, sources: Mapping[str, Any]) -> Select[UUID]:
    seen = select(Resource.id).where(visible_to(account_id))
    if "document_ids" in sources:
        ids = [UUID(id) for id in sources["document_ids"]]
        return seen.join(Document, Document.resource_id == Resource.id).where(Document.id.in_(ids))
    if "resource_ids" in sources:
        return seen.where(Resource.id.in_([UUID(id) for id in sources["resource_ids"]]))
    members = CollectionResource.resource_id == Resource.id
    return seen.join(CollectionResource, members).where(
        CollectionResource.collection_id == UUID(sources["collection_id"])
    )


async def named(session: ReadSession, account: Account, sources: Mapping[str, Any]) -> list[Source]:
    """Return what a quiz is asked for, without its text.

    Raises NotFound, NothingThere, TooMany, StillProcessing, Unreadable and TooLittleText.
    """
    if "collection_id" in sources:
        await _look_into(session, account, UUID(sources["collection_id"]))
    found = await read(session, account.id, sources, contents=False)
    if len(found) > MOST:
        raise TooMany(most=MOST, number=len(found))
    for field, what in (("document_ids", "document"), ("resource_ids", "resource")):
        if field in sources and len(found) < len(set(sources[field])):
            raise NotFound(what=what, id=await _missing(session, account, field, sources[field]))
    if not found:
        raise NothingThere
    for one in found:
        if one.status in ("pending", "processing"):
            raise StillProcessing(title=one.title[:100], status={"pending": "waiting"}.get(one.status, one.status))
        if one.status == "failed" and "collection_id" not in sources:
            raise Unreadable(title=one.title[:100])
    number = sum(one.words for one in found)
    if number < FEWEST_WORDS and not any(one.language in ("zh", "ja", "th") for one in found):
        raise TooLittleText(number=number, fewest=FEWEST_WORDS)
    return found


async def _look_into(session: ReadSession, account: Account, id: UUID) -> None:
    if await session.scalar(select(Collection.id).where(Collection.id == id, readable(account))) is None:
        raise NotFound(what="collection", id=id)


async def _missing(session: ReadSession, account: Account, field: str, ids: Sequence[str]) -> UUID:
    """Return the first id that leads to nothing."""
    for id in ids:
        if await session.scalar(_chosen(account.id, {field: [id]})) is None:
            return UUID(id)
    raise AssertionError(f"all of {ids} are there")


async def read(
    session: ReadSession, account_id: UUID, sources: Mapping[str, Any], *, contents: bool = True
) -> list[Source]:
    """Return the resources that a quiz is made of, as far as its owner may see them, the oldest first."""
    columns: list[Any] = [
        Resource.id,
        Resource.title,
        Resource.status,
        Resource.word_count.label("words"),
        Resource.language,
        Resource.content_hash,
        *([Resource.content] if contents else []),
    ]
    chosen = select(*columns).where(Resource.id.in_(_chosen(account_id, sources)))
    rows = (await session.execute(chosen.order_by(Resource.created_at, Resource.id).limit(MOST + 1))).mappings()
    return [Source(**row) for row in rows]


async def neighbours(session: ReadSession, owner_id: UUID, ids: Sequence[UUID]) -> list[tuple[str, str | None]]:
    """Return the texts, and their languages, of what the owner has besides, nearest to the first of `ids` first."""
    values = {"owner": owner_id, "ids": list(ids), "first": ids[0], "length": NEIGHBOUR_LENGTH, "most": NEIGHBOURS}
    return [(row.content, row.language) for row in await session.execute(_NEIGHBOURS, values)]
