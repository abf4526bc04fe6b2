"""One-time links: they sign in once, soon, and never by being looked at."""

import asyncio

import httpx
import pytest
from sqlalchemy import text

from service.database import transaction
from service.errors import NotFound
from service.security.limits import LOGIN_BY_ADDRESS
from service.security.login_links import create_login_link
from tests.security.conftest import Client, NewUser


async def redeem(client: httpx.AsyncClient, code: str) -> httpx.Response:
    return await client.post("/auth/link", json={"code": code})


async def test_a_link_signs_in_once(browser: Client, accounts: None) -> None:
    code, client = await create_login_link(), browser()
    answer = await redeem(client, code)
    assert (answer.status_code, set(answer.json())) == (200, {"token", "expires_at"})
    assert "HttpOnly" in answer.headers["set-cookie"]
    assert (await client.get("/read")).json()["username"] == "admin"
    assert (await redeem(browser(), code)).status_code == 401


async def test_of_simultaneous_uses_one_wins(browser: Client, accounts: None) -> None:
    code = await create_login_link()
    answers = await asyncio.gather(*(redeem(browser(), code) for _ in range(10)))
    assert sorted(answer.status_code for answer in answers) == [200] + [401] * 9


async def test_looking_at_it_changes_nothing(browser: Client, accounts: None) -> None:
    code = await create_login_link()
    assert (await browser().get("/auth/link", params={"code": code})).status_code == 405
    assert (await redeem(browser(), code)).status_code == 200


async def test_an_old_link_is_no_link(browser: Client, accounts: None) -> None:
    code = await create_login_link()
    async with transaction() as session:
        await session.execute(text("UPDATE login_links SET expires_at = now() - interval '1 s'"))
    assert (await redeem(browser(), code)).status_code == 401
    await create_login_link()
    async with transaction() as session:
        assert (await session.execute(text("SELECT count(*) FROM login_links"))).scalar() == 1


async def test_it_is_of_one_active_user(browser: Client, user: NewUser, admin: httpx.AsyncClient) -> None:
    id, client = await user("anna"), browser()
    code = await create_login_link("Anna")
    await redeem(client, code)
    assert (await client.get("/read")).json()["username"] == "anna"
    unused = await create_login_link("anna")
    assert (await admin.put(f"/users/{id}", json={"disabled": True})).status_code == 200
    assert (await redeem(browser(), unused)).status_code == 401
    for nobody in ("anna", "bert"):
        with pytest.raises(NotFound):
            await create_login_link(nobody)


async def test_guessing_codes_is_limited(browser: Client, accounts: None) -> None:
    statuses = [(await redeem(browser(), f"guess {number}")).status_code for number in range(33)]
    assert statuses == [401] * LOGIN_BY_ADDRESS.requests + [429] * 3
