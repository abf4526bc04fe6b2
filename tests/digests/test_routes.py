"""HTTP for digests: an address is confirmed by who has it, letters stop in one step, and all of it is one's own."""

import re
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from sqlalchemy import func, select, update

from service.database import reading, transaction
from service.digests import actions
from service.digests.signing import signature
from service.digests.tables import Digest
from service.notifications.tables import Notification
from tests.digests.conftest import Configure, letters, told
from tests.digests.mail_server import MailServer, serving
from tests.digests.test_sending import run
from tests.notifications.test_routes import account

pytestmark = pytest.mark.integration

NewPerson = Callable[..., Awaitable[httpx.AsyncClient]]
ADDRESS = {"address": "ada@example.org"}


def link_in(mail: MailServer, number: int = -1) -> str:
    """Return the path that a letter leads to."""
    body = mail.taken[number].get_body(("plain",))
    assert body is not None
    found = re.search(r"http://127\.0\.0\.1:8000(/ui/public/\S+)", body.get_content())
    assert found is not None
    return found[1]


async def stranger(client: httpx.AsyncClient, method: str, path: str, **options: object) -> httpx.Response:
    """Ask as somebody who is not signed in."""
    saved = client.headers.pop("Authorization")
    try:
        return await client.request(method, path, **options)  # pyright: ignore[reportArgumentType]
    finally:
        client.headers["Authorization"] = saved


async def test_an_address_is_confirmed_by_who_has_it(person: NewPerson, mail: MailServer) -> None:
    ada = await person("ada")
    before = (await ada.get("/notifications/digest")).json()
    assert (before["available"], before["frequency"], before["address"]) == (True, "off", None)
    when = {"frequency": "daily", "hour": 6, "timezone": "Europe/Berlin"}
    assert (await ada.put("/notifications/digest", json=when)).json()["next_at"] is None
    assert (await ada.post("/notifications/digest/test")).status_code == 409
    asked = await ada.post("/notifications/digest/address", json=ADDRESS)
    assert (asked.status_code, asked.json()) == (202, ADDRESS)
    assert mail.to == ["ada@example.org"]
    path = link_in(mail)
    assert (await stranger(ada, "GET", path)).status_code == 200  # a scanner of mails does that, too
    assert (await ada.get("/notifications/digest")).json()["address"] is None
    assert "ada@example.org" in (await stranger(ada, "POST", path)).text
    after = (await ada.get("/notifications/digest")).json()
    assert (after["address"], after["asked_address"]) == ("ada@example.org", None)
    assert datetime.fromisoformat(after["next_at"]).astimezone(UTC).hour in (4, 5)  # by summer and winter
    assert (await ada.post("/notifications/digest/test")).json() == ADDRESS
    assert mail.taken[-1]["Subject"] == "Letters arrive"


async def test_no_other_link_confirms(person: NewPerson, mail: MailServer) -> None:
    ada, eve = await person("ada"), await person("eve")
    await ada.post("/notifications/digest/address", json=ADDRESS)
    await eve.post("/notifications/digest/address", json={"address": "eve@example.org"})
    good = link_in(mail, 0)
    given = {name: values[0] for name, values in parse_qs(urlsplit(good).query).items()}
    path = urlsplit(good).path
    ada_id, eve_id = str((await account(ada)).id), str((await account(eve)).id)
    wrong = [
        {**given, "address": "eve@example.org"},
        {**given, "account": eve_id},
        {**given, "expires": str(int(given["expires"]) + 1)},
        {**given, "signature": "0" * 64},
        {**given, "signature": "ä"},
        {**given, "account": "00000000-0000-4000-8000-000000000000"},
    ]
    for one in wrong:
        assert (await stranger(ada, "POST", path, params=one)).status_code == 404
        assert (await stranger(ada, "GET", path, params=one)).status_code == 404
    assert (await stranger(ada, "POST", path, params={**given, "account": "x"})).status_code == 422
    unsubscribe = path.replace("confirm", "unsubscribe")
    assert (await stranger(ada, "POST", unsubscribe, params=given)).status_code == 404  # a link is for one thing

    async with reading() as session:
        row = await session.get(Digest, ada_id)
    assert row is not None
    past = int((datetime.now(UTC) - timedelta(seconds=1)).timestamp())
    old = signature(row.secret, "confirm", row.user_id, "ada@example.org", past)
    late = {**given, "expires": str(past), "signature": old}
    assert (await stranger(ada, "POST", path, params=late)).status_code == 404
    await ada.post("/notifications/digest/address", json={"address": "new@example.org"})
    assert (await stranger(ada, "POST", good)).status_code == 404  # another address was asked for since
    assert (await stranger(ada, "POST", link_in(mail))).status_code == 200
    assert (await ada.delete("/notifications/digest/address")).status_code == 204
    assert (await stranger(ada, "POST", link_in(mail))).status_code == 404
    assert (await ada.get("/notifications/digest")).json()["address"] is None


