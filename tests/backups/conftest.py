"""A library to back up, and empty machines to restore it on."""

from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import create_async_engine

from service import database, logs, storage
from service.settings import Settings, settings
from tests.conftest import Servers


@pytest.fixture
def elsewhere(pharos: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], None]]:
    """Moves this process to another machine: another database, and a home of its own."""

    def move(url: str, home: str = "elsewhere") -> None:
        monkeypatch.setenv("PHAROS_DATABASE_URL", url)
        monkeypatch.setenv("PHAROS_HOME", str(tmp_path / home))
        settings.cache_clear()
        storage.configured.cache_clear()

    storage.configured.cache_clear()
    yield move
    storage.configured.cache_clear()


@pytest.fixture
async def empty_database(servers: Servers, pharos: Settings) -> Callable[[str], Awaitable[str]]:
    """Makes databases without any table; those of an earlier run go first."""

    async def make(name: str) -> str:
        name = f"{database.engine().url.database}_{name}"
        await servers.administer(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        await servers.administer(f"CREATE DATABASE {name}")
        return servers.database(name)

    return make


class Fresh:
    """Makes engines that nobody keeps: a restore wants nobody on the database."""

    create = staticmethod(create_async_engine)


@pytest.fixture
def engines() -> Any:
    return Fresh()


@pytest.fixture(autouse=True)
def the_log_of_the_suite(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lets an application that starts here leave the log as it is."""
    monkeypatch.setattr(logs, "configure", lambda: None)
