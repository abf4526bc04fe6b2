"""Originals in a bucket of an S3 server, for several machines.

An object is there whole or not at all, and writing it again changes nothing but its age. The names are those of the
folder, so that one can be copied into the other. A file that comes in pieces is as many objects under `.parts/<name>/`,
each named by where it begins and ends, so that the pieces may reach different machines.
"""

import asyncio
import hashlib
import io
import os
from collections.abc import AsyncGenerator, AsyncIterator, Generator, Iterable
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, BinaryIO, Self

import obstore
from obstore.exceptions import BaseError
from obstore.store import S3Store
from typing_extensions import Buffer, override

from service.settings import Settings
from service.storage.place import PARTS, PIECE, FileGone, PartChanged, StorageAway, path_of

if TYPE_CHECKING:
    from obstore.store import ClientConfig, S3Config

SENT = 8 * 2**20  # bytes of one request that sends
READ = 4 * 2**20  # bytes of one request that reads
PATIENCE = timedelta(seconds=10)  # after which a request that fails is not tried again


@dataclass(frozen=True, slots=True, order=True)
class Piece:
    """An object that holds the bytes of a part from `begin` to before `end`."""

    begin: int
    end: int

    @classmethod
    def named(cls, name: str) -> Self:
        """Return the piece that an object's name tells of."""
        begin, _, end = name.partition("-")
        return cls(int(begin), int(end))

    @property
    def name(self) -> str:
        return f"{self.begin}-{self.end}"


def chain(pieces: Iterable[Piece]) -> list[Piece]:
    """Return those that cover a file from its beginning without a gap, each reaching further than the one before."""
    chained: list[Piece] = []
    end = 0
    for piece in sorted(pieces, key=lambda piece: (piece.begin, -piece.end)):
        if piece.begin > end:
            break
        if piece.end > end:
            chained.append(piece)
            end = piece.end
    return chained