async def test_a_mail_program_stops_the_letters_in_one_step(person: NewPerson, mail: MailServer) -> None:
    """RFC 8058: a POST to the address in List-Unsubscribe, with the body of List-Unsubscribe-Post, and nothing else."""
    ada = await person("ada")
    who = await account(ada)
    await ada.put("/notifications/digest", json={"frequency": "daily"})
    await ada.post("/notifications/digest/address", json=ADDRESS)
    await stranger(ada, "POST", link_in(mail))
    await told(who, "Reef")
    async with transaction() as session:
        now = datetime.now(UTC)
        await session.execute(update(Digest).values(next_at=now, told_until=now - timedelta(days=1)))
    async with transaction() as session:
        assert await actions.announce_due(session) == 1
    [letter] = await letters()
    assert await run(letter_id=letter.id) == {"state": "sent"}
    header = str(mail.taken[-1]["List-Unsubscribe"]).strip("<>")
    assert header.startswith("http://127.0.0.1:8000/ui/public/digest/unsubscribe?")
    path = header.removeprefix("http://127.0.0.1:8000")
    assert (await stranger(ada, "GET", path)).status_code == 200
    assert (await ada.get("/notifications/digest")).json()["frequency"] == "daily"
    for files in (None, {"List-Unsubscribe": (None, "One-Click")}):  # either form of a body
        data = None if files else {"List-Unsubscribe": "One-Click"}
        answer = await stranger(ada, "POST", path, data=data, files=files)
        assert answer.status_code == 200
    after = (await ada.get("/notifications/digest")).json()
    assert (after["frequency"], after["next_at"], after["address"]) == ("off", None, "ada@example.org")


@pytest.mark.parametrize(
    "address",
    [
        "", "ada", "ada@", "@example.org", "ada@example", "ada@exa mple.org", "ada@example.org\r\nBcc: eve@example.org",
        "ada@example.org, eve@example.org", "Ada <ada@example.org>", "ädä@example.org", "a..b@example.org",
        "x" * 300 + "@example.org",
        "ada@[127.0.0.1]", "ada@example.org\x00",
    ],
)  # fmt: skip
async def test_what_is_no_address_is_refused(person: NewPerson, mail: MailServer, address: str) -> None:
    ada = await person("ada")
    assert (await ada.post("/notifications/digest/address", json={"address": address})).status_code == 422
    assert mail.taken == []


@pytest.mark.parametrize(
    "wrong", [{"hour": 24}, {"weekday": 0}, {"timezone": "Nowhere/At_all"}, {"frequency": "hourly"}]
)
async def test_what_cannot_be_is_refused(person: NewPerson, mail: MailServer, wrong: dict[str, object]) -> None:
    ada = await person("ada")
    assert (await ada.put("/notifications/digest", json=wrong)).status_code == 422


async def test_nobody_is_flooded(person: NewPerson, mail: MailServer) -> None:
    ada = await person("ada")
    answers = [(await ada.post("/notifications/digest/address", json=ADDRESS)).status_code for _ in range(8)]
    assert answers == [202] * 6 + [429] * 2
    assert len(mail.taken) == 6


async def test_a_server_that_says_no_is_named(person: NewPerson, mail: MailServer) -> None:
    ada = await person("ada")
    mail.recipients = ["550 5.7.1 Relaying denied", "451 Later", "250 OK"]
    refused = await ada.post("/notifications/digest/address", json=ADDRESS)
    assert (refused.status_code, "550 5.7.1 Relaying denied" in refused.json()["detail"]) == (422, True)
    later = await ada.post("/notifications/digest/address", json=ADDRESS)
    assert (later.status_code, "451 Later" in later.json()["detail"]) == (503, True)


async def test_without_a_server(person: NewPerson, configure: Configure) -> None:
    ada = await person("ada")
    assert (await ada.get("/notifications/digest")).json()["available"] is False
    assert (await ada.post("/notifications/digest/address", json=ADDRESS)).status_code == 503
    assert "no mail server" in (await ada.get("/ui/notifications")).text
    async with serving() as server:
        configure(server.port)
        assert (await ada.post("/notifications/digest/address", json=ADDRESS)).status_code == 202


async def test_everybody_sees_their_own(person: NewPerson, mail: MailServer) -> None:
    ada, ben = await person("ada", "reader"), await person("ben")
    await ada.put("/notifications/digest", json={"frequency": "weekly", "weekday": 5})
    await ada.post("/notifications/digest/address", json=ADDRESS)
    await stranger(ada, "POST", link_in(mail))
    assert (await ada.get("/notifications/digest")).json()["address"] == "ada@example.org"
    assert (await ben.get("/notifications/digest")).json()["address"] is None
    assert "ada@example.org" in (await ada.get("/ui/notifications")).text
    assert "ada@example.org" not in (await ben.get("/ui/notifications")).text
    assert (await stranger(ada, "GET", "/notifications/digest")).status_code == 401


async def test_what_was_told_before_is_not_sent(person: NewPerson, mail: MailServer) -> None:
    """Who switches letters on hears of what comes from then on."""
    ada = await person("ada")
    await told(await account(ada), "Reef")
    await ada.post("/notifications/digest/address", json=ADDRESS)
    await stranger(ada, "POST", link_in(mail))
    await ada.put("/notifications/digest", json={"frequency": "daily"})
    async with transaction() as session:
        await session.execute(update(Digest).values(next_at=datetime.now(UTC)))
    async with transaction() as session:
        await actions.announce_due(session)
    [letter] = await letters()
    assert await run(letter_id=letter.id) == {"state": "nothing to send"}
    assert await unread() == 1


async def unread() -> int:
    async with reading() as session:
        return await session.scalar(select(func.count()).select_from(Notification)) or 0
