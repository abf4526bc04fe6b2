import asyncio
import errno
import hashlib
import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from service import storage
from service.settings import settings
from service.storage import FileGone, Folder, StorageAway, StorageFull

DATA = b"the original \x00 bytes"
KEY = hashlib.sha256(DATA).hexdigest()


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path / "files")


def files(folder: Folder) -> list[Path]:
    return [path for path in folder.root.rglob("*") if path.is_file()]


async def test_bytes_come_back_by_their_hash(folder: Folder) -> None:
    assert await folder.put(DATA) == KEY
    assert await folder.get(KEY) == DATA
    assert await folder.exists(KEY)
    assert files(folder) == [folder.root / KEY[:2] / KEY[2:4] / KEY]


async def test_the_same_bytes_are_kept_once_even_at_the_same_time(folder: Folder) -> None:
    keys = await asyncio.gather(*(folder.put(DATA) for _ in range(20)))
    assert set(keys) == {KEY}
    assert len(files(folder)) == 1


async def test_a_deleted_file_is_gone_and_deleting_it_again_is_harmless(folder: Folder) -> None:
    await folder.put(DATA)
    await folder.delete(KEY)
    await folder.delete(KEY)
    assert not await folder.exists(KEY)
    with pytest.raises(FileGone, match=KEY):
        await folder.get(KEY)


@pytest.mark.parametrize("key", ["", "../../etc/passwd", KEY.upper(), KEY[:-1], "/" + KEY[1:]])
async def test_a_key_is_never_a_path(folder: Folder, key: str) -> None:
    with pytest.raises(ValueError, match="not a SHA-256"):
        await folder.get(key)


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
    monkeypatch.setenv("PHAROS_STORAGE_URL", "s3://bucket")
    settings.cache_clear()
    with pytest.raises(ValueError, match="file:<folder>"):
        storage.configured()


async def test_a_file_is_kept_and_read_a_piece_at_a_time(pharos: object, tmp_path: Path) -> None:
    data = os.urandom(3 * storage.PIECE + 17)
    (tmp_path / "large").write_bytes(data)
    with (tmp_path / "large").open("rb") as file:
        file.seek(1000)  # somebody has looked at it
        key = await storage.keep(file)
    assert key == hashlib.sha256(data).hexdigest()
    assert await storage.size(key) == len(data)
    pieces = [piece async for piece in storage.pieces(key)]
    assert max(map(len, pieces)) == storage.PIECE
    assert b"".join(pieces) == data


async def test_what_is_gone_is_told_before_the_first_piece(pharos: object) -> None:
    with pytest.raises(FileGone):
        await storage.size(KEY)
