"""Passages that you marked."""

from collections.abc import AsyncGenerator, Sequence
from typing import Literal

from .models import Annotation, Colour, Page
from .transport import UNSET, Id, Transport, Unset, given, said


class Annotations:
    """Highlights and notes; offsets count code points of the text."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def list(
        self,
        *,
        limit: int | None = None,
        resource_id: Id | None = None,
        tag: str | None = None,
        q: str | None = None,
        orphaned: bool | None = None,
    ) -> AsyncGenerator[Annotation]:
        """Yield yours, the newest first."""
        return self._transport.each(
            Page[Annotation], "/annotations", limit, resource_id=resource_id, tag=tag, q=q, orphaned=orphaned
        )

    def of(self, resource_id: Id, *, limit: int | None = None) -> AsyncGenerator[Annotation]:
        """Yield yours of one resource, in reading order."""
        return self._transport.each(Page[Annotation], f"/resources/{resource_id}/annotations", limit)

    async def create(
        self,
        resource_id: Id,
        start: int,
        end: int,
        *,
        quote: str | None = None,
        note: str | None = None,
        tags: Sequence[str] | None = None,
        colour: Colour | None = None,
    ) -> Annotation:
        """Mark a passage; with `quote` only if that stands there."""
        body = given(start=start, end=end, quote=quote, note=note, tags=tags, colour=colour)
        return await self._transport.send(Annotation, "POST", f"/resources/{resource_id}/annotations", body)

    async def get(self, id: Id) -> Annotation:
        """Read one."""
        return await self._transport.get(Annotation, f"/annotations/{id}")

    async def update(
        self,
        id: Id,
        *,
        version: int | None = None,
        start: int | Unset = UNSET,
        end: int | Unset = UNSET,
        quote: str | Unset = UNSET,
        note: str | Unset | None = UNSET,
        tags: Sequence[str] | Unset = UNSET,
        colour: Colour | Unset = UNSET,
    ) -> Annotation:
        """Change what is named; `start` and `end` together mark another passage."""
        body = said(start=start, end=end, quote=quote, note=note, tags=tags, colour=colour)
        return await self._transport.send(Annotation, "PUT", f"/annotations/{id}", body, version)

    async def delete(self, id: Id, *, version: int | None = None) -> None:
        """Delete one."""
        await self._transport.delete(f"/annotations/{id}", version)

    def export(
        self, *, format: Literal["markdown", "json"] = "markdown", resource_id: Id | None = None
    ) -> AsyncGenerator[bytes]:
        """Yield yours as a file."""
        return self._transport.download("/annotations/export", format=format, resource_id=resource_id)
