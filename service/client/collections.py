"""Collections, and what is in them."""

from collections.abc import AsyncGenerator, Sequence
from typing import Literal

from .models import Added, Collection, Items, Page, Recommendation, ResourceItem, SimilarCollection, Visibility
from .transport import UNSET, Id, Transport, Unset, given, said

Sort = Literal[
    "created_at", "-created_at", "updated_at", "-updated_at", "published_at", "-published_at", "title", "-title"
]


class Collections:
    """Resources put together."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def list(
        self,
        *,
        limit: int | None = None,
        q: str | None = None,
        own: bool | None = None,
        parent_id: Id | None = None,
        resource_id: Id | None = None,
    ) -> AsyncGenerator[Collection]:
        """Yield yours and those that others share; `resource_id`: those that hold it."""
        return self._transport.each(
            Page[Collection], "/collections", limit, q=q, own=own, parent_id=parent_id, resource_id=resource_id
        )

    async def create(
        self,
        name: str,
        *,
        description: str | None = None,
        visibility: Visibility | None = None,
        parent_id: Id | None = None,
    ) -> Collection:
        """Make one; it is private unless said otherwise."""
        body = given(name=name, description=description, visibility=visibility, parent_id=parent_id)
        return await self._transport.send(Collection, "POST", "/collections", body)

    async def get(self, id: Id) -> Collection:
        """Read one."""
        return await self._transport.get(Collection, f"/collections/{id}")

    async def update(
        self,
        id: Id,
        *,
        version: int | None = None,
        name: str | Unset = UNSET,
        description: str | Unset | None = UNSET,
        visibility: Visibility | Unset = UNSET,
        parent_id: Id | Unset | None = UNSET,
    ) -> Collection:
        """Change what is named; with `version` only if nobody changed it since."""
        body = said(name=name, description=description, visibility=visibility, parent_id=parent_id)
        return await self._transport.send(Collection, "PUT", f"/collections/{id}", body, version)

    async def delete(self, id: Id, *, version: int | None = None) -> None:
        """Delete one, not what is in it."""
        await self._transport.delete(f"/collections/{id}", version)

    def resources(
        self, id: Id, *, limit: int | None = None, sort: Sort = "-created_at"
    ) -> AsyncGenerator[ResourceItem]:
        """Yield what is in one."""
        return self._transport.each(Page[ResourceItem], f"/collections/{id}/resources", limit, sort=sort)

    async def add(self, id: Id, resource_ids: Sequence[Id]) -> Added:
        """Put up to a thousand resources into one; where one is unknown, none is put."""
        body = {"resource_ids": resource_ids}
        return await self._transport.send(Added, "POST", f"/collections/{id}/resources", body)

    async def remove(self, id: Id, resource_id: Id) -> None:
        """Take a resource out of one."""
        await self._transport.delete(f"/collections/{id}/resources/{resource_id}")

    async def similar(self, id: Id, *, limit: int = 10) -> Items[SimilarCollection]:
        """Return the collections that are nearest in meaning."""
        return await self._transport.get(Items[SimilarCollection], f"/collections/{id}/similar", limit=limit)

    async def recommendations(self, id: Id, *, limit: int = 10) -> Items[Recommendation]:
        """Return resources that would fit into one and are not in it."""
        return await self._transport.get(Items[Recommendation], f"/collections/{id}/recommendations", limit=limit)
