"""The account `admin` and its token, start after start."""

import asyncio
from pathlib import Path

import pytest
from sqlalchemy import select, text, update

from service import database
from service.database import reading, transaction
from service.security.authentication import Known
from service.security.credentials import Credential, new_secret
from service.security.startup import ensure_admin
from service.security.tables import Token, User
from service.settings import Settings, settings


async def start(monkeypatch: pytest.MonkeyPatch, token: str | None = None) -> None:
    """Start a web process; without `token` the setting is unset."""
    monkeypatch.delenv("PHAROS_ADMIN_TOKEN", raising=False)
    if token is not None:
        monkeypatch.setenv("PHAROS_ADMIN_TOKEN", token)
    settings.cache_clear()
    await ensure_admin()


async def admits(secret: str) -> bool:
    account = await Known().account(Credential.of(secret))
    if account is not None:
        assert (account.username, account.role) == ("admin", "admin")
        assert account.scopes == {"read", "write", "admin", "metrics"}
    return account is not None


async def revoke(secret: str) -> None:
    async with transaction() as session:
        await session.execute(
            update(Token).where(Token.key == Credential.of(secret).key).values(revoked_at=text("now()"))
        )


def file(pharos: Settings) -> Path:
    return pharos.home / "admin-token"


async def test_the_first_start_writes_a_token_for_its_owner_only(pharos: Settings) -> None:
    await ensure_admin()
    assert await admits(file(pharos).read_text())
    assert file(pharos).stat().st_mode & 0o777 == 0o600
    assert [path.name for path in pharos.home.iterdir()] == ["admin-token"]


async def test_a_missing_home_is_made_private(pharos: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    home = pharos.home / "not" / "there"
    monkeypatch.setenv("PHAROS_HOME", str(home))
    await start(monkeypatch)
    assert await admits((home / "admin-token").read_text())
    assert home.stat().st_mode & 0o777 == 0o700


async def test_later_starts_change_nothing(pharos: Settings) -> None:
    await ensure_admin()
    secret, changed = file(pharos).read_text(), file(pharos).stat().st_mtime_ns
    await ensure_admin()
    assert (file(pharos).read_text(), file(pharos).stat().st_mtime_ns) == (secret, changed)
    async with reading() as session:
        assert len((await session.scalars(select(User))).all()) == 1
        assert len((await session.scalars(select(Token))).all()) == 1


async def test_simultaneous_first_starts_agree(pharos: Settings) -> None:
    await asyncio.gather(*(ensure_admin() for _ in range(8)))
    assert await admits(file(pharos).read_text())
    async with reading() as session:
        assert len((await session.scalars(select(Token))).all()) == 1


@pytest.mark.parametrize(
    "secret",
    ["x", "with space", "pharos_0123456789abcdef_short", "größe", pytest.param(new_secret(), id="a new one"), "a_b_c"],
)
async def test_any_string_can_be_the_setting(pharos: Settings, monkeypatch: pytest.MonkeyPatch, secret: str) -> None:
    await start(monkeypatch, secret)
    assert await admits(secret)
    assert not await admits(secret + "x")
    assert not file(pharos).exists()


async def test_a_setting_that_changes_or_goes_takes_the_old_token_with_it(
    pharos: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    await start(monkeypatch, "first")
    await start(monkeypatch, "second")
    assert [await admits(secret) for secret in ("first", "second")] == [False, True]
    await start(monkeypatch)
    assert [await admits(secret) for secret in ("second", file(pharos).read_text())] == [False, True]
    await start(monkeypatch, "second")
    assert await admits("second")


async def test_a_revoked_token_stays_revoked(pharos: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    await start(monkeypatch, "leaked")
    await revoke("leaked")
    await start(monkeypatch, "leaked")
    assert not await admits("leaked")


async def test_a_revoked_token_file_is_replaced(pharos: Settings) -> None:
    await ensure_admin()
    leaked = file(pharos).read_text()
    await revoke(leaked)
    await ensure_admin()
    assert [await admits(secret) for secret in (leaked, file(pharos).read_text())] == [False, True]


async def test_a_deleted_token_file_is_replaced_and_its_token_void(pharos: Settings) -> None:
    await ensure_admin()
    lost = file(pharos).read_text()
    file(pharos).unlink()
    await ensure_admin()
    assert [await admits(secret) for secret in (lost, file(pharos).read_text())] == [False, True]


async def test_a_kept_token_file_works_with_a_new_database(pharos: Settings) -> None:
    await ensure_admin()
    secret = file(pharos).read_text()
    async with database.transaction() as session:
        await session.execute(text("TRUNCATE users CASCADE"))
    await ensure_admin()
    assert file(pharos).read_text() == secret
    assert await admits(secret)


async def test_an_open_token_file_is_closed(pharos: Settings) -> None:
    await ensure_admin()
    file(pharos).chmod(0o644)
    await ensure_admin()
    assert file(pharos).stat().st_mode & 0o777 == 0o600


async def test_secrets_are_stored_as_hashes_only(pharos: Settings) -> None:
    await ensure_admin()
    secret = file(pharos).read_text()
    async with reading() as session:
        for table in ("users", "tokens"):
            rows = (await session.execute(text(f"SELECT {table}::text FROM {table}"))).scalars().all()
            assert rows
            assert secret.rpartition("_")[2] not in "".join(rows)