class Bucket:
    """A bucket, or what is below a prefix of it."""

    def __init__(self, store: S3Store, place: str) -> None:
        self._store, self._place = store, place

    @classmethod
    def configured(cls, url: str, own: Settings) -> Self:
        """Return the bucket of `s3://bucket/prefix`; what the settings leave open is taken from AWS_* variables."""
        bucket, _, prefix = url.removeprefix("s3://").partition("/")
        if not url.startswith("s3://") or not bucket:
            raise ValueError(f"PHAROS_STORAGE_URL is {url!r}; a bucket is `s3://<bucket>` or `s3://<bucket>/<prefix>`")
        config: S3Config = {"bucket": bucket}
        client: ClientConfig = {"connect_timeout": "3s", "timeout": "30s"}
        if own.storage_endpoint is not None:
            config["endpoint"] = own.storage_endpoint
            client["allow_http"] = own.storage_endpoint.startswith("http://")
        if own.storage_region is not None:
            config["region"] = own.storage_region
        if own.storage_access_key is not None:
            config["access_key_id"] = own.storage_access_key
        if own.storage_secret_key is not None:
            config["secret_access_key"] = own.storage_secret_key.get_secret_value()
        store = S3Store(
            prefix=prefix.strip("/") or None,
            config=config,
            client_options=client,
            retry_config={"max_retries": 3, "retry_timeout": PATIENCE},
        )
        return cls(store, url)

    async def put(self, data: bytes) -> str:
        """Keep the bytes and return their key (raises StorageAway)."""
        key = hashlib.sha256(data).hexdigest()
        await self._send(path_of(key), data)
        return key

    async def keep(self, file: BinaryIO) -> str:
        """Keep what a file holds from its beginning on, a piece at a time, and return its key."""
        await asyncio.to_thread(file.seek, 0)
        digest = await asyncio.to_thread(hashlib.file_digest, file, "sha256")  # pyright: ignore[reportArgumentType]
        await asyncio.to_thread(file.seek, 0)
        key = digest.hexdigest()
        await self._send(path_of(key), file)
        return key

    async def get(self, key: str) -> bytes:
        """Return the bytes of a key (raises FileGone, StorageAway)."""
        return b"".join([piece async for piece in self.pieces(key)])

    async def open(self, key: str) -> BinaryIO:
        """Open the bytes of a key for reading in a thread; whoever asks closes it (raises FileGone, StorageAway)."""
        return io.BufferedReader(_Reader(self, key, await self.size(key)), READ)

    async def size(self, key: str) -> int:
        """Return how many bytes a key has (raises FileGone, StorageAway)."""
        with self._answering(gone=key):
            return (await obstore.head_async(self._store, path_of(key)))["size"]

    async def pieces(self, key: str) -> AsyncGenerator[bytes]:
        """Yield the bytes of a key, `PIECE` at a time; no request waits for a slow reader (raises FileGone)."""
        size = await self.size(key)
        for at in range(0, size, READ):
            with self._answering(gone=key):
                end = min(at + READ, size)
                data = bytes(await obstore.get_range_async(self._store, path_of(key), start=at, end=end))
            for start in range(0, len(data), PIECE):
                yield data[start : start + PIECE]

    def read(self, key: str, begin: int, end: int) -> bytes:
        """Return the bytes of a key from `begin` to before `end`, in a thread."""
        with self._answering(gone=key):
            return bytes(obstore.get_range(self._store, path_of(key), start=begin, end=end))

    async def exists(self, key: str) -> bool:
        """Tell whether the bytes of a key are kept (raises StorageAway)."""
        try:
            await self.size(key)
        except FileGone:
            return False
        return True

    async def delete(self, key: str) -> None:
        """Forget the bytes of a key; nothing happens when they are not kept (raises StorageAway)."""
        await self._delete([path_of(key)])

    @asynccontextmanager
    async def grow(self, name: str) -> AsyncGenerator["GrowingObjects"]:
        """Add to a part; two requests at once do no harm, as they send the same file."""
        yield GrowingObjects(self, name, await self.parts_of(name))

    async def parts_of(self, name: str) -> list[Piece]:
        """Return the pieces that are there of a part."""
        return [Piece.named(path.rpartition("/")[2]) async for path, _ in self._list(f"{PARTS}/{name}")]

    async def send_piece(self, name: str, piece: Piece, data: bytes) -> None:
        """Keep a piece of a part."""
        await self._send(f"{PARTS}/{name}/{piece.name}", data)

    async def drop_pieces(self, name: str, pieces: Iterable[Piece]) -> None:
        """Forget pieces of a part."""
        await self._delete([f"{PARTS}/{name}/{piece.name}" for piece in pieces])

    async def drop(self, name: str) -> None:
        """Delete a part; nothing happens when there is none."""
        await self.drop_pieces(name, await self.parts_of(name))

    async def parts(self, age: float) -> list[str]:
        """Return the names of parts that did not grow for `age` seconds."""
        latest = datetime.now(UTC) - timedelta(seconds=age)
        grown: dict[str, datetime] = {}
        async for path, modified in self._list(PARTS):
            name = path.split("/")[1]
            grown[name] = max(modified, grown.get(name, modified))
        return [name for name, modified in grown.items() if modified < latest]

    async def adopt(self, name: str, size: int) -> str:
        """Keep a whole part of `size` bytes under its key and return the key; the part stays, too.

        It is read twice and never held; raises PartChanged where it has another size, or is not the same twice.
        """
        pieces = chain(await self.parts_of(name))
        if max((piece.end for piece in pieces), default=0) != size:
            raise PartChanged
        digest = hashlib.sha256()
        async for data in self._joined(name, pieces):
            digest.update(data)
        again = hashlib.sha256()

        async def checked() -> AsyncGenerator[bytes]:
            async for data in self._joined(name, pieces):
                again.update(data)
                yield data
            if again.digest() != digest.digest():
                raise PartChanged  # before the upload is completed, so that nothing gets that key

        key = digest.hexdigest()
        await self._send(path_of(key), checked())
        return key

    async def keys(self, age: float) -> list[str]:
        """Return the keys that nobody put in for `age` seconds."""
        latest = datetime.now(UTC) - timedelta(seconds=age)
        return [
            path[6:]
            async for path, modified in self._list(None)
            if modified < latest and len(path) == 70 and path == path_of(path[6:])
        ]

    async def _joined(self, name: str, pieces: list[Piece]) -> AsyncGenerator[bytes]:
        end = 0
        for piece in pieces:
            path = f"{PARTS}/{name}/{piece.name}"
            with self._answering():
                data = await obstore.get_range_async(
                    self._store, path, start=end - piece.begin, end=piece.end - piece.begin
                )
            yield bytes(data)
            end = piece.end

    async def _list(self, prefix: str | None) -> AsyncIterator[tuple[str, datetime]]:
        with self._answering():
            async for found in obstore.list(self._store, prefix, chunk_size=1000):
                for entry in found:
                    yield entry["path"], entry["last_modified"]

    async def _send(self, path: str, data: bytes | BinaryIO | AsyncIterator[bytes]) -> None:
        with self._answering():
            await obstore.put_async(self._store, path, data, chunk_size=SENT, max_concurrency=2)

    async def _delete(self, paths: list[str]) -> None:
        if paths:
            with self._answering(), suppress(FileNotFoundError):
                await obstore.delete_async(self._store, paths)

    @contextmanager
    def _answering(self, gone: str | None = None) -> Generator[None]:
        """Say in our words what the server said: FileGone of that key, or StorageAway."""
        try:
            yield
        except FileNotFoundError as error:
            if gone is not None:
                raise FileGone(key=gone, place=self._place) from error
            raise StorageAway(place=self._place, reason="the server does not know it") from error
        except BaseError as error:
            raise StorageAway(place=self._place, reason=_reason(error)) from error


