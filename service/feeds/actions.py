"""Verbs of feeds: follow, list, change, leave, cut."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import delete, func, select

from service.collections import actions as collections
from service.database import ReadSession, Session
from service.errors import Conflict, NotFound
from service.feeds.events import FeedDue
from service.feeds.intervals import FIRST
from service.feeds.tables import Feed, FeedEntry, key_of
from service.ingestion.canonical import canonical_url
from service.outbox import emit
from service.security.accounts import Account
from service.security.destinations import check_url, host_of, in_ascii
from service.settings import settings

MOST = 1000  # of one account


class TooMany(Conflict):
    """You follow {most} feeds, which is as many as there may be: leave one first."""


class AlreadyFollowed(Conflict):
    """You follow this feed already: it is {id}."""


async def follow(session: Session, account: Account, url: str, fields: Mapping[str, Any]) -> Feed:
    """Follow a feed, and look at it at once; raises BadUrl, AlreadyFollowed, TooMany, NotFound, NotYours."""
    at = await _address(session, account.id, url)
    number = await session.scalar(select(func.count()).where(Feed.user_id == account.id))
    if (number or 0) >= MOST:
        raise TooMany(most=MOST)
    if fields.get("collection_id"):
        await collections.own(session, account, fields["collection_id"])
    feed = Feed(id=uuid4(), user_id=account.id, interval=FIRST, **at, **fields)
    session.add(feed)
    await session.flush()
    await session.refresh(feed)
    emit(session, FeedDue(feed_id=feed.id, host=feed.host), audience=account.id)
    return feed


async def moved(session: Session, feed: Feed, url: str) -> None:
    """Give a feed another address; raises BadUrl, AlreadyFollowed."""
    for name, value in (await _address(session, feed.user_id, url)).items():
        setattr(feed, name, value)


async def _address(session: ReadSession, user_id: UUID, url: str) -> dict[str, str]:
    """Return what is kept of an address: as it is shown, as it is compared, and its host."""
    target = check_url(url)
    canonical = key_of(canonical_url(str(target)))
    known = await session.scalar(select(Feed.id).where(Feed.user_id == user_id, Feed.canonical_url == canonical))
    if known is not None:
        raise AlreadyFollowed(id=known)
    host = host_of(target)
    return {
        "url": in_ascii(target, url.strip()),
        "canonical_url": canonical,
        "host": f"{host}:{target.port}" if target.port else host,
    }


async def listed(
    session: ReadSession, account: Account, *, failing: bool | None, limit: int, offset: int
) -> tuple[int, Sequence[Feed]]:
    """Return how many feeds the account follows, and a page of them by title; `failing` are those with an error."""
    mine = select(Feed).where(Feed.user_id == account.id)
    if failing is not None:
        mine = mine.where(Feed.error.is_not(None) if failing else Feed.error.is_(None))
    total = await session.scalar(select(func.count()).select_from(mine.subquery()))
    order = (func.lower(func.coalesce(Feed.given_title, Feed.read_title, Feed.url)), Feed.id)
    return total or 0, (await session.scalars(mine.order_by(*order).limit(limit).offset(offset))).all()


async def all_of(session: ReadSession, account: Account) -> Sequence[Feed]:
    """Return every feed of the account, by folder and title."""
    mine = select(Feed).where(Feed.user_id == account.id)
    return (await session.scalars(mine.order_by(Feed.folder.nulls_first(), Feed.url))).all()


async def read(session: ReadSession, account: Account, id: UUID, *, lock: bool = False) -> Feed:
    """Return a feed that the account follows; NotFound otherwise."""
    mine = select(Feed).where(Feed.id == id, Feed.user_id == account.id)
    found = await session.scalar(mine.with_for_update() if lock else mine)
    if found is None:
        raise NotFound(what="feed", id=id)
    return found


async def change(session: Session, account: Account, id: UUID, fields: Mapping[str, Any]) -> Feed:
    """Set fields; one that is paused no more is looked at soon."""
    feed = await read(session, account, id, lock=True)
    if fields.get("collection_id"):
        await collections.own(session, account, fields["collection_id"])
    goes_on = feed.paused and fields.get("paused") is False
    for name, value in fields.items():
        setattr(feed, name, value)
    if goes_on:
        await _look_now(session, feed)
    await session.flush()
    await session.refresh(feed)
    return feed


async def refresh(session: Session, account: Account, id: UUID) -> Feed:
    """Have a feed looked at now, unless its host wants to be left alone."""
    feed = await read(session, account, id, lock=True)
    await _look_now(session, feed)
    await session.flush()
    await session.refresh(feed)
    return feed


async def _look_now(session: Session, feed: Feed) -> None:
    feed.next_at = func.now()
    emit(session, FeedDue(feed_id=feed.id, host=feed.host), audience=feed.user_id)


async def leave(session: Session, account: Account, id: UUID) -> None:
    """Follow a feed no more; what it brought stays."""
    await session.delete(await read(session, account, id, lock=True))


async def entries(
    session: ReadSession, account: Account, id: UUID, limit: int, offset: int
) -> tuple[int, Sequence[FeedEntry]]:
    """Return how many entries of a feed were seen, and a page of them, the newest first."""
    await read(session, account, id)
    of_it = select(FeedEntry).where(FeedEntry.feed_id == id)
    total = await session.scalar(select(func.count()).select_from(of_it.subquery()))
    order = (FeedEntry.seen_at.desc(), FeedEntry.published_at.desc().nulls_last(), FeedEntry.guid)
    return total or 0, (await session.scalars(of_it.order_by(*order).limit(limit).offset(offset))).all()


async def cut(session: Session) -> int:
    """Forget entries that their feeds list no more since `feed_entry_days`; returns how many. What is listed stays
    known for as long as it is, so that nothing comes in twice."""
    limit = func.now() - timedelta(days=settings().feed_entry_days)
    gone = delete(FeedEntry).where(FeedEntry.left_at < limit).returning(FeedEntry.guid)
    return len((await session.scalars(gone)).all())
