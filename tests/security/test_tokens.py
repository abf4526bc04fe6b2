"""API tokens: what they may do, for how long, and who may make them."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from sqlalchemy import text

from service.database import reading
from tests.security.conftest import Client

SignedIn = Callable[..., Awaitable[httpx.AsyncClient]]


async def make(client: httpx.AsyncClient, *scopes: str, **more: object) -> httpx.Response:
    return await client.post("/auth/tokens", json={"name": "script", "scopes": scopes, **more})


async def test_a_token_is_shown_once_and_stored_as_a_hash(admin: httpx.AsyncClient, browser: Client) -> None:
    answer = await make(admin, "read", "write")
    token = answer.json()["token"]
    assert (answer.status_code, answer.headers["cache-control"]) == (201, "no-store")
    assert token.startswith(f"pharos_{answer.json()['key']}_")
    assert (await browser(token).get("/read")).status_code == 200
    secret = token.split("_", 2)[2]
    listed = await admin.get("/auth/tokens")
    assert answer.json()["id"] in [item["id"] for item in listed.json()["items"]]
    assert secret not in listed.text
    async with reading() as session:
        assert secret not in str((await session.execute(text("SELECT tokens::text FROM tokens"))).all())


async def test_it_may_do_what_its_scopes_say(admin: httpx.AsyncClient, browser: Client) -> None:
    expected = {"read": "/read", "metrics": "/metrics"}
    for scope in expected:
        client = browser((await make(admin, scope)).json()["token"])
        assert {path for path in expected.values() if (await client.get(path)).is_success} == {expected[scope]}
        assert (await client.put("/write", content=b"")).status_code == 403
        assert (await client.post("/administer")).status_code == 403


async def test_nobody_gives_what_they_do_not_have(signed_in: SignedIn) -> None:
    anna = await signed_in("anna", "editor")
    assert (await make(anna, "read", "write")).status_code == 201
    refused = await make(anna, "read", "admin", "metrics")
    assert (refused.status_code, "admin, metrics" in refused.json()["detail"]) == (403, True)


async def test_a_stolen_token_makes_no_other(signed_in: SignedIn, browser: Client) -> None:
    anna = await signed_in("anna")
    token = (await make(anna, "read", "write")).json()["token"]
    assert (await make(browser(token), "read")).status_code == 403


async def test_an_admins_token_makes_none_that_outlives_it(admin: httpx.AsyncClient, browser: Client) -> None:
    soon, later = (datetime.now(UTC) + timedelta(hours=hours) for hours in (1, 24))
    brief = browser((await make(admin, "admin", "read", expires_at=soon.isoformat())).json()["token"])
    for wanted in ({}, {"expires_at": later.isoformat()}):
        answer = await make(brief, "read", **wanted)
        assert (answer.status_code, datetime.fromisoformat(answer.json()["expires_at"])) == (201, soon)


async def test_it_ends_when_it_said(admin: httpx.AsyncClient, browser: Client) -> None:
    soon = datetime.now(UTC) + timedelta(seconds=0.5)
    client = browser((await make(admin, "read", expires_at=soon.isoformat())).json()["token"])
    assert (await client.get("/read")).status_code == 200
    async with asyncio.timeout(2):
        while (await client.get("/read")).status_code != 401:
            await asyncio.sleep(0.05)
    assert datetime.now(UTC) >= soon


async def test_a_revoked_token_is_out_at_once(admin: httpx.AsyncClient, browser: Client) -> None:
    made = (await make(admin, "read")).json()
    client = browser(made["token"])
    assert (await client.get("/read")).status_code == 200
    assert (await admin.delete(f"/auth/tokens/{made['id']}")).status_code == 204
    assert (await client.get("/read")).status_code == 401
    assert (await admin.delete(f"/auth/tokens/{made['id']}")).status_code == 404
    assert made["id"] not in (await admin.get("/auth/tokens")).text


async def test_another_users_token_is_unknown(admin: httpx.AsyncClient, signed_in: SignedIn) -> None:
    made = (await make(admin, "read")).json()
    anna = await signed_in("anna")
    assert (await anna.get("/auth/tokens")).json()["total"] == 0
    assert (await anna.delete(f"/auth/tokens/{made['id']}")).status_code == 404
    assert (await anna.delete("/auth/tokens/seven")).status_code == 404
    assert (await admin.get("/auth/tokens")).json()["total"] == 2


@pytest.mark.parametrize(
    "wrong",
    [
        {"scopes": []},
        {"scopes": ["everything"]},
        {"scopes": ["read"], "name": " "},
        {"scopes": ["read"], "name": "nul\x00"},
        {"scopes": ["read"], "expires_at": "2001-01-01T00:00:00Z"},
        {"scopes": ["read"], "expires_at": "2099-01-01T00:00:00"},
        {"scopes": ["read"], "owner": "anna"},
    ],
)
async def test_wrong_wishes_are_refused(admin: httpx.AsyncClient, wrong: dict[str, object]) -> None:
    assert (await admin.post("/auth/tokens", json={"name": "script", **wrong})).status_code == 422
