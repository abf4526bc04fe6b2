"""What you want to read, read, and have read."""

from collections.abc import AsyncGenerator, Sequence

from .models import Part, Reading, ReadingItem, ReadingState, ReadLater
from .transport import Id, Transport, given


class Readings:
    """Your reading list, and how far you are; nobody sees another's."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def list(
        self, *, limit: int | None = None, state: Sequence[ReadingState] | None = None
    ) -> AsyncGenerator[ReadingItem]:
        """Yield what is in any of these states, else all of it; what changed last first."""
        return self._transport.onward(Part[ReadingItem], "/reading", limit, state=state)

    async def add(self, ids: Sequence[Id]) -> ReadLater:
        """Put up to a thousand resources on the list; what you have begun stays as it is."""
        return await self._transport.send(ReadLater, "POST", "/reading", {"resource_ids": ids})

    async def get(self, resource_id: Id) -> Reading:
        """Read how far you are with a resource."""
        return await self._transport.get(Reading, f"/resources/{resource_id}/reading")

    async def keep(
        self, resource_id: Id, *, state: ReadingState | None = None, progress: float | None = None
    ) -> Reading:
        """Say a state, a place in the text from 0 to 1, or both; a place alone begins or ends a reading."""
        body = given(state=state, progress=progress)
        return await self._transport.send(Reading, "PUT", f"/resources/{resource_id}/reading", body)

    async def remove(self, resource_id: Id) -> None:
        """Take a resource off the list, and forget how far you were."""
        await self._transport.delete(f"/resources/{resource_id}/reading")
