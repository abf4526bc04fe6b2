"""What was deleted, and what is there twice."""

from collections.abc import AsyncGenerator, Sequence

from .models import DuplicateGroup, NewSeparation, Page, Part, Purged, Resource, Separation, Trashed
from .transport import Id, Transport


class Trash:
    """What was deleted, until it is restored or deleted for good."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def list(self, *, limit: int | None = None) -> AsyncGenerator[Trashed]:
        """Yield what you may see of it, what was deleted last first."""
        return self._transport.onward(Part[Trashed], "/trash", limit)

    async def restore(self, id: Id) -> Resource:
        """Take a resource back, with what people made of it."""
        return await self._transport.send(Resource, "POST", f"/resources/{id}/restore", None)

    async def purge(self, id: Id) -> None:
        """Delete a resource in the trash for good."""
        await self._transport.delete(f"/trash/{id}")

    async def empty(self) -> Purged:
        """Delete for good whatever in the trash is yours or was deleted by you."""
        return await self._transport.send(Purged, "DELETE", "/trash", None)


class Duplicates:
    """What is in the library more than once."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def list(self, *, limit: int | None = None) -> AsyncGenerator[DuplicateGroup]:
        """Yield groups of what is the same, or nearly."""
        return self._transport.each(Page[DuplicateGroup], "/duplicates", limit)

    async def merge(self, id: Id, ids: Sequence[Id]) -> Resource:
        """Give a resource what people made of up to a hundred others, and put those into the trash."""
        return await self._transport.send(Resource, "POST", f"/resources/{id}/merge", {"ids": ids})

    def separations(self, *, limit: int | None = None) -> AsyncGenerator[Separation]:
        """Yield what you said are no duplicates, said last first."""
        return self._transport.each(Page[Separation], "/duplicates/separations", limit)

    async def separate(self, ids: Sequence[Id]) -> NewSeparation:
        """Say that no two of up to a hundred resources are duplicates; they are not listed to you as such again."""
        return await self._transport.send(NewSeparation, "POST", "/duplicates/separations", {"ids": ids})

    async def rejoin(self, id: Id) -> None:
        """Undo a separation."""
        await self._transport.delete(f"/duplicates/separations/{id}")
