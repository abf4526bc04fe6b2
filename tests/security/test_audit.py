"""The audit log: every change of who gets in is on record, with who did it and from where, and without secrets."""

from collections.abc import Awaitable, Callable

import httpx
import pytest

from tests.security.conftest import PASSWORD, TOKEN, Client

pytestmark = pytest.mark.integration

SignedIn = Callable[..., Awaitable[httpx.AsyncClient]]

OURS = {"Origin": "http://pharos.test"}


async def test_what_decides_who_gets_in_is_on_record(admin: httpx.AsyncClient, browser: Client) -> None:
    id = (await admin.post("/users", json={"username": "anna", "password": PASSWORD, "role": "editor"})).json()["id"]
    anna = browser(address="198.51.100.4", **OURS)
    await anna.post("/auth/login", json={"username": "anna", "password": "wrong, and private"})
    await anna.post("/auth/login", json={"username": "my password instead", "password": PASSWORD})
    secret = (await anna.post("/auth/login", json={"username": "anna", "password": PASSWORD})).json()["token"]
    token = (await anna.post("/auth/tokens", json={"name": "t", "scopes": ["read"]})).json()
    await anna.delete(f"/auth/tokens/{token['id']}")
    await anna.put("/auth/password", json={"password": "another password", "current": PASSWORD})
    await anna.post("/auth/logout")
    await admin.put(f"/users/{id}", json={"disabled": True})
    code = (await admin.post("/invitations", json={})).json()["code"]
    answer = await admin.get("/audit", params={"limit": 100})
    told = [(entry["action"], entry.get("actor_id") == id, entry.get("address")) for entry in answer.json()["items"]]
    assert told[::-1] == [
        ("user_created", False, "203.0.113.7"),
        ("sign_in_refused", False, "198.51.100.4"),
        ("sign_in_refused", False, "198.51.100.4"),
        ("signed_in", True, "198.51.100.4"),
        ("token_created", True, "198.51.100.4"),
        ("token_revoked", True, "198.51.100.4"),
        ("password_changed", True, "198.51.100.4"),
        ("signed_out", True, "198.51.100.4"),
        ("user_changed", False, "203.0.113.7"),
        ("invited", False, "203.0.113.7"),
    ]
    for hidden in ("private", "instead", PASSWORD, secret, token["token"], code, TOKEN):
        assert hidden not in answer.text
    hers = (await admin.get("/audit", params={"user_id": id, "action": "sign_in_refused"})).json()
    assert hers["total"] == 1


async def test_what_was_refused_is_not_on_record_as_done(admin: httpx.AsyncClient, signed_in: SignedIn) -> None:
    anna = await signed_in("anna")
    for refusal in (
        await anna.post("/users", json={"username": "eve", "password": PASSWORD}),
        await admin.post("/users", json={"username": "ANNA", "password": PASSWORD}),
        await anna.post("/auth/tokens", json={"name": "t", "scopes": ["admin"]}),
    ):
        assert refusal.status_code in (403, 409)
    actions = {entry["action"] for entry in (await admin.get("/audit")).json()["items"]}
    assert actions == {"signed_in"}


@pytest.mark.parametrize("role", ["editor", "reader", "operator"])
async def test_only_admins_read_it(signed_in: SignedIn, role: str) -> None:
    anna = await signed_in("anna", role)
    assert (await anna.get("/audit")).status_code == 403


async def test_an_unknown_action_is_refused(admin: httpx.AsyncClient) -> None:
    assert (await admin.get("/audit", params={"action": "flew"})).status_code == 422
