"""Signing in and out, and what keeps others from doing it."""

import asyncio
from collections.abc import Awaitable, Callable
from statistics import median
from time import perf_counter

import httpx
import pytest
from argon2 import PasswordHasher
from sqlalchemy import text, update

from service.database import reading, transaction
from service.security.authentication import Known
from service.security.credentials import Credential
from service.security.limits import LOGIN_BY_ADDRESS, LOGIN_BY_NAME, limiter
from service.security.sessions import COOKIE
from service.security.tables import User
from tests.security.conftest import PASSWORD, Client, NewUser

OURS = {"Origin": "http://pharos.test"}
SignedIn = Callable[..., Awaitable[httpx.AsyncClient]]


async def login(client: httpx.AsyncClient, username: str, password: str = PASSWORD) -> httpx.Response:
    return await client.post("/auth/login", json={"username": username, "password": password})


async def test_a_login_answers_a_token_and_sets_the_cookie(browser: Client, user: NewUser) -> None:
    await user("anna")
    client = browser()
    answer = await login(client, "anna")
    assert (answer.status_code, set(answer.json()), answer.headers["cache-control"]) == (
        200, {"token", "expires_at"}, "no-store"
    )  # fmt: skip
    assert (await client.get("/read")).json()["username"] == "anna"
    assert (await browser(answer.json()["token"]).get("/read")).json()["username"] == "anna"


async def test_the_cookie_is_out_of_reach(browser: Client, user: NewUser) -> None:
    await user("anna")
    cookie = (await login(browser(), "anna")).headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert "Path=/" in cookie
    assert "Secure" not in cookie
    secure = browser()
    secure.base_url = httpx.URL("https://pharos.test")
    assert "Secure" in (await login(secure, "anna")).headers["set-cookie"]


async def test_unknown_disabled_passwordless_and_wrong_are_one_answer(
    browser: Client, user: NewUser, admin: httpx.AsyncClient
) -> None:
    await user("anna")
    await admin.put(f"/users/{await user('bert')}", json={"disabled": True})
    answers = [
        await login(browser(), username, password)
        for username, password in [("nobody", PASSWORD), ("bert", PASSWORD), ("admin", PASSWORD), ("anna", "wrong one")]
    ]
    assert {answer.status_code for answer in answers} == {401}
    assert len({answer.text for answer in answers}) == 1


async def test_unknown_and_wrong_take_the_same_time(browser: Client, user: NewUser) -> None:
    await user("anna")
    client, times = browser(), dict[str, list[float]](anna=[], nobody=[])
    for _ in range(8):
        for username, taken in times.items():
            began = perf_counter()
            assert (await login(client, username, "wrong one")).status_code == 401
            taken.append(perf_counter() - began)
    unknown, wrong = median(times["nobody"]), median(times["anna"])
    assert 0.5 < unknown / wrong < 2  # a skipped hash would make it 0.1


async def test_names_are_limited_wherever_the_guesses_come_from(browser: Client, user: NewUser) -> None:
    await user("anna")
    statuses = [
        (await login(browser(address=f"203.0.113.{number}"), "anna", "wrong one")).status_code for number in range(12)
    ]
    assert statuses == [401] * LOGIN_BY_NAME.requests + [429] * 2
    assert (await login(browser(), "ANNA")).status_code == 429
    assert int((await login(browser(), "anna")).headers["retry-after"]) >= 1


async def test_addresses_are_limited_whatever_they_claim_to_be(browser: Client, accounts: None) -> None:
    statuses = [
        (await login(browser(**{"X-Forwarded-For": f"198.51.100.{number}"}), f"user{number}")).status_code
        for number in range(LOGIN_BY_ADDRESS.requests + 3)
    ]
    assert statuses == [401] * LOGIN_BY_ADDRESS.requests + [429] * 3


async def test_a_success_ends_the_counting_of_its_name(browser: Client, user: NewUser) -> None:
    await user("anna")
    client = browser()
    for _ in range(2):
        for _ in range(LOGIN_BY_NAME.requests - 1):
            assert (await login(client, "anna", "wrong one")).status_code == 401
        assert (await login(client, "anna")).status_code == 200


async def test_without_redis_sign_ins_are_still_limited(browser: Client, user: NewUser) -> None:
    await user("anna")
    limiter.connect("redis://127.0.0.1:1/0")
    statuses = [(await login(browser(), "anna", "wrong one")).status_code for _ in range(12)]
    assert statuses == [401] * LOGIN_BY_NAME.requests + [429] * 2


async def test_a_flood_of_sign_ins_leaves_the_others_alone(
    browser: Client, user: NewUser, admin: httpx.AsyncClient
) -> None:
    await user("anna")

    async def guess(number: int) -> int:
        return (await login(browser(address=f"10.0.{number % 8}.1"), f"user{number}", "wrong one")).status_code

    flood = asyncio.gather(*(guess(number) for number in range(60)))
    times: list[float] = []
    while not flood.done():
        began = perf_counter()
        assert (await admin.get("/read")).status_code == 200
        times.append(perf_counter() - began)
        await asyncio.sleep(0.002)
    assert set(await flood) == {401}
    assert median(times) < 0.2


