"""The bytes of a file that comes in pieces: one file that one request at a time adds to, whatever process serves it."""

import asyncio
import fcntl
import os
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import UUID

from starlette.requests import ClientDisconnect

from service import storage
from service.errors import Conflict, TooLarge
from service.storage import FULL, StorageFull

AT_ONCE = 2**20  # bytes that are gathered before they are written


class UploadBusy(Conflict):
    """Another request is sending this file at this moment. Ask for the offset, then go on from there."""


class MoreThanAnnounced(TooLarge):
    """More came than the {size} bytes that were announced."""


class Part:
    """A part that is locked: nobody else adds to it."""

    def __init__(self, descriptor: int, path: Path) -> None:
        self._descriptor, self.path = descriptor, path

    @property
    def size(self) -> int:
        """Bytes that are there."""
        return os.fstat(self._descriptor).st_size

    async def add(self, offset: int, size: int, pieces: AsyncIterator[bytes]) -> tuple[int, bool]:
        """Write what comes from `offset` on; returns how many bytes are there then, and whether the client left.

        Raises MoreThanAnnounced beyond `size`, and keeps what came before from a client who leaves.
        """
        await asyncio.to_thread(os.ftruncate, self._descriptor, offset)
        gathered, at, left = bytearray(), offset, False
        try:
            async for piece in pieces:
                gathered += piece
                if at + len(gathered) > size:
                    raise MoreThanAnnounced(size=size)
                if len(gathered) >= AT_ONCE:
                    at = await self._write(gathered, at)
        except ClientDisconnect:
            left = True
        at = await self._write(gathered, at)
        await asyncio.to_thread(os.fsync, self._descriptor)
        return at, left

    async def _write(self, gathered: bytearray, at: int) -> int:
        data = bytes(gathered)
        gathered.clear()
        try:
            return at + await asyncio.to_thread(_write_all, self._descriptor, data, at)
        except OSError as error:
            if error.errno in FULL:
                raise StorageFull(folder=self.path.parent, size=len(data)) from error
            raise


def _write_all(descriptor: int, data: bytes, at: int) -> int:
    view = memoryview(data)
    while view:
        view = view[os.pwrite(descriptor, view, at + len(data) - len(view)) :]
    return len(data)


@asynccontextmanager
async def locked(upload_id: UUID) -> AsyncGenerator[Part]:
    """Lock the part of an upload; UploadBusy while another request has it. The lock ends with its process."""
    path = storage.configured().part(str(upload_id))
    descriptor = await asyncio.to_thread(os.open, path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise UploadBusy from None
        yield Part(descriptor, path)
    finally:
        os.close(descriptor)


async def drop(upload_id: UUID) -> None:
    """Delete the part of an upload; nothing happens when there is none."""
    path = storage.configured().part(str(upload_id))
    await asyncio.to_thread(path.unlink, missing_ok=True)
