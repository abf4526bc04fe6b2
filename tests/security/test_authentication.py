"""Recognising a credential: at once, for at most a second too long, and not while somebody guesses."""

import asyncio
from uuid import UUID

import pytest
from sqlalchemy import event, text

from service import database
from service.database import transaction
from service.errors import RateLimited
from service.security import authentication
from service.security.accounts import change_user, find_user
from service.security.authentication import AccountsAway, Known, authenticate
from service.security.credentials import Credential
from service.security.limits import GUESSES
from service.security.sessions import Visitor, open_session
from service.settings import settings
from tests.security.conftest import TOKEN, NewUser


@pytest.fixture
def queries() -> list[str]:
    """The statements that the database is asked from now on."""
    seen: list[str] = []

    def note(connection: object, cursor: object, statement: str, *_: object) -> None:
        seen.append(statement)

    event.listen(database.engine().sync_engine, "before_cursor_execute", note)
    return seen


async def session_of(user_id: str) -> str:
    async with transaction() as session:
        return (await open_session(session, UUID(user_id), Visitor())).secret


async def test_a_token_and_a_session_name_their_account(accounts: None, user: NewUser) -> None:
    admin = await authenticate(TOKEN)
    assert admin is not None
    assert (admin.username, admin.signed_in, admin.expires_at) == ("admin", False, None)
    anna = await authenticate(await session_of(await user("anna", "reader")))
    assert anna is not None
    assert (anna.username, anna.role, anna.scopes, anna.signed_in) == ("anna", "reader", {"read"}, True)
    assert anna.expires_at is not None


@pytest.mark.parametrize("secret", ["", "x", TOKEN + " ", TOKEN[:-1], "pharos_0000000000000000_" + "A" * 43])
async def test_nothing_else_does(accounts: None, secret: str) -> None:
    assert await authenticate(secret) is None


async def test_the_right_key_with_another_secret_is_nobody(accounts: None, user: NewUser) -> None:
    secret = await session_of(await user("anna"))
    prefix = secret.rpartition("_")[0] if secret.count("_") == 2 else "_".join(secret.split("_")[:2])
    assert await authenticate(f"{prefix}_{'A' * 43}") is None


async def test_within_a_second_it_costs_no_query_and_together_one(accounts: None, queries: list[str]) -> None:
    found = await asyncio.gather(*(authenticate(TOKEN) for _ in range(50)))
    assert all(account is not None and account.username == "admin" for account in found)
    assert len(queries) == 1
    for _ in range(100):
        await authenticate(TOKEN)
    assert len(queries) == 1


async def test_a_disabled_user_is_out_within_a_second_in_every_process(accounts: None, user: NewUser) -> None:
    id = await user("anna")
    secret = await session_of(id)
    other_process = Known()
    assert await other_process.account(Credential.of(secret))
    async with transaction() as session:
        await change_user(session, UUID(id), disabled=True)
    async with asyncio.timeout(1.1):
        while await other_process.account(Credential.of(secret)):
            await asyncio.sleep(0.02)
    assert await Known().account(Credential.of(secret)) is None


async def test_an_expired_token_is_out_within_a_second(accounts: None) -> None:
    async with transaction() as session:
        await session.execute(text("UPDATE tokens SET expires_at = now() + interval '0.2 s'"))
    known = Known()
    assert await known.account(Credential.of(TOKEN))
    async with asyncio.timeout(1.3):
        while await known.account(Credential.of(TOKEN)):
            await asyncio.sleep(0.02)
    assert await Known().account(Credential.of(TOKEN)) is None


async def test_whoever_hangs_up_does_not_take_the_answer_from_the_others(accounts: None) -> None:
    first, second = (asyncio.create_task(authenticate(TOKEN)) for _ in range(2))
    await asyncio.sleep(0)
    first.cancel()
    assert await second is not None


async def test_what_is_remembered_is_bounded(accounts: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(authentication, "_MOST", 10)
    known = Known()
    for number in range(30):
        await known.account(Credential.of(f"guess {number}"))
    assert [known.seen(Credential.of(f"guess {number}")) for number in (19, 20)] == [False, True]


async def test_guessing_ends_for_the_network_but_not_for_who_was_known(accounts: None) -> None:
    assert await authenticate(TOKEN, "203.0.113.7")
    for number in range(GUESSES.requests):
        assert await authenticate(f"guess {number}", "203.0.113.7") is None
    with pytest.raises(RateLimited):
        await authenticate("one guess more", "203.0.113.7")
    assert await authenticate(TOKEN, "203.0.113.7")
    assert await authenticate("one guess more", "198.51.100.1") is None


async def test_repeating_one_wrong_token_is_no_guessing(accounts: None) -> None:
    assert [await authenticate("outdated", "203.0.113.7") for _ in range(300)] == [None] * 300


async def test_many_people_behind_one_proxy_may_come_at_once(accounts: None, user: NewUser) -> None:
    id = await user("anna")
    secrets = [await session_of(id) for _ in range(150)]
    found = await asyncio.gather(*(authenticate(secret, "203.0.113.7") for secret in secrets))
    assert all(found)


async def test_a_database_that_is_away_is_said_to_be_away(accounts: None, monkeypatch: pytest.MonkeyPatch) -> None:
    await database.disconnect()
    monkeypatch.setenv("PHAROS_DATABASE_URL", "postgresql://nobody@127.0.0.1:1/nothing")
    settings.cache_clear()
    await database.connect("test")
    with pytest.raises(AccountsAway):
        await Known().account(Credential.of(TOKEN))


async def test_users_are_found_however_they_are_capitalised(accounts: None, user: NewUser) -> None:
    await user("Anna")
    async with database.reading() as session:
        found = await find_user(session, "aNNA")
    assert found is not None
    assert found.username == "Anna"
