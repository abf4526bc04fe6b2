"""Verbs of the citation graph."""

from collections.abc import Sequence
from typing import Protocol
from uuid import UUID, uuid4

from sqlalchemy import Row, delete, func, insert, select

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


async def citations_of(session: ReadSession, resource_id: UUID) -> Sequence[Citation]:
    """Return what a resource cites, in reading order."""
    rows = await session.scalars(
        select(Citation).where(Citation.resource_id == resource_id).order_by(Citation.position)
    )
    return rows.all()


async def cited_by(session: ReadSession, account: Account, resource: Resource) -> Sequence[Row[UUID, str]]:
    """Return the resources that link to this one, as far as the account may see them."""
    addresses = {address for address in (resource.url, resource.canonical_url) if address}
    query = (
        select(Resource.id, Resource.title)
        .join(Citation, Citation.resource_id == Resource.id)
        .where(Citation.kind == "url", Citation.value.in_(addresses), Resource.id != resource.id, visible(account))
        .group_by(Resource.id, Resource.title)
        .order_by(func.min(Resource.created_at))
        .limit(100)
    )
    return (await session.execute(query)).all()
