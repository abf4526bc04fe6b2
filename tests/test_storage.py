"""What every place for originals promises, held against a folder and against a bucket of a real S3 server."""

import asyncio
import errno
import hashlib
import io
import os
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import BinaryIO

import obstore
import pytest

from service import storage
from service.documents.parts import Part
from service.settings import settings
from service.storage import FileGone, Folder, PartChanged, Storage, StorageAway, StorageFull
from service.storage.bucket import READ, SENT, Bucket, Piece, chain
from tests.storage_server import SECRET, StorageServer

DATA = b"the original \x00 bytes"
KEY = hashlib.sha256(DATA).hexdigest()
WHERE = f"{KEY[:2]}/{KEY[2:4]}/{KEY}"
LARGE = os.urandom(2 * READ + 17)

Names = Callable[[], list[str]]


@pytest.fixture(scope="session")
def server() -> Iterator[StorageServer]:
    server = StorageServer()
    server.start()
    yield server
    server.stop()


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path / "files")


@pytest.fixture(params=["folder", "bucket"])
def kind(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def bucket(server: StorageServer) -> str:
    return server.make()


@pytest.fixture
def place(kind: str, folder: Folder, request: pytest.FixtureRequest) -> Storage:
    if kind == "folder":
        return folder
    server: StorageServer = request.getfixturevalue("server")
    return server.bucket(f"s3://{request.getfixturevalue('bucket')}/library/originals")


@pytest.fixture
def names(kind: str, folder: Folder, request: pytest.FixtureRequest) -> Names:
    """Tells what the place holds."""
    if kind == "folder":
        return lambda: sorted(str(path.relative_to(folder.root)) for path in files(folder))
    server: StorageServer = request.getfixturevalue("server")
    bucket = request.getfixturevalue("bucket")
    return lambda: [name.removeprefix("library/originals/") for name in server.names(bucket)]


def files(folder: Folder) -> list[Path]:
    return [path for path in folder.root.rglob("*") if path.is_file()]


async def test_bytes_come_back_by_their_hash(place: Storage, names: Names) -> None:
    assert await place.put(DATA) == KEY
    assert await place.get(KEY) == DATA
    assert await place.size(KEY) == len(DATA)
    assert await place.exists(KEY)
    assert names() == [WHERE]


async def test_the_same_bytes_are_kept_once_even_at_the_same_time(place: Storage, names: Names) -> None:
    keys = await asyncio.gather(*(place.put(DATA) for _ in range(20)))
    assert set(keys) == {KEY}
    assert names() == [WHERE]


async def test_a_deleted_file_is_gone_and_deleting_it_again_is_harmless(place: Storage, names: Names) -> None:
    await place.put(DATA)
    await place.delete(KEY)
    await place.delete(KEY)
    assert not await place.exists(KEY)
    assert names() == []
    for asked in (place.get, place.size, place.open):
        with pytest.raises(FileGone, match=KEY):
            await asked(KEY)


@pytest.mark.parametrize("key", ["", "../../etc/passwd", KEY.upper(), KEY[:-1], "/" + KEY[1:]])
async def test_a_key_is_never_a_path(place: Storage, key: str) -> None:
    for asked in (place.get, place.delete, place.exists):
        with pytest.raises(ValueError, match="not a SHA-256"):
            await asked(key)


async def test_a_large_file_is_kept_and_read_in_pieces(place: Storage, tmp_path: Path) -> None:
    (tmp_path / "large").write_bytes(LARGE)
    with (tmp_path / "large").open("rb") as file:
        file.seek(1000)  # somebody has looked at it
        key = await place.keep(file)
    assert key == hashlib.sha256(LARGE).hexdigest()
    pieces = [piece async for piece in place.pieces(key)]
    assert max(map(len, pieces)) == storage.PIECE
    assert b"".join(pieces) == LARGE


async def test_a_file_is_opened_as_one_that_can_be_read_from_anywhere(place: Storage) -> None:
    key = await place.put(LARGE)
    with await place.open(key) as file:
        assert await asyncio.to_thread(hash_of, file) == key
        assert await asyncio.to_thread(file.seek, 0, os.SEEK_END) == len(LARGE)
        await asyncio.to_thread(file.seek, READ - 5)
        assert await asyncio.to_thread(file.read, 10) == LARGE[READ - 5 : READ + 5]


def hash_of(file: BinaryIO) -> str:
    return hashlib.file_digest(file, "sha256").hexdigest()  # pyright: ignore


async def test_an_empty_file_has_no_pieces(place: Storage) -> None:
    key = await place.put(b"")
    assert [piece async for piece in place.pieces(key)] == []
    assert await place.get(key) == b""


async def test_what_was_put_in_again_is_young(place: Storage) -> None:
    await place.put(DATA)
    await place.put(b"other")
    assert sorted(await place.keys(-5)) == sorted([KEY, hashlib.sha256(b"other").hexdigest()])
    assert await place.keys(3600) == []


async def test_a_part_grows_is_kept_and_is_dropped(place: Storage, names: Names) -> None:
    for at in (0, 10, 20):
        async with place.grow("one") as part:
            assert part.size == at
            await part.write(DATA[at : at + 10], at)
            await part.flush()
    assert await place.parts(-5) == ["one"]
    assert await place.parts(3600) == []
    assert await place.keys(-5) == []
    assert await place.adopt("one", len(DATA)) == KEY
    assert await place.get(KEY) == DATA
    await place.drop("one")
    await place.drop("one")
    assert names() == [WHERE]


async def test_what_is_cut_off_a_part_is_written_again(place: Storage) -> None:
    async with place.grow("one") as part:
        await part.write(DATA[:10], 0)
        await part.write(b"of a server that died", 10)
    async with place.grow("one") as part:
        assert part.size == 31
        await part.cut(10)
        assert part.size == 10
        await part.write(DATA[10:], 10)
    assert await place.adopt("one", len(DATA)) == KEY


async def test_a_part_is_written_in_bounded_pieces(place: Storage) -> None:
    data = os.urandom(SENT + 100_000)

    async def sent() -> AsyncIterator[bytes]:
        for at in range(0, len(data), 65_536):
            yield data[at : at + 65_536]

    async with place.grow("one") as part:
        assert await Part(part).add(0, len(data), sent()) == (len(data), False)
    assert await place.adopt("one", len(data)) == hashlib.sha256(data).hexdigest()


async def test_a_part_that_is_not_whole_gets_no_key(place: Storage, names: Names) -> None:
    async with place.grow("one") as part:
        await part.write(DATA[:10], 0)
    before = names()
    with pytest.raises(PartChanged):
        await place.adopt("one", len(DATA))
    assert names() == before


async def test_a_part_that_changes_while_it_is_adopted_gets_no_key(
    server: StorageServer, bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = server.bucket(f"s3://{bucket}")
    async with place.grow("one") as part:
        await part.write(DATA, 0)
    send = Bucket._send

    async def late(self: Bucket, path: str, data: AsyncIterator[bytes]) -> None:
        await obstore.put_async(self._store, ".parts/one/" + Piece(0, len(DATA)).name, DATA[::-1])
        await send(self, path, data)

    monkeypatch.setattr(Bucket, "_send", late)
    with pytest.raises(PartChanged):
        await place.adopt("one", len(DATA))
    assert not await place.exists(KEY)


def test_pieces_that_overlap_are_joined_without_a_gap() -> None:
    whole = [Piece(0, 10), Piece(10, 25), Piece(20, 30)]
    assert chain([Piece(10, 12), *reversed(whole), Piece(0, 4), Piece(31, 40)]) == whole
    assert chain([Piece(1, 10)]) == []
    assert [Piece.named(piece.name) for piece in whole] == whole


async def test_a_bucket_is_only_used_below_its_prefix(server: StorageServer, bucket: str) -> None:
    one, other = server.bucket(f"s3://{bucket}/one"), server.bucket(f"s3://{bucket}/one-more/")
    key = await one.put(DATA)
    assert await one.keys(-5) == [key]
    assert await other.keys(-5) == []
    assert not await other.exists(key)
    assert server.names(bucket) == [f"one/{WHERE}"]


async def test_a_bucket_that_is_not_there_is_said(server: StorageServer) -> None:
    away = server.bucket("s3://nobody-made-this/library")
    for asked in (away.put(DATA), away.keys(0)):
        with pytest.raises(StorageAway, match="s3://nobody-made-this/library cannot be used for files"):
            await asked


async def test_a_server_that_is_away_is_said_without_its_address_and_key(bucket: str) -> None:
    nobody = StorageServer()  # nothing listens on its port
    away = nobody.bucket(f"s3://{bucket}")
    with pytest.raises(StorageAway, match=f"s3://{bucket} cannot be used for files") as raised:
        await away.put(DATA)
    assert raised.value.transient
    assert raised.value.status == 503
    assert SECRET not in str(raised.value)
    assert "127.0.0.1" not in str(raised.value)
    for asked in (away.keep(io.BytesIO(DATA)), away.get(KEY), away.exists(KEY), away.delete(KEY), away.keys(0)):
        with pytest.raises(StorageAway):
            await asked


MEMORY = """
import asyncio, resource, sys, tempfile
from service import storage

async def main():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with tempfile.TemporaryFile() as file:
        for number in range(100):
            file.write(number.to_bytes(4, "big") * 2**18)
        key = await storage.keep(file)
    total = 0
    async for piece in storage.pieces(key):
        total += len(piece)
    with await storage.configured().open(key) as file:
        while piece := await asyncio.to_thread(file.read, 2**20):
            total += len(piece)
    print(total, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)

asyncio.run(main())
"""


async def test_a_large_file_is_never_held_in_memory(server: StorageServer, bucket: str) -> None:
    environment = os.environ | server.environment(f"s3://{bucket}")
    done = await asyncio.to_thread(
        subprocess.run, [sys.executable, "-c", MEMORY], env=environment, capture_output=True, timeout=100, check=False
    )
    assert done.returncode == 0, done.stderr.decode()
    total, grown = map(int, done.stdout.split())
    assert total == 2 * 100 * 2**20
    assert grown < 80 * 1024  # KiB, with the library itself


async def test_a_full_disk_is_said_and_leaves_nothing_half_written(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(StorageFull, match="is full") as raised:
            await folder.put(DATA)
    assert raised.value.status == 507
    assert raised.value.transient
    assert files(folder) == []
    assert await folder.put(DATA) == KEY


async def test_a_place_that_is_no_folder_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(StorageAway, match="cannot be used"):
        await Folder(tmp_path / "file").put(DATA)


async def test_the_loop_is_free_while_a_file_is_written(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    threads: list[int] = []
    flush = os.fsync

    def seen(descriptor: int) -> None:
        threads.append(threading.get_ident())
        flush(descriptor)

    monkeypatch.setattr(os, "fsync", seen)
    await folder.put(DATA)
    assert threads
    assert threading.get_ident() not in threads


@pytest.fixture
def configured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("PHAROS_STORAGE_URL", f"file:{tmp_path / 'originals'}")
    settings.cache_clear()
    storage.configured.cache_clear()
    yield tmp_path / "originals"
    settings.cache_clear()
    storage.configured.cache_clear()


async def test_the_configured_folder_is_used(configured: Path) -> None:
    key = await storage.put(DATA)
    assert (configured / KEY[:2] / KEY[2:4] / KEY).is_file()
    assert await storage.get(key) == DATA
    assert await storage.exists(key)
    await storage.delete(key)
    assert not await storage.exists(key)


def test_an_address_of_another_kind_is_refused(configured: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for url in ("ftp://bucket", "s3:bucket", "s3://", "s3:///prefix"):
        monkeypatch.setenv("PHAROS_STORAGE_URL", url)
        settings.cache_clear()
        with pytest.raises(ValueError, match=r"s3://<bucket>/<prefix>"):
            storage.configured()


def test_a_bucket_is_configured_by_its_address(configured: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PHAROS_STORAGE_URL", "s3://bucket/prefix")
    settings.cache_clear()
    assert isinstance(storage.configured(), Bucket)
    assert storage.folder() is None


async def test_what_is_gone_is_told_before_the_first_piece(pharos: object) -> None:
    with pytest.raises(FileGone):
        await storage.size(KEY)
