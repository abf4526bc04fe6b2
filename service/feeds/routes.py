"""HTTP for the feeds that people follow."""

import asyncio
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import AfterValidator, BaseModel, Field, StringConstraints
from starlette.requests import Request
from starlette.responses import Response

from service.database import reading, transaction
from service.errors import Invalid, PharosError
from service.feeds import actions, opml
from service.feeds.tables import Feed as FeedRow
from service.ingestion.decoding import one_line
from service.web import Listed, Paged, Shape, account, body, no_content, page, parse, path_id, query, respond, route

Url = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=4096)]
Title = Annotated[str, Field(max_length=300), AfterValidator(one_line)]


class NewFeed(Shape):
    """A feed to follow: what it brings is put into the collection, and seen by you alone where it is private."""

    url: Url
    title: Title | None = None
    folder: Title | None = None
    collection_id: UUID | None = None
    private: bool = False


class FeedChange(Shape):
    """Any subset; null for the title, the folder or the collection takes them away."""

    title: Title | None = None
    folder: Title | None = None
    collection_id: UUID | None = None
    private: bool | None = None
    paused: bool | None = None

    def fields(self) -> dict[str, Any]:
        """Return what was said, as columns."""
        said = self.model_dump(exclude_unset=True)
        for name in ("private", "paused"):
            if name in said and said[name] is None:
                raise Invalid(f"`{name}` cannot be null.", errors=[{"loc": [name], "msg": "cannot be null"}])
        if "title" in said:
            said["given_title"] = said.pop("title") or None
        return said


class FeedView(BaseModel):
    """A feed that you follow; `error` is what went wrong the last time, `failures` how often in a row, `taken` how many
    entries became resources."""

    id: UUID
    url: str
    title: str
    site_url: str | None
    folder: str | None
    collection_id: UUID | None
    private: bool
    paused: bool
    interval_minutes: int
    taken: int
    error: str | None
    failures: int
    checked_at: datetime | None
    changed_at: datetime | None
    next_at: datetime
    created_at: datetime


class BrowseFeeds(Paged):
    """Which feeds."""

    failing: bool | None = Field(None, description="Those that could not be read the last time.")


class EntryView(BaseModel):
    """An entry that was seen; `skipped` says why it became no resource."""

    guid: str
    title: str | None
    url: str | None
    resource_id: UUID | None
    skipped: str | None
    published_at: datetime | None
    seen_at: datetime


class Failure(BaseModel):
    """A feed of the list that could not be followed."""

    line: int
    url: str
    error: str


class Imported(BaseModel):
    """How many feeds of the list are followed now, how many were before, and which cannot be."""

    added: int
    known: int
    failed: list[Failure]


def view(feed: FeedRow) -> dict[str, Any]:
    """Return a feed as who follows it sees it."""
    shown = {name: getattr(feed, name) for name in FeedView.model_fields if name != "interval_minutes"}
    return shown | {"interval_minutes": feed.interval // 60}


def _id(request: Request) -> UUID:
    return path_id(request, what="feed")


async def list_feeds(request: Request) -> Response:
    """List the feeds that you follow, by title."""
    asked = query(request, BrowseFeeds)
    async with reading() as session:
        total, rows = await actions.listed(session, account(request), **asked.model_dump())
    return page([view(row) for row in rows], total, asked)


async def follow_feed(request: Request) -> Response:
    """Follow an RSS or Atom feed, or the one that a page names: its newest entries come in, then each new one."""
    asked = await parse(request, NewFeed)
    fields = asked.model_dump(exclude={"url", "title"}) | {"given_title": asked.title or None}
    async with transaction() as session:
        feed = await actions.follow(session, account(request), asked.url, fields)
    return respond(view(feed), 201, {"Location": f"/feeds/{feed.id}"})


async def read_feed(request: Request) -> Response:
    """Read one feed that you follow."""
    async with reading() as session:
        return respond(view(await actions.read(session, account(request), _id(request))))


async def change_feed(request: Request) -> Response:
    """Change any subset of the fields."""
    fields = (await parse(request, FeedChange)).fields()
    async with transaction() as session:
        return respond(view(await actions.change(session, account(request), _id(request), fields)))


async def leave_feed(request: Request) -> Response:
    """Follow a feed no more; what it brought stays."""
    async with transaction() as session:
        await actions.leave(session, account(request), _id(request))
    return no_content()


async def refresh_feed(request: Request) -> Response:
    """Look at a feed now, unless its host asked to be left alone."""
    async with transaction() as session:
        return respond(view(await actions.refresh(session, account(request), _id(request))), 202)


async def list_entries(request: Request) -> Response:
    """List the entries that were seen in a feed, the newest first."""
    asked = query(request, Paged)
    async with reading() as session:
        total, rows = await actions.entries(session, account(request), _id(request), asked.limit, asked.offset)
    return page([{name: getattr(row, name) for name in EntryView.model_fields} for row in rows], total, asked)


async def import_opml(request: Request) -> Response:
    """Follow every feed of an OPML list; the body is the file."""
    outlines = await asyncio.to_thread(opml.read, await body(request, opml.LARGEST))
    added = known = 0
    failed: list[Failure] = []
    for one in outlines:  # a transaction each: one bad address costs no other
        fields = {"given_title": one.title, "folder": one.folder}
        try:
            async with transaction() as session:
                await actions.follow(session, account(request), one.url, fields)
            added += 1
        except actions.AlreadyFollowed:
            known += 1
        except PharosError as error:
            failed.append(Failure(line=one.line, url=one.url, error=error.detail))
    return respond({"added": added, "known": known, "failed": failed})


async def export_opml(request: Request) -> Response:
    """All feeds that you follow, as an OPML list."""
    async with reading() as session:
        rows = await actions.all_of(session, account(request))
    written = opml.write(rows, f"Feeds of {account(request).username}")
    return Response(written, 200, {"Content-Disposition": 'attachment; filename="feeds.opml"'}, "text/x-opml")


FEED = "/feeds/{id}"

routes = [
    route("GET", "/feeds/opml", export_opml, scope="read"),
    route("POST", "/feeds/opml", import_opml, scope="write", gives=Imported),
    route("GET", "/feeds", list_feeds, scope="read", queries=BrowseFeeds, gives=Listed[FeedView]),
    route("POST", "/feeds", follow_feed, scope="write", takes=NewFeed, gives=FeedView, status=201),
    route("GET", FEED, read_feed, scope="read", gives=FeedView),
    route("PUT", FEED, change_feed, scope="write", takes=FeedChange, gives=FeedView),
    route("DELETE", FEED, leave_feed, scope="write", status=204),
    route("POST", f"{FEED}/refresh", refresh_feed, scope="write", gives=FeedView, status=202),
    route("GET", f"{FEED}/entries", list_entries, scope="read", queries=Paged, gives=Listed[EntryView]),
]
