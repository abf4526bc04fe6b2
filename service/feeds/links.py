"""Secret addresses of feeds, for readers that cannot sign in: each shows one thing, and nothing else of its maker's."""

from collections.abc import Sequence
from typing import cast
from uuid import UUID, uuid4

from sqlalchemy import func, select, update

from service.collections import actions as collections
from service.database import ReadSession, Session
from service.errors import Conflict, NotFound
from service.feeds.tables import FeedLink
from service.search import saved
from service.security.accounts import Account
from service.security.credentials import Credential, new_secret
from service.security.permissions import Role
from service.security.tables import User

MOST = 200  # of one account


class TooManyLinks(Conflict):
    """You have {most} secret addresses of feeds, which is as many as there may be: delete one first."""


async def make(
    session: Session, account: Account, collection_id: UUID | None, saved_search_id: UUID | None
) -> tuple[FeedLink, str]:
    """Make an address for a collection that the account may see or a search of its own; return it with its secret."""
    if collection_id is not None:
        await collections.read(session, account, collection_id)
    if saved_search_id is not None:
        await saved.read(session, account, saved_search_id)
    number = await session.scalar(select(func.count()).where(FeedLink.user_id == account.id))
    if (number or 0) >= MOST:
        raise TooManyLinks(most=MOST)
    secret = new_secret()
    credential = Credential.of(secret)
    link = FeedLink(
        id=uuid4(),
        user_id=account.id,
        collection_id=collection_id,
        saved_search_id=saved_search_id,
        key=credential.key,
        digest=credential.digest,
    )
    session.add(link)
    await session.flush()
    await session.refresh(link)
    return link, secret


async def listed(session: ReadSession, account: Account, limit: int, offset: int) -> tuple[int, Sequence[FeedLink]]:
    """Return how many addresses the account made, and a page of them, the newest first."""
    mine = select(FeedLink).where(FeedLink.user_id == account.id)
    total = await session.scalar(select(func.count()).select_from(mine.subquery()))
    order = (FeedLink.created_at.desc(), FeedLink.id)
    return total or 0, (await session.scalars(mine.order_by(*order).limit(limit).offset(offset))).all()


async def remove(session: Session, account: Account, id: UUID) -> None:
    """Delete an address: whoever has it reads nothing more."""
    found = await session.scalar(select(FeedLink).where(FeedLink.id == id, FeedLink.user_id == account.id))
    if found is None:
        raise NotFound(what="link", id=id)
    await session.delete(found)


async def redeem(session: Session, secret: str) -> tuple[FeedLink, Account]:
    """Return what an address shows, and for whom it is read: its maker, without the right to anything else."""
    credential = Credential.of(secret)
    chosen = (
        select(FeedLink, User.username, User.role)
        .join(User, User.id == FeedLink.user_id)
        .where(FeedLink.key == credential.key, User.disabled_at.is_(None))
    )
    row = (await session.execute(chosen)).one_or_none()
    if row is None or not credential.matches(row.FeedLink.digest):
        raise NotFound("There is no feed at this address.")
    link: FeedLink = row.FeedLink
    await session.execute(update(FeedLink).where(FeedLink.id == link.id).values(used_at=func.now()))
    return link, Account(link.user_id, row.username, cast("Role", row.role), frozenset({"read"}))
