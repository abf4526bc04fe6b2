"""Feeds that you follow, and addresses of feeds of what is here."""

from collections.abc import AsyncGenerator

from .models import Feed, FeedEntry, FeedLink, FeedsImported, NewFeedLink, Page
from .transport import UNSET, Asked, Id, Transport, Unset, given, said


class Feeds:
    """RSS and Atom feeds, and what they bring."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def list(self, *, limit: int | None = None, failing: bool | None = None) -> AsyncGenerator[Feed]:
        """Yield yours, by title; `failing`: those that could not be read the last time."""
        return self._transport.each(Page[Feed], "/feeds", limit, failing=failing)

    async def follow(
        self,
        url: str,
        *,
        title: str | None = None,
        folder: str | None = None,
        collection_id: Id | None = None,
        private: bool = False,
    ) -> Feed:
        """Follow one: its newest entries become resources, and from then on each new one."""
        body = given(url=url, title=title, folder=folder, collection_id=collection_id, private=private)
        return await self._transport.send(Feed, "POST", "/feeds", body)

    async def get(self, id: Id) -> Feed:
        """Read one."""
        return await self._transport.get(Feed, f"/feeds/{id}")

    async def update(
        self,
        id: Id,
        *,
        title: str | Unset | None = UNSET,
        folder: str | Unset | None = UNSET,
        collection_id: Id | Unset | None = UNSET,
        private: bool | Unset = UNSET,
        paused: bool | Unset = UNSET,
    ) -> Feed:
        """Change what is named."""
        body = said(title=title, folder=folder, collection_id=collection_id, private=private, paused=paused)
        return await self._transport.send(Feed, "PUT", f"/feeds/{id}", body)

    async def leave(self, id: Id) -> None:
        """Follow one no more; what it brought stays."""
        await self._transport.delete(f"/feeds/{id}")

    async def refresh(self, id: Id) -> Feed:
        """Look at one now."""
        return await self._transport.send(Feed, "POST", f"/feeds/{id}/refresh", None)

    def entries(self, id: Id, *, limit: int | None = None) -> AsyncGenerator[FeedEntry]:
        """Yield what was seen in one, the newest first."""
        return self._transport.each(Page[FeedEntry], f"/feeds/{id}/entries", limit)

    async def import_opml(self, opml: bytes) -> FeedsImported:
        """Follow every feed of a list."""
        return await self._transport.ask(FeedsImported, Asked("POST", "/feeds/opml", content=opml))

    def export_opml(self) -> AsyncGenerator[bytes]:
        """Yield all that you follow, as a list."""
        return self._transport.download("/feeds/opml")

    def links(self, *, limit: int | None = None) -> AsyncGenerator[FeedLink]:
        """Yield the secret addresses of feeds of what is here."""
        return self._transport.each(Page[FeedLink], "/feeds/links", limit)

    async def make_link(self, *, collection_id: Id | None = None, saved_search_id: Id | None = None) -> NewFeedLink:
        """Make a secret address of a feed of a collection or of a saved search; it is shown this once."""
        body = given(collection_id=collection_id, saved_search_id=saved_search_id)
        return await self._transport.ask(NewFeedLink, Asked("POST", "/feeds/links", body=body, keyed=False))

    async def delete_link(self, id: Id) -> None:
        """Make a secret address void."""
        await self._transport.delete(f"/feeds/links/{id}")
