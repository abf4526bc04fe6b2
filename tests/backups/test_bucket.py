"""A library whose originals are in a bucket: backed up, checked, and restored into another bucket or a folder."""

from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import pytest

from service import database, storage
from service.backups.checking import check
from service.backups.restoring import restore
from service.backups.taking import take
from service.settings import Settings, settings
from service.storage import StorageAway
from tests.backups.test_restoring import FIRST, library, settled
from tests.storage_server import StorageServer, serving

pytestmark = pytest.mark.integration

RESOURCES = 3


@pytest.fixture(scope="module")
def s3() -> Iterator[StorageServer]:
    with serving() as server:
        yield server


@pytest.fixture
def use(s3: StorageServer, pharos: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], None]]:
    """Makes this process keep its files in a bucket."""

    def change(bucket: str) -> None:
        for variable, value in s3.environment(f"s3://{bucket}/library").items():
            monkeypatch.setenv(variable, value)
        settings.cache_clear()
        storage.configured.cache_clear()

    yield change
    storage.configured.cache_clear()


async def kinds() -> dict[str, int]:
    return {one.kind: one.count for one in await check() if one.kind.startswith("originals")}


async def test_originals_go_from_one_bucket_into_another(
    s3: StorageServer,
    use: Callable[[str], None],
    pharos: Settings,
    tmp_path: Path,
    empty_database: Callable[[str], Awaitable[str]],
    elsewhere: Callable[[str], None],
) -> None:
    assert pharos.database_url is not None
    here, there = s3.make(), s3.make()
    use(here)
    await library(RESOURCES)
    await settled()
    assert await kinds() == {}
    taken = await take(pharos.database_url, tmp_path / "library.tar.gz")
    assert (taken.originals, taken.missing) == (RESOURCES, 0)

    empty = await empty_database("bucket")
    await database.disconnect()
    elsewhere(empty)
    use(there)
    assert (await restore(empty, tmp_path / "library.tar.gz")).originals == RESOURCES
    assert s3.names(there) == s3.names(here)
    await database.connect("test", 5, 10)
    assert await kinds() == {}
    assert await storage.get(FIRST) == b"The bytes of note 0"
    await storage.delete(FIRST)
    assert await kinds() == {"originals missing": 1}


async def test_a_bucket_that_cannot_be_reached_is_no_missing_original(
    s3: StorageServer, use: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    use(s3.make())
    await library(1)
    monkeypatch.setenv("PHAROS_STORAGE_ENDPOINT", StorageServer().url)  # where nothing listens
    settings.cache_clear()
    storage.configured.cache_clear()
    with pytest.raises(StorageAway):
        await check()