async def test_signing_out_ends_the_session_at_once(browser: Client, user: NewUser) -> None:
    await user("anna")
    client = browser(**OURS)
    token = (await login(client, "anna")).json()["token"]
    assert (await client.get("/read")).status_code == 200
    answer = await client.post("/auth/logout")
    assert answer.status_code == 204
    assert COOKIE not in client.cookies
    assert (await browser(token).get("/read")).status_code == 401
    assert await Known().account(Credential.of(token)) is None
    assert (await browser().post("/auth/logout")).status_code == 204


async def test_signing_out_with_a_token_leaves_the_token(admin: httpx.AsyncClient) -> None:
    assert (await admin.post("/auth/logout")).status_code == 204
    assert (await admin.get("/read")).status_code == 200


async def test_an_old_session_is_no_session(browser: Client, user: NewUser) -> None:
    await user("anna")
    token = (await login(browser(), "anna")).json()["token"]
    async with transaction() as session:
        await session.execute(text("UPDATE sessions SET expires_at = now() - interval '1 s'"))
    assert (await browser(token).get("/read")).status_code == 401
    await login(browser(), "anna")
    async with reading() as session:
        assert (await session.execute(text("SELECT count(*) FROM sessions"))).scalar() == 1


async def test_a_password_is_set_once_freely_then_by_who_knows_it(admin: httpx.AsyncClient, browser: Client) -> None:
    assert (await admin.put("/auth/password", json={"password": "first password"})).status_code == 204
    assert (await login(browser(), "admin", "first password")).status_code == 200
    for current in ({}, {"current": "wrong one"}):
        assert (await admin.put("/auth/password", json={"password": "second one", **current})).status_code == 401
    answer = await admin.put("/auth/password", json={"password": "second one", "current": "first password"})
    assert answer.status_code == 204
    assert (await login(browser(), "admin", "first password")).status_code == 401
    assert (await login(browser(), "admin", "second one")).status_code == 200


async def test_a_new_password_ends_the_other_sessions(browser: Client, signed_in: SignedIn) -> None:
    here = await signed_in("anna")
    elsewhere = (await login(browser(), "anna")).json()["token"]
    change = {"password": "a better one", "current": PASSWORD}
    assert (await here.put("/auth/password", json=change)).status_code == 204
    assert (await here.get("/read")).status_code == 200
    assert (await browser(elsewhere).get("/read")).status_code == 401


@pytest.mark.parametrize("password", ["short", "", "x" * 1025, None, 7])
async def test_unfit_passwords_are_refused_and_not_repeated(admin: httpx.AsyncClient, password: object) -> None:
    answer = await admin.put("/auth/password", json={"password": password})
    assert answer.status_code == 422
    assert not password or str(password) not in answer.text


async def test_a_stolen_token_cannot_set_a_password(
    admin: httpx.AsyncClient, browser: Client, signed_in: SignedIn
) -> None:
    anna = await signed_in("anna")
    token = (await anna.post("/auth/tokens", json={"name": "t", "scopes": ["read", "write"]})).json()["token"]
    change = {"password": "a better one", "current": PASSWORD}
    assert (await browser(token).put("/auth/password", json=change)).status_code == 403


async def test_guessing_the_current_password_is_limited_too(signed_in: SignedIn) -> None:
    anna = await signed_in("anna")
    statuses = [
        (await anna.put("/auth/password", json={"password": "a better one", "current": "wrong one"})).status_code
        for _ in range(12)
    ]
    assert statuses == [401] * LOGIN_BY_NAME.requests + [429] * 2


async def test_outdated_hashes_are_renewed(browser: Client, user: NewUser) -> None:
    await user("anna")
    weak = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)
    async with transaction() as session:
        await session.execute(update(User).where(User.username == "anna").values(password_hash=weak))
    assert (await login(browser(), "anna")).status_code == 200
    async with reading() as session:
        stored = (await session.execute(text("SELECT password_hash FROM users WHERE username = 'anna'"))).scalar()
    assert stored != weak
    assert (await login(browser(), "anna")).status_code == 200


async def test_neither_passwords_nor_secrets_are_logged(
    browser: Client, user: NewUser, capfd: pytest.CaptureFixture[str]
) -> None:
    await user("anna")
    token = (await login(browser(), "anna")).json()["token"]
    await login(browser(), "anna", "canary password")
    await login(browser(), "canary password", "anna")
    said = "".join(capfd.readouterr())
    assert "sign-in refused" in said
    assert not [secret for secret in (PASSWORD, "canary", token.rpartition("_")[2]) if secret in said]


async def test_sessions_are_listed_and_one_of_them_ended(browser: Client, user: NewUser, signed_in: SignedIn) -> None:
    here = await signed_in("anna")
    there = browser(address="198.51.100.4", **OURS, **{"User-Agent": "A phone"})
    await login(there, "anna")
    ben = await signed_in("ben")
    listed = (await here.get("/auth/sessions")).json()
    assert listed["total"] == 2
    assert [(one["current"], one["address"]) for one in listed["items"]] == [
        (False, "198.51.100.4"), (True, "203.0.113.7"),
    ]  # fmt: skip
    phone = listed["items"][0]
    assert phone["agent"] == "A phone"
    assert (await ben.delete(f"/auth/sessions/{phone['id']}")).status_code == 404
    assert (await there.get("/read")).status_code == 200
    assert (await here.delete(f"/auth/sessions/{phone['id']}")).status_code == 204
    assert (await there.get("/read")).status_code == 401
    assert (await here.get("/read")).status_code == 200
    assert (await here.delete(f"/auth/sessions/{phone['id']}")).status_code == 404
