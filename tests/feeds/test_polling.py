"""Looks at feeds: what is new comes in once, and their servers are left in peace."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta

import pytest
from sqlalchemy import delete, func, select, text, update

from service.collections import actions as collections
from service.collections.tables import CollectionResource
from service.database import reading, transaction
from service.feeds import actions, polling
from service.feeds.intervals import FIRST, LONGEST, SHORTEST, after_failure, after_look
from service.feeds.parsed import MOST
from service.feeds.polling import FIRST_LOOK, announce_due
from service.feeds.tables import Feed, FeedEntry, FeedHost
from service.outbox import OutboxRow
from service.resources.tables import Resource
from service.security.accounts import Account
from service.settings import settings
from tests.feeds.conftest import follow, poll, rss
from tests.origin import Origin, Page

pytestmark = pytest.mark.integration


async def resources() -> Sequence[Resource]:
    async with reading() as session:
        return (await session.scalars(select(Resource).order_by(Resource.url))).all()


async def the_feed() -> Feed:
    async with reading() as session:
        return (await session.scalars(select(Feed))).one()


async def entries() -> Sequence[FeedEntry]:
    async with reading() as session:
        return (await session.scalars(select(FeedEntry).order_by(FeedEntry.guid))).all()


async def let_pass() -> None:
    async with transaction() as session:
        await session.execute(update(Feed).values(next_at=func.now() - timedelta(seconds=1)))
        await session.execute(update(FeedHost).values(not_before=func.now() - timedelta(seconds=1)))


async def test_what_is_new_is_ingested_once(ada: Account, origin: Origin) -> None:
    origin.pages["/feed"] = rss(origin, 1, 2)
    feed = await follow(ada, origin.url("/feed"))
    assert await poll(feed.host) == 1
    assert [(row.title, row.url) for row in await resources()] == [
        ("Lamp 1", origin.url("/lamps/1")), ("Lamp 2", origin.url("/lamps/2"))
    ]  # fmt: skip
    assert await poll(feed.host) == 0  # it is not due
    origin.pages["/feed"] = rss(origin, 2, 3)
    await let_pass()
    assert await poll(feed.host) == 1
    assert [row.title for row in await resources()] == ["Lamp 1", "Lamp 2", "Lamp 3"]
    known = await the_feed()
    assert (known.title, known.site_url, known.error) == ("Lamps & light", origin.url("/"), None)
    async with reading() as session:
        started = select(func.count()).where(OutboxRow.name == "ingestion.started")
        assert await session.scalar(started) == 3


async def test_one_address_is_one_entry_whatever_its_guid(ada: Account, origin: Origin) -> None:
    origin.pages["/feed"] = rss(origin, 1)
    feed = await follow(ada, origin.url("/feed"))
    await poll(feed.host)
    again = rss(origin, 1)
    assert isinstance(again.body, bytes)
    other = again.body.replace(b"lamp-1<", b"another<").replace(b"/lamps/1<", b"/lamps/1?utm_source=rss<")
    origin.pages["/feed"] = Page(other, content_type="application/rss+xml")
    await let_pass()
    await poll(feed.host)
    assert len(await resources()) == len(await entries()) == 1


async def test_what_is_there_already_is_linked(ada: Account, ben: Account, origin: Origin) -> None:
    origin.pages["/feed"] = rss(origin, 1)
    feed = await follow(ada, origin.url("/feed"))
    await follow(ben, origin.url("/feed"))
    assert await poll(feed.host) == 2
    [resource] = await resources()
    assert [entry.resource_id for entry in await entries()] == [resource.id] * 2


async def test_private_and_into_a_collection(ada: Account, ben: Account, origin: Origin) -> None:
    async with transaction() as session:
        made = await collections.create(session, ada, {"name": "Lamps"})
    origin.pages["/feed"] = rss(origin, 1)
    feed = await follow(ada, origin.url("/feed"), private=True, collection_id=made["id"])
    await poll(feed.host)
    [resource] = await resources()
    assert (resource.private, resource.owner_id) == (True, ada.id)
    async with reading() as session:
        held = await session.scalars(select(CollectionResource.resource_id))
        assert held.all() == [resource.id]


async def test_a_new_feed_brings_its_newest_entries_only(ada: Account, origin: Origin) -> None:
    origin.pages["/feed"] = rss(origin, *range(FIRST_LOOK + 7))
    feed = await follow(ada, origin.url("/feed"))
    await poll(feed.host)
    assert len(await resources()) == FIRST_LOOK
    left = [entry for entry in await entries() if entry.resource_id is None]
    assert len(left) == 7
    assert all(entry.skipped for entry in left)


async def test_unchanged_feeds_are_not_sent_again(ada: Account, origin: Origin) -> None:
    modified = "Mon, 02 Nov 2026 10:00:00 GMT"
    origin.pages["/feed"] = rss(origin, 1, **{"ETag": '"one"', "Last-Modified": modified})
    feed = await follow(ada, origin.url("/feed"))
    await poll(feed.host)
    assert "if-none-match" not in origin.requests[-1].headers
    origin.pages["/feed"] = Page(b"", 304)
    await let_pass()
    await poll(feed.host)
    asked = origin.requests[-1].headers
    assert (asked["if-none-match"], asked["if-modified-since"]) == ('"one"', modified)
    known = await the_feed()
    assert (known.etag, known.error, known.failures) == ('"one"', None, 0)
    assert known.interval == after_look(FIRST, 0) > FIRST


async def test_a_host_that_asks_for_a_pause_gets_it(ada: Account, origin: Origin) -> None:
    origin.pages["/feed"] = Page(b"later", 429, headers={"Retry-After": "7200"})
    feed = await follow(ada, origin.url("/feed"))
    await poll(feed.host)
    known = await the_feed()
    assert known.failures == 1
    assert "429" in (known.error or "")
    origin.pages["/another"] = rss(origin, 1)
    await follow(ada, origin.url("/another"))
    assert await poll(feed.host) == 0  # also the other feeds of the host
    async with transaction() as session:
        assert await announce_due(session) == 0
    async with reading() as session:
        until = (await session.scalars(select(FeedHost.not_before))).one()
        now = await session.scalar(select(func.now()))
    assert now is not None
    assert timedelta(minutes=119) < until - now <= timedelta(hours=2)
    origin.pages["/feed"] = rss(origin, 2)
    await let_pass()
    assert await poll(feed.host) == 2


@pytest.mark.parametrize(
    "page",
    [
        Page(b"<html><body>No feed</body></html>"),
        Page(b"", 500),
        Page(b"\x00\xff" * 100, content_type="application/rss+xml"),
        Page(b"<rss><channel>" + b"<item><title>" * 100_000, content_type="application/rss+xml", status=404),
    ],
)
async def test_errors_are_shown_and_looked_at_later(ada: Account, origin: Origin, page: Page) -> None:
    origin.pages["/feed"] = page
    feed = await follow(ada, origin.url("/feed"))
    await poll(feed.host)
    await let_pass()
    await poll(feed.host)
    known = await the_feed()
    assert known.failures == 2
    assert known.error
    assert known.paused is False
    assert known.checked_at is not None
    assert (known.next_at - known.checked_at).total_seconds() == pytest.approx(after_failure(FIRST, 2), abs=1)


async def test_entities_that_grow_end_as_an_error(ada: Account, origin: Origin) -> None:
    bomb = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 12))
    text_ = (
        f'<!DOCTYPE rss [<!ENTITY l0 "lamp">{bomb}]><rss version="2.0"><channel><title>&l11;</title></channel></rss>'
    )
    origin.pages["/feed"] = Page(text_.encode(), content_type="application/rss+xml")
    feed = await follow(ada, origin.url("/feed"))
    await poll(feed.host)
    known = await the_feed()
    assert len(known.title) < 1000


async def test_a_feed_that_is_gone_is_paused(ada: Account, origin: Origin) -> None:
    origin.pages["/feed"] = Page(b"", 410)
    feed = await follow(ada, origin.url("/feed"))
    await poll(feed.host)
    assert (await the_feed()).paused
    await let_pass()
    assert await poll(feed.host) == 0


async def test_entries_that_lead_nowhere_good_are_skipped_with_the_reason(ada: Account, origin: Origin) -> None:
    page = rss(origin, 1, 2, 3)
    assert isinstance(page.body, bytes)
    body = page.body.replace(origin.url("/lamps/1").encode(), b"javascript:alert(1)")
    body = body.replace(origin.url("/lamps/2").encode(), b"http://169.254.169.254/latest")
    origin.pages["/feed"] = Page(body, content_type="application/rss+xml")
    feed = await follow(ada, origin.url("/feed"))
    await poll(feed.host)
    assert [row.title for row in await resources()] == ["Lamp 3"]
    assert [bool(entry.skipped) for entry in await entries()] == [True, True, False]


async def test_two_at_once_leave_the_same_rows(ada: Account, origin: Origin) -> None:
    origin.pages["/feed"] = rss(origin, 1, 2)
    feed = await follow(ada, origin.url("/feed"))
    looked = await asyncio.gather(poll(feed.host), poll(feed.host))
    assert sorted(looked) == [0, 1]
    async with transaction() as session:  # one that took too long, and was taken over
        await session.execute(update(Feed).values(next_at=func.now(), polls=Feed.polls))
        first = await polling.take(session, feed.host)
    await let_pass()
    async with transaction() as session:
        second = await polling.take(session, feed.host)
    assert first is not None
    assert second is not None
    for taken in (second, first):
        seen = await polling.look(taken)
        async with transaction() as session:
            assert await polling.keep(session, taken, seen) == 0
    assert len(await resources()) == 2


async def test_the_timetable_finds_each_host_once(ada: Account, ben: Account, origin: Origin) -> None:
    for path in ("/one", "/two"):
        await follow(ada, origin.url(path))
    await follow(ben, "https://example.org/feed")
    async with transaction() as session:
        await session.execute(text("DELETE FROM outbox"))  # as Redis emptied
        assert await announce_due(session) == 2
        await session.execute(text("UPDATE users SET role = 'reader' WHERE username = 'ben'"))
        assert await announce_due(session) == 1  # who may not add anything is not helped to
    assert await poll("example.org") == 0


PAGE = """<html><head><title>Lamps</title><link rel="stylesheet" href="/x.css">
<link rel="alternate" type="application/json" href="/json"><link rel="Alternate" type="application/rss+xml" href="{to}">
<link rel="alternate" type="application/atom+xml" href="/comments"></head><body><p>Lamps.</p></body></html>"""


def page(to: str) -> Page:
    return Page(PAGE.format(to=to).encode(), content_type="text/html; charset=utf-8")


async def test_a_page_leads_to_the_feed_that_it_names(ada: Account, origin: Origin) -> None:
    origin.pages["/blog/"] = page("feed.xml")
    origin.pages["/blog/feed.xml"] = rss(origin, 1, 2)
    feed = await follow(ada, origin.url("/blog/"))
    assert await poll(feed.host) == 2
    known = await the_feed()
    assert (known.url, known.error, known.taken) == (origin.url("/blog/feed.xml"), None, 2)
    assert [row.title for row in await resources()] == ["Lamp 1", "Lamp 2"]
    async with reading() as session:
        due = select(OutboxRow.data["host"].astext).where(OutboxRow.name == "feed.due")
        assert list(await session.scalars(due)) == [feed.host] * 2  # once more, for the host of the feed itself


async def test_a_page_that_names_a_page_leads_no_further(ada: Account, origin: Origin) -> None:
    origin.pages["/one"] = page("/two")
    origin.pages["/two"] = page("/one")
    feed = await follow(ada, origin.url("/one"))
    assert await poll(feed.host) == 2
    known = await the_feed()
    assert (known.url, known.failures, known.paused) == (origin.url("/two"), 1, False)
    assert "no RSS or Atom feed" in (known.error or "")


@pytest.mark.parametrize("to", ["/feed", "http://169.254.169.254/feed"])
async def test_a_page_that_names_what_cannot_be_followed_is_paused_with_the_reason(
    ada: Account, origin: Origin, to: str
) -> None:
    origin.pages["/feed"] = rss(origin, 1)
    first = await follow(ada, origin.url("/feed"))
    await poll(first.host)
    origin.pages["/blog"] = page(to)
    second = await follow(ada, origin.url("/blog"))
    await poll(second.host)
    async with reading() as session:
        known = await session.get(Feed, second.id)
    assert known is not None
    assert known.paused
    assert (known.error or "").startswith("The page names a feed. ")


async def test_a_feed_that_became_a_page_is_an_error(ada: Account, origin: Origin) -> None:
    origin.pages["/feed"] = rss(origin, 1)
    feed = await follow(ada, origin.url("/feed"))
    await poll(feed.host)
    origin.pages["/feed"] = page("/elsewhere")
    await let_pass()
    await poll(feed.host)
    known = await the_feed()
    assert (known.url, known.failures) == (feed.url, 1)


async def age(days: int) -> None:
    """Let everything that is known of entries be older."""
    earlier = timedelta(days=days)
    async with transaction() as session:
        older = {"seen_at": FeedEntry.seen_at - earlier, "left_at": FeedEntry.left_at - earlier}
        await session.execute(update(FeedEntry).values(older))


async def cut() -> int:
    async with transaction() as session:
        return await actions.cut(session)


async def test_what_a_feed_lists_no_more_is_forgotten_after_a_while(ada: Account, origin: Origin) -> None:
    origin.pages["/feed"] = rss(origin, 1, 2, 3)
    feed = await follow(ada, origin.url("/feed"))
    await poll(feed.host)
    origin.pages["/feed"] = rss(origin, 2, 3, 4)
    await let_pass()
    await poll(feed.host)
    assert {entry.guid for entry in await entries() if entry.left_at} == {"lamp-1"}
    await age(settings().feed_entry_days - 1)
    assert await cut() == 0
    await age(2)
    assert await cut() == 1
    assert [entry.guid for entry in await entries()] == ["lamp-2", "lamp-3", "lamp-4"]
    assert (await the_feed()).taken == 4


async def test_what_a_feed_still_lists_is_never_taken_in_twice(ada: Account, origin: Origin) -> None:
    origin.pages["/feed"] = rss(origin, 1, 2, **{"ETag": '"one"'})
    feed = await follow(ada, origin.url("/feed"))
    await poll(feed.host)
    async with transaction() as session:  # what was deleted does not come back either
        await session.execute(delete(Resource))
    for answer in (Page(b"", 304), Page(b"", 500), rss(origin, 1, 2)):
        await age(1000)
        assert await cut() == 0
        origin.pages["/feed"] = answer
        await let_pass()
        await poll(feed.host)
    assert list(await resources()) == []
    assert (await the_feed()).taken == 2


async def test_what_comes_back_is_known_again(ada: Account, origin: Origin) -> None:
    feed = await follow(ada, origin.url("/feed"))
    renamed = rss(origin, 1)
    assert isinstance(renamed.body, bytes)
    for answer in (rss(origin, 1, 2), rss(origin, 2), Page(renamed.body.replace(b"lamp-1<", b"other<"), 200)):
        origin.pages["/feed"] = answer
        await let_pass()
        await poll(feed.host)
    assert {entry.guid: bool(entry.left_at) for entry in await entries()} == {"lamp-1": False, "lamp-2": True}
    assert len(await resources()) == 2


async def test_a_feed_that_is_cut_off_says_nothing_of_what_left(ada: Account, origin: Origin) -> None:
    origin.pages["/feed"] = rss(origin, 1)
    feed = await follow(ada, origin.url("/feed"))
    await poll(feed.host)
    origin.pages["/feed"] = rss(origin, *range(1000, 1000 + MOST + 1))
    await let_pass()
    await poll(feed.host)
    assert [entry.guid for entry in await entries() if entry.left_at] == []


def test_intervals() -> None:
    assert after_look(FIRST, 3) == FIRST // 2
    assert after_look(SHORTEST, 3) == SHORTEST
    assert after_look(LONGEST, 0) == LONGEST
    assert after_failure(FIRST, 1) == 2 * FIRST
    assert after_failure(FIRST, 50) == LONGEST
