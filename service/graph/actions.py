"""Verbs of the citation graph."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID, uuid4

from sqlalchemy import Row, and_, delete, func, insert, select

from service.database import ReadSession, Session
from service.graph.tables import Citation
from service.resources.tables import Resource, visible
from service.security.accounts import Account


class Found(Protocol):
    """A citation as extraction finds it."""

    @property
    def kind(self) -> str: ...
    @property
    def value(self) -> str: ...
    @property
    def text(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Cited:
    """A citation, and the item of the library that it means; None where there is none that the account may see."""

    id: UUID
    kind: str
    value: str
    text: str
    target_id: UUID | None
    target_title: str | None


async def replace_citations(session: Session, resource_id: UUID, found: Sequence[Found]) -> list[UUID]:
    """Record what a resource cites in place of what it cited before; returns the new ids in reading order."""
    await session.execute(delete(Citation).where(Citation.resource_id == resource_id))
    ids = [uuid4() for _ in found]
    rows = [
        {
            "id": id,
            "resource_id": resource_id,
            "position": position,
            "kind": citation.kind,
            "value": citation.value[:2000],
            "text": citation.text[:4000],
        }
        for position, (id, citation) in enumerate(zip(ids, found, strict=True))
    ]
    if rows:
        await session.execute(insert(Citation), rows)
    return ids


async def citations_of(session: ReadSession, account: Account, resource_id: UUID) -> Sequence[Cited]:
    """Return what a resource cites, in reading order, with the items of the library as far as the account sees them."""
    rows = await session.execute(
        select(Citation.id, Citation.kind, Citation.value, Citation.text, Resource.id, Resource.title)
        .outerjoin(Resource, and_(Resource.id == Citation.target_id, visible(account)))
        .where(Citation.resource_id == resource_id)
        .order_by(Citation.position)
    )
    return [Cited(*row) for row in rows]


async def cited_by(session: ReadSession, account: Account, resource_id: UUID) -> Sequence[Row[UUID, str]]:
    """Return the resources that cite this one, the oldest first, as far as the account may see them."""
    query = (
        select(Resource.id, Resource.title)
        .join(Citation, Citation.resource_id == Resource.id)
        .where(Citation.target_id == resource_id, Resource.id != resource_id, visible(account))
        .group_by(Resource.id, Resource.title)
        .order_by(func.min(Resource.created_at), Resource.id)
        .limit(100)
    )
    return (await session.execute(query)).all()
