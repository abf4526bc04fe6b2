"""What is in the library: added, read, changed, deleted."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from datetime import datetime
from typing import Any, Literal

from .models import (
    Items,
    Neighbour,
    Page,
    PageAdded,
    PagesAdded,
    Progress,
    Resource,
    ResourceItem,
    ResourceState,
    TagCount,
    Tagged,
    TaskStarted,
    Timeline,
)
from .transport import PAGE, UNSET, Id, Transport, Unset, given, said

From = Literal["fetched", "extracted", "stored", "indexed", "embedded"]


class Resources:
    """Web pages, documents and notes."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    async def add(
        self,
        url: str,
        *,
        title: str | None = None,
        private: bool = False,
        force: bool = False,
        collection_id: Id | None = None,
    ) -> PageAdded:
        """Add a web page, which is read after the answer; `force` reads a known one again."""
        body = given(url=url, title=title, private=private, force=force, collection_id=collection_id)
        return await self._transport.send(PageAdded, "POST", "/ingest", body)

    async def add_many(
        self, urls: Sequence[str], *, private: bool = False, force: bool = False, collection_id: Id | None = None
    ) -> PagesAdded:
        """Add up to a thousand web pages; each says what became of it."""
        body = given(urls=urls, private=private, force=force, collection_id=collection_id)
        return await self._transport.send(PagesAdded, "POST", "/ingest", body)

    async def create(
        self,
        title: str,
        content: str | None = None,
        *,
        html: str | None = None,
        url: str | None = None,
        tags: Sequence[str] | None = None,
        authors: Sequence[str] | None = None,
        description: str | None = None,
        language: str | None = None,
        type: str | None = None,
        subjects: Sequence[str] | None = None,
        published_at: datetime | None = None,
        private: bool | None = None,
        collection_id: Id | None = None,
    ) -> Resource:
        """Add a text, or a page as the browser had it (`html`); nothing is fetched."""
        body = given(
            title=title, content=content, html=html, url=url, tags=tags, authors=authors, description=description,
            language=language, type=type, subjects=subjects, published_at=published_at, private=private,
            collection_id=collection_id,
        )  # fmt: skip
        return await self._transport.send(Resource, "POST", "/resources", body)

    async def get(self, id: Id) -> Resource:
        """Read one, with its text."""
        return await self._transport.get(Resource, f"/resources/{id}")

    async def list(
        self,
        *,
        limit: int | None = None,
        newest_first: bool = True,
        q: str | None = None,
        type: Sequence[str] | None = None,
        language: str | None = None,
        subject: str | None = None,
        author: str | None = None,
        tag: str | None = None,
        status: ResourceState | None = None,
        collection: Id | None = None,
        created_from: datetime | None = None,
        created_to: datetime | None = None,
        min_quality: float | None = None,
        category: str | None = None,
    ) -> AsyncGenerator[ResourceItem]:
        """Yield those that match, by when they were added; what comes meanwhile moves no other.

        Each page begins where the one before ended: at its last moment (`created_to`, `created_from`), behind those of
        that moment which were seen. Only a deletion among these hides another one.
        """
        filters: dict[str, Any] = given(
            q=q, type=type, language=language, subject=subject, author=author, tag=tag, status=status,
            collection=collection, created_from=created_from, created_to=created_to, min_quality=min_quality,
            category=category,
        )  # fmt: skip
        bound = "created_to" if newest_first else "created_from"
        seen: set[Any] = set()  # of the last moment
        left = limit
        while left is None or left > 0:
            page = await self._transport.get(
                Page[ResourceItem], "/resources", **filters, sort="-created_at" if newest_first else "created_at",
                limit=PAGE, offset=len(seen),
            )  # fmt: skip
            fresh = [item for item in page.items if item.id not in seen]
            for item in fresh[:left]:
                yield item
            if len(page.items) < PAGE:
                return
            left = None if left is None else left - len(fresh)
            last = page.items[-1].created_at
            if filters.get(bound) != last:
                filters[bound], seen = last, set()
            seen |= {item.id for item in page.items if item.created_at == last}

    async def update(
        self,
        id: Id,
        *,
        version: int | None = None,
        title: str | Unset = UNSET,
        content: str | Unset = UNSET,
        url: str | Unset | None = UNSET,
        tags: Sequence[str] | Unset = UNSET,
        authors: Sequence[str] | Unset = UNSET,
        description: str | Unset | None = UNSET,
        language: str | Unset | None = UNSET,
        type: str | Unset = UNSET,
        subjects: Sequence[str] | Unset = UNSET,
        published_at: datetime | Unset | None = UNSET,
        private: bool | Unset = UNSET,
    ) -> Resource:
        """Change what is named; with `version` only if nobody changed it since, else Changed is raised."""
        body = said(
            title=title, content=content, url=url, tags=tags, authors=authors, description=description,
            language=language, type=type, subjects=subjects, published_at=published_at, private=private,
        )  # fmt: skip
        return await self._transport.send(Resource, "PUT", f"/resources/{id}", body, version)

    async def delete(self, id: Id, *, version: int | None = None) -> None:
        """Delete one; `trash.restore` takes it back."""
        await self._transport.delete(f"/resources/{id}", version)

    async def tag(
        self, id: Id, *, add: Sequence[str] = (), remove: Sequence[str] = (), version: int | None = None
    ) -> Resource:
        """Add and remove tags; nothing else changes."""
        return await self._transport.send(
            Resource, "POST", f"/resources/{id}/tags", {"add": add, "remove": remove}, version
        )

    async def tag_many(
        self, ids: Sequence[Id], *, add: Sequence[str] = (), remove: Sequence[str] = ()
    ) -> Items[Tagged]:
        """Add and remove tags of up to 500; each says what came of it."""
        body: Mapping[str, Any] = {"ids": ids, "add": add, "remove": remove}
        return await self._transport.send(Items[Tagged], "POST", "/resources/tags", body)

    async def tags(self, prefix: str = "", *, limit: int = 25) -> Items[TagCount]:
        """Return tags that begin so, the most used first."""
        return await self._transport.get(Items[TagCount], "/tags", prefix=prefix, limit=limit)

    async def status(self, id: Id) -> Progress:
        """Return how far one is, step by step, and what it waits for."""
        return await self._transport.get(Progress, f"/resources/{id}/status")

    async def timeline(self, id: Id) -> Timeline:
        """Return what happened to one, oldest first."""
        return await self._transport.get(Timeline, f"/resources/{id}/timeline")

    async def reprocess(self, id: Id, *, from_: From = "fetched") -> TaskStarted:
        """Read one again, from a step on."""
        return await self._transport.send(TaskStarted, "POST", f"/resources/{id}/reprocess", {"from": from_})

    async def similar(self, id: Id, *, limit: int = 10) -> Items[Neighbour]:
        """Return what is nearest in meaning."""
        return await self._transport.get(Items[Neighbour], f"/resources/{id}/similar", limit=limit)
