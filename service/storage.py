"""Where originals are kept: content-addressed.

The key of a file is the SHA-256 of its bytes, so that the same file is kept once and writing it again changes nothing.
A file appears under its key complete or not at all: it is written beside, flushed to the disk, then renamed. One that
comes in pieces grows as a part, under a name of its own, and is given its key when it is whole.

    StorageFull 507
    StorageAway 503       the folder cannot be used; tasks try again
    FileGone 410          the row names a file that is not there
"""

import asyncio
import errno
import hashlib
import io
import os
import shutil
import tempfile
import time
from collections.abc import AsyncGenerator
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import BinaryIO, Protocol

from service.errors import PharosError, Unavailable
from service.settings import settings

PIECE = 64 * 1024  # bytes
PARTS = ".parts"  # the folder of files that come in pieces
HEX = "[0-9a-f][0-9a-f]"
FULL = (errno.ENOSPC, errno.EDQUOT)


class StorageFull(PharosError):
    """The disk that holds {folder} is full: {size} bytes could not be stored. Free some space, then try again."""

    status = 507
    transient = True


class StorageAway(Unavailable):
    """The folder {folder} cannot be used for files: {reason}."""


class FileGone(PharosError):
    """The stored file {key} is gone from {folder}. Add the document again."""

    status = 410


class Storage(Protocol):
    """What a place for originals can do; keys are SHA-256 in hex."""

    async def put(self, data: bytes) -> str: ...
    async def keep(self, file: BinaryIO) -> str: ...
    async def get(self, key: str) -> bytes: ...
    async def open(self, key: str) -> BinaryIO: ...
    async def exists(self, key: str) -> bool: ...
    async def delete(self, key: str) -> None: ...
    def part(self, name: str) -> Path: ...
    async def parts(self, age: float) -> list[str]: ...
    async def adopt(self, name: str) -> str: ...
    async def keys(self, age: float) -> list[str]: ...


class Folder:
    """A local folder with two levels of sub-folders, `ab/cd/abcd...`; file work never runs on the event loop."""

    def __init__(self, root: Path) -> None:
        self.root = root

    async def put(self, data: bytes) -> str:
        """Keep the bytes and return their key (raises StorageFull, StorageAway)."""
        return await asyncio.to_thread(self._put, io.BytesIO(data))

    async def keep(self, file: BinaryIO) -> str:
        """Keep what a file holds from its beginning on, a piece at a time, and return its key."""
        return await asyncio.to_thread(self._put, file)

    async def get(self, key: str) -> bytes:
        """Return the bytes of a key (raises FileGone)."""
        with await self.open(key) as file:
            return await asyncio.to_thread(file.read)

    async def open(self, key: str) -> BinaryIO:
        """Open the bytes of a key for reading; whoever asks closes it (raises FileGone)."""
        return await asyncio.to_thread(self._open, key)

    async def exists(self, key: str) -> bool:
        """Tell whether the bytes of a key are kept."""
        return await asyncio.to_thread(self._path(key).is_file)

    async def delete(self, key: str) -> None:
        """Forget the bytes of a key; nothing happens when they are not kept."""
        await asyncio.to_thread(self._path(key).unlink, missing_ok=True)

    def part(self, name: str) -> Path:
        """Return where the part of that name grows, in a folder that is there."""
        folder = self.root / PARTS
        folder.mkdir(parents=True, exist_ok=True)
        return folder / name

    async def parts(self, age: float) -> list[str]:
        """Return the names of parts that did not grow for `age` seconds."""
        return await asyncio.to_thread(_old, self.root / PARTS, "*", age)

    async def adopt(self, name: str) -> str:
        """Keep a whole part under its key, without copying it, and return the key; the part stays, too."""
        return await asyncio.to_thread(self._adopt, name)

    async def keys(self, age: float) -> list[str]:
        """Return the keys that nobody put in for `age` seconds."""
        return await asyncio.to_thread(_old, self.root, f"{HEX}/{HEX}/[0-9a-f]*", age)

    def _adopt(self, name: str) -> str:
        with self.part(name).open("rb") as file:
            key = hashlib.file_digest(file, "sha256").hexdigest()
        path = self._path(key)
        if _touched(path):
            return key
        path.parent.mkdir(parents=True, exist_ok=True)
        with suppress(FileExistsError):
            os.link(self.part(name), path)
        _flush_folder(path.parent)
        return key

    def _put(self, file: BinaryIO) -> str:
        file.seek(0)
        key = hashlib.file_digest(file, "sha256").hexdigest()  # pyright: ignore[reportArgumentType]
        path = self._path(key)
        try:
            if not _touched(path):
                path.parent.mkdir(parents=True, exist_ok=True)
                _write_complete(path, file)
        except OSError as error:
            if error.errno in FULL:
                raise StorageFull(folder=self.root, size=file.seek(0, os.SEEK_END)) from error
            raise StorageAway(folder=self.root, reason=error.strerror or str(error)) from error
        return key

    def _open(self, key: str) -> BinaryIO:
        try:
            return self._path(key).open("rb")
        except FileNotFoundError as error:
            raise FileGone(key=key, folder=self.root) from error
        except OSError as error:
            raise StorageAway(folder=self.root, reason=error.strerror or str(error)) from error

    def _path(self, key: str) -> Path:
        if len(key) != 64 or not set(key) <= set("0123456789abcdef"):
            raise ValueError(f"{key!r} is not a SHA-256 in hex")
        return self.root / key[:2] / key[2:4] / key