class GrowingObjects:
    """A part of which every write is an object."""

    at_once = SENT

    def __init__(self, bucket: Bucket, name: str, pieces: list[Piece]) -> None:
        self._bucket, self._name, self._pieces = bucket, name, pieces

    @property
    def size(self) -> int:
        """Bytes that are there without a gap."""
        return max((piece.end for piece in chain(self._pieces)), default=0)

    async def cut(self, size: int) -> None:
        """Forget the pieces that begin beyond `size` bytes."""
        beyond = [piece for piece in self._pieces if piece.begin >= size]
        await self._bucket.drop_pieces(self._name, beyond)
        self._pieces = [piece for piece in self._pieces if piece.begin < size]

    async def write(self, data: bytes, at: int) -> None:
        """Keep the bytes from an offset on (raises StorageAway)."""
        if data:
            piece = Piece(at, at + len(data))
            await self._bucket.send_piece(self._name, piece, data)
            self._pieces.append(piece)

    async def flush(self) -> None:
        """Do nothing: what was written is durable."""


class _Reader(io.RawIOBase):
    """The bytes of a key as a file that can be read from anywhere, in a thread."""

    def __init__(self, bucket: Bucket, key: str, size: int) -> None:
        self._bucket, self._key, self._size, self._at = bucket, key, size, 0

    @override
    def readable(self) -> bool:
        return True

    @override
    def seekable(self) -> bool:
        return True

    @override
    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        self._at = offset + {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._size}[whence]
        return self._at

    @override
    def readinto(self, buffer: Buffer, /) -> int:
        view = memoryview(buffer)
        end = min(self._at + len(view), self._size)
        if end <= self._at:
            return 0
        data = self._bucket.read(self._key, self._at, end)
        view[: len(data)] = data
        self._at += len(data)
        return len(data)


def _reason(error: Exception) -> str:
    """Return what went wrong, without the address and the answer of the server: those are for the log."""
    words = str(error).partition("\n\nDebug source:")[0].rpartition(" - ")[2]
    return " ".join(words.partition("<")[0].split())[:200].rstrip(".: ")
