"""The nightly backup: asked for by the timetable, taken by a web process, with the real command."""

from pathlib import Path

import pytest
from sqlalchemy import select

from service.backups import actions, nights
from service.backups.archive import verify
from service.backups.tables import Backup
from service.database import reading, transaction
from service.settings import Settings, settings
from tests.backups.test_restoring import library

pytestmark = pytest.mark.integration


@pytest.fixture
def folder(pharos: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PHAROS_BACKUP_FOLDER", str(tmp_path / "nights"))
    monkeypatch.setenv("PHAROS_BACKUP_KEPT", "2")
    settings.cache_clear()
    return tmp_path / "nights"


async def ask() -> bool:
    async with transaction() as session:
        return await actions.request(session)


async def last() -> Backup:
    async with reading() as session:
        return (await session.scalars(select(Backup).order_by(Backup.requested_at.desc()))).one()


async def test_it_is_taken_once_and_old_ones_go(folder: Path) -> None:
    await library(2)
    folder.mkdir()
    names = ["pharos-2026-01-01T013000Z.tar.gz", "pharos-2026-01-02T013000Z.tar.gz", "mine.tar.gz"]
    for name in names:
        (folder / name).touch()
    assert await ask()
    assert not await ask()
    assert await nights.take_next()
    assert not await nights.take_next()
    row = await last()
    assert row.error is None
    assert row.file is not None
    assert sorted(path.name for path in folder.iterdir()) == sorted([*names[1:], row.file])
    _, manifest = verify(folder / row.file)
    assert manifest.tables["resources"].rows == 2
    assert (folder / row.file).stat().st_size == row.size


async def test_why_it_failed_is_kept(folder: Path) -> None:
    folder.write_text("no folder")
    assert await ask()
    assert await nights.take_next()
    assert (await last()).error == f"{folder} cannot be made: File exists"


async def test_without_a_folder_nothing_is_asked_for(pharos: Settings) -> None:
    assert not await ask()
    assert not await nights.take_next()


async def test_one_that_is_leased_is_nobody_elses_until_it_is_let_go(folder: Path) -> None:
    assert await ask()
    async with transaction() as session:
        id = await actions.lease(session)
    async with transaction() as session:
        assert await actions.lease(session) is None
        assert id is not None
        await actions.renew(session, id, 0)
    async with transaction() as session:
        assert await actions.lease(session) == id
