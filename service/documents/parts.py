"""The bytes of a file that comes in pieces: one request at a time adds to them, whatever process serves it."""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

from starlette.requests import ClientDisconnect

from service import storage
from service.errors import Conflict, TooLarge


class UploadBusy(Conflict):
    """Another request is sending this file at this moment. Ask for the offset, then go on from there."""


class MoreThanAnnounced(TooLarge):
    """More came than the {size} bytes that were announced."""


class Part:
    """A part that this request may add to."""

    def __init__(self, stored: storage.Part) -> None:
        self._stored = stored

    @property
    def size(self) -> int:
        """Bytes that are there."""
        return self._stored.size

    async def add(self, offset: int, size: int, pieces: AsyncIterator[bytes]) -> tuple[int, bool]:
        """Write what comes from `offset` on; returns how many bytes are there then, and whether the client left.

        Raises MoreThanAnnounced beyond `size`, and keeps what came before from a client who leaves.
        """
        await self._stored.cut(offset)
        gathered, at, left = bytearray(), offset, False
        try:
            async for piece in pieces:
                gathered += piece
                if at + len(gathered) > size:
                    raise MoreThanAnnounced(size=size)
                if len(gathered) >= self._stored.at_once:
                    at = await self._write(gathered, at)
        except ClientDisconnect:
            left = True
        at = await self._write(gathered, at)
        await self._stored.flush()
        return at, left

    async def _write(self, gathered: bytearray, at: int) -> int:
        data = bytes(gathered)
        gathered.clear()
        await self._stored.write(data, at)
        return at + len(data)


@asynccontextmanager
async def locked(upload_id: UUID) -> AsyncGenerator[Part]:
    """Lock the part of an upload; UploadBusy while another request has it."""
    try:
        async with storage.configured().grow(str(upload_id)) as stored:
            yield Part(stored)
    except BlockingIOError:
        raise UploadBusy from None


async def drop(upload_id: UUID) -> None:
    """Delete the part of an upload; nothing happens when there is none."""
    await storage.configured().drop(str(upload_id))
