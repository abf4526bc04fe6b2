"""Users: added and changed by admins, out at once when disabled."""

import asyncio
from collections.abc import Awaitable, Callable

import httpx
import pytest

from tests.security.conftest import PASSWORD, Client, NewUser

SignedIn = Callable[..., Awaitable[httpx.AsyncClient]]


async def add(client: httpx.AsyncClient, username: str, **more: object) -> httpx.Response:
    return await client.post("/users", json={"username": username, "password": PASSWORD, "role": "editor", **more})


async def test_an_admin_adds_users_who_can_sign_in(admin: httpx.AsyncClient, browser: Client) -> None:
    answer = await add(admin, "anna")
    assert (answer.status_code, answer.headers["location"]) == (201, f"/users/{answer.json()['id']}")
    assert answer.json() | {"id": 0, "created_at": 0} == {
        "id": 0, "username": "anna", "role": "editor", "disabled": False, "created_at": 0
    }  # fmt: skip
    client = browser()
    assert (await client.post("/auth/login", json={"username": "Anna", "password": PASSWORD})).status_code == 200
    assert (await client.get("/users/me")).json() == {
        "id": answer.json()["id"], "username": "anna", "role": "editor", "scopes": ["read", "write"]
    }  # fmt: skip
    listed = (await admin.get("/users", params={"limit": 1})).json()
    assert (listed["total"], [user["username"] for user in listed["items"]]) == (2, ["admin"])


@pytest.mark.parametrize("username", ["anna", "ANNA"])
async def test_a_name_is_given_once(admin: httpx.AsyncClient, username: str) -> None:
    await add(admin, "Anna")
    answer = await add(admin, username)
    assert (answer.status_code, username in answer.json()["detail"]) == (409, True)


async def test_of_simultaneous_users_of_one_name_one_is_added(admin: httpx.AsyncClient) -> None:
    answers = await asyncio.gather(*(add(admin, "anna") for _ in range(5)))
    assert sorted(answer.status_code for answer in answers) == [201] + [409] * 4


@pytest.mark.parametrize(
    "wrong",
    [
        {"username": ""},
        {"username": "a b"},
        {"username": "../anna"},
        {"username": "аnna"},  # a Cyrillic letter that looks like ours
        {"username": "x" * 65},
        {"username": "anna\n"},
        {"password": "short"},
        {"role": "owner"},
        {"disabled": True},
    ],
)
async def test_wrong_wishes_are_refused(admin: httpx.AsyncClient, wrong: dict[str, object]) -> None:
    assert (await add(admin, **{"username": "anna", **wrong})).status_code == 422


@pytest.mark.parametrize("role", ["editor", "reader", "operator"])
async def test_only_admins_administer(signed_in: SignedIn, user: NewUser, role: str) -> None:
    victim, anna = await user("bert"), await signed_in("anna", role)
    assert (await add(anna, "carl")).status_code == 403
    assert (await anna.get("/users")).status_code == 403
    assert (await anna.put(f"/users/{victim}", json={"role": "admin"})).status_code == 403


async def test_nobody_is_nobody(browser: Client) -> None:
    for method, path in [("GET", "/users/me"), ("GET", "/users"), ("POST", "/users"), ("GET", "/auth/tokens")]:
        answer = await browser().request(method, path)
        assert (answer.status_code, answer.headers["content-type"]) == (401, "application/problem+json")


async def test_a_disabled_user_is_out_at_once_with_everything(
    admin: httpx.AsyncClient, browser: Client, signed_in: SignedIn
) -> None:
    anna = await signed_in("anna")
    id = (await anna.get("/users/me")).json()["id"]
    token = browser((await anna.post("/auth/tokens", json={"name": "t", "scopes": ["read"]})).json()["token"])
    assert (await token.get("/read")).status_code == 200
    answer = await admin.put(f"/users/{id}", json={"disabled": True})
    assert (answer.status_code, answer.json()["disabled"]) == (200, True)
    assert [(await client.get("/read")).status_code for client in (anna, token)] == [401, 401]
    assert (await admin.put(f"/users/{id}", json={"disabled": False})).status_code == 200
    async with asyncio.timeout(1.5):
        while (await token.get("/read")).status_code != 200:
            await asyncio.sleep(0.05)
    assert (await anna.get("/read")).status_code == 401  # the session ended for good


async def test_a_role_narrows_tokens_that_are_out_already(
    admin: httpx.AsyncClient, signed_in: SignedIn, browser: Client
) -> None:
    anna = await signed_in("anna", "editor")
    id = (await anna.get("/users/me")).json()["id"]
    token = browser((await anna.post("/auth/tokens", json={"name": "t", "scopes": ["read", "write"]})).json()["token"])
    await admin.put(f"/users/{id}", json={"role": "reader"})
    assert (await token.get("/users/me")).json()["scopes"] == ["read"]
    assert (await token.put("/write", content=b"")).status_code == 403


async def test_an_admin_helps_out_with_a_new_password(
    admin: httpx.AsyncClient, signed_in: SignedIn, browser: Client
) -> None:
    anna = await signed_in("anna")
    id = (await anna.get("/users/me")).json()["id"]
    assert (await admin.put(f"/users/{id}", json={"password": "a new password"})).status_code == 200
    assert (await anna.get("/read")).status_code == 401
    login = {"username": "anna", "password": "a new password"}
    assert (await browser().post("/auth/login", json=login)).status_code == 200


async def test_the_last_admin_stays(admin: httpx.AsyncClient, user: NewUser) -> None:
    own = (await admin.get("/users/me")).json()["id"]
    for change in ({"disabled": True}, {"role": "editor"}):
        assert (await admin.put(f"/users/{own}", json=change)).status_code == 409
    other = await user("anna", "admin")
    answers = await asyncio.gather(*(admin.put(f"/users/{id}", json={"role": "reader"}) for id in (own, other)))
    assert sorted(answer.status_code for answer in answers) == [200, 409]


async def test_an_unknown_user_is_unknown(admin: httpx.AsyncClient) -> None:
    for id in ("00000000-0000-0000-0000-000000000000", "seven"):
        assert (await admin.put(f"/users/{id}", json={"disabled": True})).status_code == 404