def _write_complete(path: Path, source: BinaryIO) -> None:
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=".new-")
    try:
        with os.fdopen(descriptor, "wb") as file:
            source.seek(0)
            shutil.copyfileobj(source, file, 2**20)
            file.flush()
            os.fsync(file.fileno())
        os.replace(name, path)
    except BaseException:
        os.unlink(name)
        raise
    _flush_folder(path.parent)


def _flush_folder(path: Path) -> None:
    """Make the names in a folder durable."""
    folder = os.open(path, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _touched(path: Path) -> bool:
    """Tell whether a file is there; then it counts as put in now, so that nobody deletes it as long unused."""
    try:
        os.utime(path)
    except FileNotFoundError:
        return False
    return True


def _old(folder: Path, pattern: str, age: float) -> list[str]:
    latest = time.time() - age
    names: list[str] = []
    for path in folder.glob(pattern):
        with suppress(FileNotFoundError):
            if path.is_file() and path.stat().st_mtime < latest:
                names.append(path.name)
    return names


@cache
def configured() -> Storage:
    """Return the place that PHAROS_STORAGE_URL names, by default `<home>/files`."""
    url = settings().storage_url or f"file:{settings().home / 'files'}"
    scheme, _, place = url.partition(":")
    if scheme != "file" or not place:
        raise ValueError(f"PHAROS_STORAGE_URL is {url!r}; it must be `file:<folder>`")
    return Folder(Path(place.removeprefix("//")).absolute())


def folder() -> Path | None:
    """Return the folder of the configured place; None where it is on no disk of this machine."""
    place = configured()
    return place.root if isinstance(place, Folder) else None


async def put(data: bytes) -> str:
    """Keep the bytes in the configured place and return their key (raises StorageFull, StorageAway)."""
    return await configured().put(data)


async def keep(file: BinaryIO) -> str:
    """Keep what a file holds in the configured place and return its key (raises StorageFull, StorageAway)."""
    return await configured().keep(file)


async def size(key: str) -> int:
    """Return how many bytes a key has in the configured place (raises FileGone)."""
    with await configured().open(key) as file:
        return file.seek(0, os.SEEK_END)


async def pieces(key: str) -> AsyncGenerator[bytes]:
    """Yield the bytes of a key from the configured place, `PIECE` at a time (raises FileGone)."""
    with await configured().open(key) as file:
        while piece := await asyncio.to_thread(file.read, PIECE):
            yield piece


async def get(key: str) -> bytes:
    """Return the bytes of a key from the configured place (raises FileGone)."""
    return await configured().get(key)


async def exists(key: str) -> bool:
    """Tell whether the configured place keeps the bytes of a key."""
    return await configured().exists(key)


async def delete(key: str) -> None:
    """Forget the bytes of a key; nothing happens when they are not kept."""
    await configured().delete(key)
