"""The search, and searches that are kept."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from datetime import datetime
from typing import Any

from .models import Hit, Items, Mode, SavedSearch, SearchPage, Suggestions
from .transport import PAGE, Id, Transport, given

DEEPEST = 10_000  # hits


class Search:
    """Search by words, by meaning, or both: `async for hit in pharos.search("tides")`."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    async def __call__(
        self,
        query: str,
        *,
        limit: int | None = None,
        mode: Mode = "hybrid",
        type: Sequence[str] | None = None,
        language: Sequence[str] | None = None,
        subject: Sequence[str] | None = None,
        author: Sequence[str] | None = None,
        tag: Sequence[str] | None = None,
        created_from: datetime | None = None,
        created_to: datetime | None = None,
        category: Sequence[str] | None = None,
        collection: Id | None = None,
        document: Sequence[Id] | None = None,
        study_subject: str | None = None,
        document_category: str | None = None,
        min_quality: float | None = None,
        freshness: bool = False,
    ) -> AsyncGenerator[Hit]:
        """Yield what is found, the best first: at most `limit`, and at most ten thousand."""
        most = DEEPEST if limit is None else min(limit, DEEPEST)
        seen = 0
        while seen < most:
            size = min(PAGE, most - seen)
            page = await self.page(
                query, limit=size, offset=seen, mode=mode, type=type, language=language, subject=subject,
                author=author, tag=tag, created_from=created_from, created_to=created_to, category=category,
                collection=collection, document=document, study_subject=study_subject,
                document_category=document_category, min_quality=min_quality, freshness=freshness,
            )  # fmt: skip
            for hit in page.items:
                yield hit
            seen += len(page.items)
            if len(page.items) < size or seen >= page.total:
                return

    async def page(
        self,
        query: str,
        *,
        limit: int = 25,
        offset: int = 0,
        mode: Mode = "hybrid",
        type: Sequence[str] | None = None,
        language: Sequence[str] | None = None,
        subject: Sequence[str] | None = None,
        author: Sequence[str] | None = None,
        tag: Sequence[str] | None = None,
        created_from: datetime | None = None,
        created_to: datetime | None = None,
        category: Sequence[str] | None = None,
        collection: Id | None = None,
        document: Sequence[Id] | None = None,
        study_subject: str | None = None,
        document_category: str | None = None,
        min_quality: float | None = None,
        freshness: bool = False,
        prefix: bool = False,
    ) -> SearchPage:
        """Return one page of what is found, with its facets; `prefix` searches as one types."""
        return await self._transport.get(
            SearchPage, "/search", query=query, limit=limit, offset=offset, mode=mode, type=type, language=language,
            subject=subject, author=author, tag=tag, created_from=created_from, created_to=created_to,
            category=category, collection=collection, document=document, study_subject=study_subject,
            document_category=document_category, min_quality=min_quality, freshness=freshness, prefix=prefix,
        )  # fmt: skip

    async def suggest(self, prefix: str, *, limit: int = 8) -> Suggestions:
        """Return words and titles that begin like what is typed."""
        return await self._transport.get(Suggestions, "/search/suggest", prefix=prefix, limit=limit)


class SavedSearches:
    """Searches under names of your own; `search` holds what `POST /search` takes, without the page."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    async def list(self) -> Items[SavedSearch]:
        """Return all of them, by name."""
        return await self._transport.get(Items[SavedSearch], "/searches/saved")

    async def create(self, name: str, search: Mapping[str, Any]) -> SavedSearch:
        """Save one."""
        return await self._transport.send(SavedSearch, "POST", "/searches/saved", given(name=name, search=search))

    async def get(self, id: Id) -> SavedSearch:
        """Read one."""
        return await self._transport.get(SavedSearch, f"/searches/saved/{id}")

    async def replace(self, id: Id, name: str, search: Mapping[str, Any]) -> SavedSearch:
        """Replace one."""
        return await self._transport.send(SavedSearch, "PUT", f"/searches/saved/{id}", given(name=name, search=search))

    async def delete(self, id: Id) -> None:
        """Delete one."""
        await self._transport.delete(f"/searches/saved/{id}")

    async def results(self, id: Id, *, limit: int = 25, offset: int = 0) -> SearchPage:
        """Run one, and return a page of what is found."""
        return await self._transport.get(SearchPage, f"/searches/saved/{id}/results", limit=limit, offset=offset)
