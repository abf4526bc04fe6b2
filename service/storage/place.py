"""What a place for originals can do, and what goes wrong with it.

Its errors:

    StorageFull 507
    StorageAway 503       the place cannot be used; tasks try again
    FileGone 410          the row names a file that is not there
    PartChanged 409       a file that comes in pieces is not whole, or others write to it
"""

from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager
from typing import BinaryIO, Protocol

from service.errors import Conflict, PharosError, Unavailable

PIECE = 64 * 1024  # bytes
PARTS = ".parts"  # where files that come in pieces grow


class StorageFull(PharosError):
    """The disk that holds {place} is full: {size} bytes could not be stored. Free some space, then try again."""

    status = 507
    transient = True


class StorageAway(Unavailable):
    """{place} cannot be used for files: {reason}."""


class FileGone(PharosError):
    """The stored file {key} is gone from {place}. Add the document again."""

    status = 410


class PartChanged(Conflict):
    """Another request has changed this file meanwhile. Ask for the offset, then go on from there."""


class Part(Protocol):
    """The bytes that are there of a file that comes in pieces, while one request adds to them."""

    at_once: int  # bytes that are best written at a time

    @property
    def size(self) -> int: ...
    async def cut(self, size: int) -> None: ...
    async def write(self, data: bytes, at: int) -> None: ...
    async def flush(self) -> None: ...


class Storage(Protocol):
    """A place for originals; keys are SHA-256 in hex."""

    async def put(self, data: bytes) -> str: ...
    async def keep(self, file: BinaryIO) -> str: ...
    async def get(self, key: str) -> bytes: ...
    async def open(self, key: str) -> BinaryIO: ...
    async def size(self, key: str) -> int: ...
    def pieces(self, key: str) -> AsyncGenerator[bytes]: ...
    async def exists(self, key: str) -> bool: ...
    async def delete(self, key: str) -> None: ...
    def grow(self, name: str) -> AbstractAsyncContextManager[Part]: ...
    async def drop(self, name: str) -> None: ...
    async def parts(self, age: float) -> list[str]: ...
    async def adopt(self, name: str, size: int) -> str: ...
    async def keys(self, age: float) -> list[str]: ...


def path_of(key: str) -> str:
    """Return where below its place the bytes of a key are: `ab/cd/abcd...`."""
    if len(key) != 64 or not set(key) <= set("0123456789abcdef"):
        raise ValueError(f"{key!r} is not a SHA-256 in hex")
    return f"{key[:2]}/{key[2:4]}/{key}"
