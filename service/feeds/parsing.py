"""From bytes to what a feed says, in a child process with limits: a feed is as hostile as a document."""

import asyncio
from typing import Any

import orjson

from service.errors import PharosError
from service.feeds.parsed import Entry, Linked, Parsed
from service.ingestion.sandbox import NoVerdict, Sandbox

MEMORY = 256 << 20  # bytes
SECONDS = 20
MOST = 2  # feeds that one process reads at a time


class NotAFeed(PharosError):
    """This is no RSS or Atom feed."""

    status = 422


class FeedTooHard(PharosError):
    """Reading this feed took too much memory or time."""

    status = 422


_current: Sandbox | None = None


def _sandbox() -> Sandbox:
    global _current
    if _current is None or _current.loop is not asyncio.get_running_loop():
        _current = Sandbox(MOST, MEMORY, SECONDS, "service.feeds.reading")
    return _current


async def parse(body: bytes, content_type: str | None, url: str) -> Parsed | Linked:
    """Read a feed, or a page that names one; raises NotAFeed and FeedTooHard."""
    headers = {"content-location": url} | ({"content-type": content_type} if content_type else {})
    try:
        answer = await _sandbox().run(orjson.dumps(headers), body)
    except NoVerdict as error:
        raise FeedTooHard from error
    if not answer.verdict.success:
        raise FeedTooHard
    found: dict[str, Any] | None = orjson.loads(answer.output)
    if found is None:
        raise NotAFeed
    if "url" in found:
        return Linked(found["url"])
    return Parsed(found["title"], found["site_url"], [Entry(**entry) for entry in found["entries"]])
