"""Where originals are kept: content-addressed.

The key of a file is the SHA-256 of its bytes, so that the same file is kept once and writing it again changes nothing.

    place.py    what a place can do, and what goes wrong
    folder.py   a folder on a disk
    bucket.py   a bucket of an S3 server, for several machines
"""

from collections.abc import AsyncGenerator
from functools import cache
from pathlib import Path
from typing import BinaryIO

from service.settings import settings
from service.storage.folder import Folder
from service.storage.place import PIECE, FileGone, Part, PartChanged, Storage, StorageAway, StorageFull

__all__ = ["PIECE", "FileGone", "Folder", "Part", "PartChanged", "Storage", "StorageAway", "StorageFull"]


@cache
def configured() -> Storage:
    """Return the place that PHAROS_STORAGE_URL names, by default `<home>/files`."""
    url = settings().storage_url or f"file:{settings().home / 'files'}"
    scheme, _, place = url.partition(":")
    if scheme == "s3":
        from service.storage.bucket import Bucket  # 15 MB that nobody else needs

        return Bucket.configured(url, settings())
    if scheme != "file" or not place:
        raise ValueError(f"PHAROS_STORAGE_URL is {url!r}; it must be `file:<folder>` or `s3://<bucket>/<prefix>`")
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
    return await configured().size(key)


def pieces(key: str) -> AsyncGenerator[bytes]:
    """Yield the bytes of a key from the configured place, `PIECE` at a time (raises FileGone)."""
    return configured().pieces(key)


async def get(key: str) -> bytes:
    """Return the bytes of a key from the configured place (raises FileGone)."""
    return await configured().get(key)


async def exists(key: str) -> bool:
    """Tell whether the configured place keeps the bytes of a key."""
    return await configured().exists(key)


async def delete(key: str) -> None:
    """Forget the bytes of a key; nothing happens when they are not kept."""
    await configured().delete(key)
