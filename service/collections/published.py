"""A public collection as anybody sees it: without who made it, and without any private resource."""

from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel
from sqlalchemy import func, select

from service.collections.tables import Collection, CollectionResource
from service.database import ReadSession
from service.errors import NotFound
from service.resources.tables import Resource
from service.web import Listed, Paged


class PublicItem(BaseModel):
    """A resource of a public collection."""

    id: UUID
    title: str
    url: str | None
    description: str | None
    type: str
    language: str | None
    authors: list[str]
    published_at: datetime | None


class PublicCollection(Listed[PublicItem]):
    """A public collection and one page of it, the latest addition first."""

    id: UUID
    name: str
    description: str | None
    resource_count: int


async def read(session: ReadSession, id: UUID, paged: Paged) -> dict[str, Any]:
    """Return a public collection with one page of its resources; NotFound for any other."""
    collection = await session.scalar(select(Collection).where(Collection.id == id, Collection.visibility == "public"))
    if collection is None:
        raise NotFound(what="public collection", id=id)
    member = CollectionResource
    columns = [getattr(Resource, name) for name in PublicItem.model_fields]
    held = (
        select(*columns)
        .join(member, member.resource_id == Resource.id)
        .where(member.collection_id == id, Resource.private.is_(False))
    )
    total = await session.scalar(select(func.count()).select_from(held.subquery())) or 0
    shown = held.order_by(member.added_at.desc(), Resource.id).limit(paged.limit).offset(paged.offset)
    items = [dict(row) for row in (await session.execute(shown)).mappings()]
    about = {"id": id, "name": collection.name, "description": collection.description, "resource_count": total}
    return about | {"total": total, "items": items, "limit": paged.limit, "offset": paged.offset}
