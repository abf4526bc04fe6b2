"""Originals in a local folder.

A file appears under its key complete or not at all: it is written beside, flushed to the disk, then renamed. One that
comes in pieces grows as a part, under a name of its own, and is given its key when it is whole.
"""

import asyncio
import errno
import fcntl
import hashlib
import io
import os
import shutil
import tempfile
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from service.storage.place import PARTS, PIECE, FileGone, PartChanged, StorageAway, StorageFull, path_of

HEX = "[0-9a-f][0-9a-f]"
FULL = (errno.ENOSPC, errno.EDQUOT)


class GrowingFile:
    """A part that is locked: nobody else adds to it."""

    at_once = 2**20

    def __init__(self, descriptor: int, path: Path) -> None:
        self._descriptor, self._path = descriptor, path

    @property
    def size(self) -> int:
        """Bytes that are there."""
        return os.fstat(self._descriptor).st_size

    async def cut(self, size: int) -> None:
        """Forget what is there beyond `size` bytes."""
        await asyncio.to_thread(os.ftruncate, self._descriptor, size)

    async def write(self, data: bytes, at: int) -> None:
        """Write the bytes from an offset on (raises StorageFull)."""
        try:
            await asyncio.to_thread(_write_all, self._descriptor, data, at)
        except OSError as error:
            if error.errno in FULL:
                raise StorageFull(place=self._path.parent, size=len(data)) from error
            raise

    async def flush(self) -> None:
        """Make what was written durable."""
        await asyncio.to_thread(os.fsync, self._descriptor)


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

    async def size(self, key: str) -> int:
        """Return how many bytes a key has (raises FileGone)."""
        with await self.open(key) as file:
            return file.seek(0, os.SEEK_END)

    async def pieces(self, key: str) -> AsyncGenerator[bytes]:
        """Yield the bytes of a key, `PIECE` at a time (raises FileGone)."""
        with await self.open(key) as file:
            while piece := await asyncio.to_thread(file.read, PIECE):
                yield piece

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

    @asynccontextmanager
    async def grow(self, name: str) -> AsyncGenerator[GrowingFile]:
        """Lock a part; BlockingIOError while another request has it. The lock ends with its process."""
        path = self.part(name)
        descriptor = await asyncio.to_thread(os.open, path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            yield GrowingFile(descriptor, path)
        finally:
            os.close(descriptor)

    async def drop(self, name: str) -> None:
        """Delete a part; nothing happens when there is none."""
        await asyncio.to_thread(self.part(name).unlink, missing_ok=True)

    async def parts(self, age: float) -> list[str]:
        """Return the names of parts that did not grow for `age` seconds."""
        return await asyncio.to_thread(_old, self.root / PARTS, "*", age)

    async def adopt(self, name: str, size: int) -> str:
        """Keep a whole part of `size` bytes under its key, without copying it, and return the key; the part stays, too.

        Raises PartChanged where it has another size.
        """
        return await asyncio.to_thread(self._adopt, name, size)

    async def keys(self, age: float) -> list[str]:
        """Return the keys that nobody put in for `age` seconds."""
        return await asyncio.to_thread(_old, self.root, f"{HEX}/{HEX}/[0-9a-f]*", age)

    def _adopt(self, name: str, size: int) -> str:
        with self.part(name).open("rb") as file:
            if os.fstat(file.fileno()).st_size != size:
                raise PartChanged
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
                raise StorageFull(place=self.root, size=file.seek(0, os.SEEK_END)) from error
            raise StorageAway(place=self.root, reason=error.strerror or str(error)) from error
        return key

    def _open(self, key: str) -> BinaryIO:
        try:
            return self._path(key).open("rb")
        except FileNotFoundError as error:
            raise FileGone(key=key, place=self.root) from error
        except OSError as error:
            raise StorageAway(place=self.root, reason=error.strerror or str(error)) from error

    def _path(self, key: str) -> Path:
        return self.root / path_of(key)


def _write_all(descriptor: int, data: bytes, at: int) -> None:
    view = memoryview(data)
    while view:
        view = view[os.pwrite(descriptor, view, at + len(data) - len(view)) :]


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
