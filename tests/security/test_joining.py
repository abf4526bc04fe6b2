"""Becoming a user: by an admin's invitation, or freely where that is switched on."""

from collections.abc import Awaitable, Callable
from datetime import timedelta

import httpx
import pytest
from sqlalchemy import func, update

from service.database import transaction
from service.security.tables import Invitation
from service.settings import settings
from tests.security.conftest import PASSWORD, Client

pytestmark = pytest.mark.integration

SignedIn = Callable[..., Awaitable[httpx.AsyncClient]]

BEN = {"username": "ben", "password": PASSWORD}


async def test_an_invitation_makes_one_user_of_its_role(admin: httpx.AsyncClient, browser: Client) -> None:
    invited = await admin.post("/invitations", json={"role": "editor", "days": 3})
    assert (invited.status_code, invited.json()["role"]) == (201, "editor")
    assert invited.headers["cache-control"] == "no-store"
    joined = await browser().post("/auth/register", json={**BEN, "code": invited.json()["code"]})
    assert joined.status_code == 201, joined.text
    me = await browser(joined.json()["token"]).get("/users/me")
    assert (me.json()["username"], me.json()["role"]) == ("ben", "editor")
    again = await browser().post("/auth/register", json={**BEN, "username": "eve", "code": invited.json()["code"]})
    assert (again.status_code, again.json()["type"]) == (403, "urn:pharos:invitation-used-up")
    assert (await admin.get("/invitations")).json()["total"] == 0


async def test_nobody_joins_uninvited(browser: Client) -> None:
    for code in ({}, {"code": "pharos_aaaa_bbbb"}, {"code": ""}):
        answer = await browser().post("/auth/register", json=BEN | code)
        assert answer.status_code == 403, answer.text


async def test_where_registration_is_on_everybody_becomes_an_editor(
    browser: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PHAROS_REGISTRATION", "true")
    settings.cache_clear()
    joined = await browser().post("/auth/register", json=BEN)
    assert joined.status_code == 201, joined.text
    assert (await browser(joined.json()["token"]).get("/users/me")).json()["role"] == "editor"


async def test_a_name_that_is_taken_leaves_the_invitation_good(
    admin: httpx.AsyncClient, browser: Client, signed_in: SignedIn
) -> None:
    await signed_in("anna")
    code = (await admin.post("/invitations", json={})).json()["code"]
    taken = await browser().post("/auth/register", json={**BEN, "username": "ANNA", "code": code})
    assert (taken.status_code, taken.json()["type"]) == (409, "urn:pharos:username-taken")
    assert (await browser().post("/auth/register", json={**BEN, "code": code})).status_code == 201


async def test_an_invitation_ends_with_its_time_its_withdrawal_and_its_inviter(
    admin: httpx.AsyncClient, browser: Client, signed_in: SignedIn
) -> None:
    async def refused(code: str) -> bool:
        return (await browser().post("/auth/register", json={**BEN, "code": code})).status_code == 403

    old = (await admin.post("/invitations", json={})).json()
    async with transaction() as session:
        await session.execute(update(Invitation).values(expires_at=func.now() - timedelta(seconds=1)))
    assert await refused(old["code"])
    withdrawn = (await admin.post("/invitations", json={})).json()
    assert (await admin.delete(f"/invitations/{withdrawn['id']}")).status_code == 204
    assert (await admin.delete(f"/invitations/{withdrawn['id']}")).status_code == 404
    assert await refused(withdrawn["code"])
    carl = await signed_in("carl", "admin")
    code = (await carl.post("/invitations", json={})).json()["code"]
    id = (await carl.get("/users/me")).json()["id"]
    assert (await admin.put(f"/users/{id}", json={"role": "reader"})).status_code == 200
    assert await refused(code)


async def test_only_admins_invite(signed_in: SignedIn) -> None:
    anna = await signed_in("anna")
    assert (await anna.post("/invitations", json={})).status_code == 403
    assert (await anna.get("/invitations")).status_code == 403


async def test_guessing_invitations_is_limited(browser: Client) -> None:
    guesser = browser(address="198.51.100.9")
    answers = [await guesser.post("/auth/register", json={**BEN, "code": f"pharos_a_{n}"}) for n in range(40)]
    assert {answer.status_code for answer in answers} == {403, 429}
