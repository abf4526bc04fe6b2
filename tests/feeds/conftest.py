"""Feeds on a server of somebody else's, and people who follow them."""

from collections.abc import AsyncIterator

import pytest

from service.database import transaction
from service.feeds import actions, polling
from service.feeds.tables import Feed
from service.security.accounts import Account
from service.settings import Settings, settings
from tests.origin import Origin, Page
from tests.search.conftest import person as make

RSS = """<?xml version="1.0"?>
<rss version="2.0"><channel><title>Lamps &amp; light</title><link>{base}/</link>
{items}
</channel></rss>"""
ITEM = """<item><title>{title}</title><link>{link}</link><guid isPermaLink="false">{guid}</guid>
<pubDate>Mon, 0{day} Nov 2026 10:00:00 GMT</pubDate></item>"""


def rss(origin: Origin, *numbers: int, **fields: str) -> Page:
    """Return a feed with these entries."""
    items = [
        ITEM.format(title=f"Lamp {n}", link=origin.url(f"/lamps/{n}"), guid=f"lamp-{n}", day=1 + n % 9) for n in numbers
    ]
    text = RSS.format(base=origin.url(""), items="\n".join(items))
    return Page(text.encode(), content_type="application/rss+xml", headers=dict(fields))


@pytest.fixture
async def origin(pharos: Settings, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Origin]:
    monkeypatch.setenv("PHAROS_EGRESS_ALLOW", "127.0.0.1")
    settings.cache_clear()
    async with Origin() as running:
        yield running


@pytest.fixture
async def ada(origin: Origin) -> Account:
    return await make("ada")


@pytest.fixture
async def ben(origin: Origin) -> Account:
    return await make("ben")


async def follow(account: Account, url: str, **fields: object) -> Feed:
    async with transaction() as session:
        return await actions.follow(session, account, url, fields)


async def poll(host: str) -> int:
    """Do what the task does; returns how many feeds were looked at."""
    looked = 0
    while True:
        async with transaction() as session:
            taken = await polling.take(session, host)
        if taken is None:
            return looked
        seen = await polling.look(taken)
        async with transaction() as session:
            await polling.keep(session, taken, seen)
        looked += 1
