"""Collections and saved searches as feeds: the newest items that whoever reads may see."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from sqlalchemy import func, select

from service.collections.tables import Collection, CollectionResource, readable
from service.database import ReadSession, reading
from service.errors import NotFound
from service.feeds.atom import Item, Published
from service.resources.tables import Resource, visible
from service.search import cached, saved
from service.search.shapes import Asked
from service.security.accounts import Account

MOST = 50
SUMMARY = 500  # characters
SHOWN = (
    Resource.id, Resource.title, Resource.url, Resource.authors, Resource.tags, Resource.description,
    func.left(Resource.content, SUMMARY).label("beginning"), Resource.created_at, Resource.updated_at,
)  # fmt: skip


async def of_collection(session: ReadSession, account: Account | None, id: UUID) -> Published:
    """Return a collection that the account may see, a public one where nobody signed in; raises NotFound."""
    may = Collection.visibility == "public" if account is None else readable(account)
    found = await session.scalar(select(Collection).where(Collection.id == id, may))
    if found is None:
        raise NotFound(what="collection", id=id)
    shown = Resource.private.is_(False) if account is None else visible(account)
    member = CollectionResource
    held = (
        select(*SHOWN, member.added_at)
        .join(member, member.resource_id == Resource.id)
        .where(member.collection_id == id, shown)
        .order_by(member.added_at.desc(), Resource.id)
        .limit(MOST)
    )
    items = _items((await session.execute(held)).mappings(), "added_at")
    return Published(id, found.name, found.description, found.updated_at, items)


async def of_search(account: Account, id: UUID) -> Published:
    """Run a saved search of the account and return what it finds, the newest first; raises NotFound."""
    async with reading() as session:
        kept = await saved.read(session, account, id)
    asked = Asked.model_validate(kept.search)
    found, _ = await cached.search(
        asked.query, asked.filters(account.id), asked.mode, limit=MOST, freshness=asked.freshness
    )
    ids = [hit["id"] for hit in found.items]
    chosen = select(*SHOWN).where(Resource.id.in_(ids), visible(account)).order_by(Resource.created_at.desc())
    async with reading() as session:
        items = _items((await session.execute(chosen)).mappings(), "created_at")
    return Published(id, kept.name, f"Search: {asked.query}", kept.created_at, items)


def _items(rows: Iterable[Any], since: str) -> list[Item]:
    return [
        Item(
            row["id"],
            row["title"],
            row["url"],
            row["authors"],
            row["tags"],
            row["description"] or row["beginning"],
            row[since],
            max(row["updated_at"], row[since]),
        )
        for row in rows
    ]
