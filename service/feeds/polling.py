"""One look at a feed: taken, fetched without a session, and what follows from it. One at a time per host."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import cast
from uuid import UUID

from sqlalchemy import ColumnElement, and_, delete, func, or_, select, update
from sqlalchemy.dialects.postgresql import distinct_on, insert

from service.collections import actions as collections
from service.collections.tables import Collection
from service.database import ReadSession, Session
from service.feeds.actions import AlreadyFollowed, moved
from service.feeds.events import FeedDue
from service.feeds.intervals import LONGEST, SHORTEST, after_failure, after_look
from service.feeds.parsed import MOST, Entry, Linked, Parsed
from service.feeds.parsing import FeedTooHard, NotAFeed, parse
from service.feeds.tables import Feed, FeedEntry, FeedHost, key_of
from service.ingestion import actions as ingestion
from service.ingestion.canonical import canonical_url
from service.outbox import emit
from service.security.accounts import Account
from service.security.destinations import BadUrl, check_url, in_ascii
from service.security.egress import Egress, FetchError, HttpRefused, Limits
from service.security.permissions import ROLES, Role, effective_scopes
from service.security.tables import User

LARGEST = 5_000_000  # bytes of a feed
LIMITS = Limits(total=30)
LEASE = timedelta(minutes=5)  # longer than a look may take
FIRST_LOOK = 20  # entries that a feed brings when it is new; the older ones are only remembered
HOSTS = 500  # that one look at the clock starts
UNCHANGED, TOO_MANY, AWAY, GONE = 304, 429, 503, 410


@dataclass(frozen=True, slots=True)
class Taken:
    """A feed that is looked at now."""

    id: UUID
    polls: int
    host: str
    url: str
    etag: str | None
    last_modified: str | None


@dataclass(frozen=True, slots=True)
class Look:
    """What a look came to: `parsed` None where nothing changed or it failed; `wait` are seconds the host asked for.

    `linked` is the feed that a page names which is none itself.
    """

    parsed: Parsed | None = None
    linked: str | None = None
    etag: str | None = None
    last_modified: str | None = None
    error: str | None = None
    code: int | None = None
    wait: int | None = None


def _due() -> tuple[ColumnElement[bool], ...]:
    resting = select(FeedHost.host).where(FeedHost.host == Feed.host, FeedHost.not_before > func.now())
    may_add = User.role.in_([role for role, scopes in ROLES.items() if "write" in scopes])
    due = (Feed.next_at <= func.now(), Feed.paused.is_(False), ~resting.exists())
    return *due, User.disabled_at.is_(None), may_add


async def announce_due(session: Session) -> int:
    """Emit feed.due once for each host of which a feed is to be looked at; returns how many."""
    due = (
        select(Feed.host, Feed.id, Feed.user_id)
        .join(User, User.id == Feed.user_id)
        .where(*_due())
        .ext(distinct_on(Feed.host))
        .order_by(Feed.host, Feed.next_at)
        .limit(HOSTS)
    )
    rows = (await session.execute(due)).all()
    for row in rows:
        emit(session, FeedDue(feed_id=row.id, host=row.host), audience=row.user_id)
    return len(rows)


async def take(session: Session, host: str) -> Taken | None:
    """Take the feed of a host that is due longest, for `LEASE`; None where none is, or the host is left alone."""
    due = (
        select(Feed.id)
        .join(User, User.id == Feed.user_id)
        .where(Feed.host == host, *_due())
        .order_by(Feed.next_at)
        .limit(1)
        .with_for_update(of=Feed, skip_locked=True)
    )
    id = await session.scalar(due)
    if id is None:
        return None
    taken = update(Feed).where(Feed.id == id).values(next_at=func.now() + LEASE, polls=Feed.polls + 1)
    feed = (await session.scalars(taken.returning(Feed))).one()
    return Taken(feed.id, feed.polls, feed.host, feed.url, feed.etag, feed.last_modified)


async def look(taken: Taken) -> Look:
    """Fetch and read a feed; never raises what its server does."""
    headers = {"Accept": "application/atom+xml, application/rss+xml, application/xml;q=0.9, text/xml;q=0.8, */*;q=0.1"}
    headers |= {"If-None-Match": taken.etag} if taken.etag else {}
    headers |= {"If-Modified-Since": taken.last_modified} if taken.last_modified else {}
    try:
        async with Egress(limits=LIMITS) as egress:
            fetched = await egress.fetch(taken.url, max_bytes=LARGEST, headers=headers)
        parsed = await parse(fetched.body, fetched.content_type, fetched.url)
    except HttpRefused as error:
        code: int = error.context["code"]
        if code == UNCHANGED:
            return Look(etag=taken.etag, last_modified=taken.last_modified)
        return Look(error=error.detail, code=code, wait=error.context["wait"])
    except (FetchError, BadUrl, NotAFeed, FeedTooHard) as error:
        return Look(error=error.detail)
    if isinstance(parsed, Linked):
        return Look(linked=parsed.url, error=NotAFeed().detail)
    return Look(
        parsed, etag=_header(fetched.headers.get("etag")), last_modified=_header(fetched.headers.get("last-modified"))
    )


def _header(value: str | None) -> str | None:
    return value if value and value.isascii() and value.isprintable() and len(value) <= 500 else None


async def keep(session: Session, taken: Taken, seen: Look) -> int:
    """Write down what a look came to, and ask for the pages of new entries; returns how many these are."""
    feed = await session.get(Feed, taken.id, with_for_update=True)
    if feed is None or feed.polls != taken.polls:
        return 0  # it is gone, or somebody else has taken it since
    if seen.linked is not None and feed.changed_at is None and feed.site_url is None:
        return await _go_to(session, feed, seen.linked)
    now = datetime.now(UTC)
    feed.checked_at, feed.error = now, seen.error
    if seen.error is not None:
        feed.failures += 1
        pause = max(after_failure(feed.interval, feed.failures), min(seen.wait or 0, LONGEST))
        feed.next_at, feed.paused = now + timedelta(seconds=pause), feed.paused or seen.code == GONE
        if seen.code in (TOO_MANY, AWAY):
            await _leave_alone(session, feed.host, min(seen.wait or SHORTEST, LONGEST))
        return 0
    first = feed.changed_at is None
    new = 0
    if seen.parsed is not None:
        feed.read_title, feed.site_url = seen.parsed.title or None, seen.parsed.site_url
        new = await _bring_in(session, feed, seen.parsed.entries, first=first)
        await _note_what_left(session, feed, seen.parsed.entries)
        feed.taken += new
        if new or first:
            feed.changed_at = now
    feed.etag, feed.last_modified, feed.failures = seen.etag, seen.last_modified, 0
    feed.interval = feed.interval if first else after_look(feed.interval, new)
    feed.next_at = now + timedelta(seconds=feed.interval)
    return new


async def _go_to(session: Session, feed: Feed, url: str) -> int:
    """Follow, instead of a page, the feed that it names: once, so that no page leads on and on. Always 0 are new."""
    feed.site_url = feed.url
    try:
        await moved(session, feed, url)
    except (BadUrl, AlreadyFollowed) as error:
        feed.checked_at, feed.error, feed.paused = datetime.now(UTC), f"The page names a feed. {error.detail}", True
        return 0
    feed.next_at = func.now()
    emit(session, FeedDue(feed_id=feed.id, host=feed.host), audience=feed.user_id)
    return 0


async def _note_what_left(session: Session, feed: Feed, entries: Sequence[Entry]) -> None:
    """Mark the entries that the feed lists no more, and unmark what is back; one that is cut off says nothing."""
    if len(entries) >= MOST:
        return
    urls = [key_of(canonical_url(entry.url)) for entry in entries if entry.url]
    by_address = and_(FeedEntry.canonical_url.is_not(None), FeedEntry.canonical_url.in_(urls))
    there = or_(FeedEntry.guid.in_([key_of(entry.guid) for entry in entries]), by_address)
    of_it = update(FeedEntry).where(FeedEntry.feed_id == feed.id)
    await session.execute(of_it.where(FeedEntry.left_at.is_(None), ~there).values(left_at=func.now()))
    await session.execute(of_it.where(FeedEntry.left_at.is_not(None), there).values(left_at=None))


async def _leave_alone(session: Session, host: str, seconds: int) -> None:
    until = func.now() + timedelta(seconds=seconds)
    row = insert(FeedHost).values(host=host, not_before=until)
    await session.execute(row.on_conflict_do_update(index_elements=["host"], set_={"not_before": until}))
    await session.execute(delete(FeedHost).where(FeedHost.not_before < func.now()))


async def _bring_in(session: Session, feed: Feed, entries: Sequence[Entry], *, first: bool) -> int:
    owner = await _owner(session, feed.user_id)
    collected = await session.scalar(
        select(Collection.id).where(Collection.id == feed.collection_id, Collection.owner_id == owner.id)
    )
    new = 0
    newest = sorted(entries, key=lambda entry: -(entry.published or 0)) if first else entries
    for number, entry in enumerate(newest):
        row = await _remember(session, feed, entry)
        if row is None:
            continue
        row.skipped = "It was there before you followed this feed." if first and number >= FIRST_LOOK else None
        if entry.url is None:
            row.skipped = "It has no address."
        if row.skipped is None:
            try:
                shown = in_ascii(check_url(cast("str", entry.url)), cast("str", entry.url))
            except BadUrl as error:
                row.skipped = error.detail
                continue
            asked = await ingestion.request_page(session, owner, shown, title=entry.title or None, private=feed.private)
            row.resource_id = asked.id
            if collected is not None:
                await collections.add(session, owner, collected, [asked.id])
            new += 1
    return new


async def _remember(session: Session, feed: Feed, entry: Entry) -> FeedEntry | None:
    """Add an entry; None where its guid or its address was seen before."""
    row = insert(FeedEntry).values(
        feed_id=feed.id,
        guid=key_of(entry.guid),
        canonical_url=key_of(canonical_url(entry.url)) if entry.url else None,
        title=entry.title or None,
        url=entry.url,
        published_at=datetime.fromtimestamp(entry.published, UTC) if entry.published else None,
    )
    return await session.scalar(row.on_conflict_do_nothing().returning(FeedEntry))


async def _owner(session: ReadSession, user_id: UUID) -> Account:
    """Return who follows, with all that the role may do; a worker may read these columns of users, and no others."""
    row = (await session.execute(select(User.id, User.username, User.role).where(User.id == user_id))).one()
    role = cast("Role", row.role)
    return Account(row.id, row.username, role, effective_scopes(role))
