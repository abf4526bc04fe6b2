"""Letters, to mail servers that take them and to mail servers that do not."""

import asyncio
import ssl
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import update

from service.database import transaction
from service.digests import actions, sending
from service.digests.tables import Digest
from service.notifications.tables import Notification
from service.security.accounts import Account
from service.security.tables import User
from service.settings import Settings
from tests.digests.conftest import (
    ADDRESS,
    Configure,
    digest_of,
    hour_comes,
    letters,
    pause_passes,
    subscribe,
    told,
)
from tests.digests.mail_server import MailServer, serving
from tests.search.conftest import person

pytestmark = pytest.mark.integration


async def run(letter_id: UUID) -> dict[str, str]:
    """Do what the task does."""
    async with transaction() as session:
        taken = await sending.take(session, letter_id)
    if taken is None:
        return {"state": "nothing to send"}
    fault = await sending.send(taken)
    async with transaction() as session:
        return {"state": await sending.settle(session, taken, fault)}


async def test_a_letter_tells_what_is_new(ada: Account, mail: MailServer) -> None:
    await told(ada, "Lamp & oil", "Reef")
    [id] = await hour_comes()
    assert await run(letter_id=id) == {"state": "sent"}
    [letter] = mail.taken
    assert mail.to == [ADDRESS]
    assert (letter["From"], letter["To"]) == ("Pharos <pharos@example.org>", ADDRESS)
    assert letter["Subject"] in ("The task “Reef” failed, and 1 more", "The task “Lamp & oil” failed, and 1 more")
    assert letter["Auto-Submitted"] == "auto-generated"
    assert letter["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    plain, html = letter.get_body(("plain",)), letter.get_body(("html",))
    assert plain is not None
    assert html is not None
    assert "Hello ada," in plain.get_content()
    assert "The task “Lamp & oil” failed" in plain.get_content()
    assert "The task “Lamp &amp; oil” failed" in html.get_content()
    assert letter["List-Unsubscribe"].strip("<>") in plain.get_content()
    seen = await digest_of(ada)
    assert (seen["last"]["state"], seen["last"]["count"]) == ("sent", 2)
    assert seen["next_at"] > datetime.now(UTC)


async def test_once_per_hour_however_often_it_is_tried(ada: Account, mail: MailServer) -> None:
    await told(ada, "Reef")
    hour = datetime.now(UTC)
    [id] = await hour_comes(hour)
    await asyncio.gather(*(run(letter_id=id) for _ in range(5)))
    await run(letter_id=id)
    assert await hour_comes(hour) == []  # the timetable looks again, for the same hour
    assert len(mail.taken) == 1
    assert await hour_comes() != []
    [_, second] = await letters()
    await run(letter_id=second.id)
    assert len(mail.taken) == 1  # there was nothing new since
    assert [one.state for one in await letters()] == ["sent", "empty"]
    await told(ada, "Fog")
    async with transaction() as session:
        await session.execute(update(Digest).values(told_until=datetime.now(UTC) - timedelta(hours=2)))
        await session.execute(update(Notification).where(Notification.names.contains(["Reef"])).values(read_at=hour))
    [third] = await hour_comes()
    await run(letter_id=third)
    assert [one["Subject"] for one in mail.taken] == ["The task “Reef” failed", "The task “Fog” failed"]


async def test_nothing_new_is_no_letter(ada: Account, mail: MailServer) -> None:
    [id] = await hour_comes()
    assert await run(letter_id=id) == {"state": "nothing to send"}
    assert mail.taken == []
    assert (await digest_of(ada))["last"]["state"] == "empty"


async def test_what_passes_is_tried_again(ada: Account, mail: MailServer) -> None:
    await told(ada, "Reef")
    mail.recipients = ["451 4.7.1 Greylisted", "250 OK"]
    mail.letters = ["452 4.3.1 Mailbox full for now", "250 OK"]
    [id] = await hour_comes()
    assert await run(letter_id=id) == {"state": "waiting"}
    assert "451 4.7.1 Greylisted" in (await digest_of(ada))["last"]["error"]
    assert await run(letter_id=id) == {"state": "nothing to send"}  # not before its pause is over
    await pause_passes()
    assert await run(letter_id=id) == {"state": "waiting"}
    assert "452" in (await digest_of(ada))["last"]["error"]
    await pause_passes()
    assert await hour_comes() == [id] or len(await letters()) == 2  # the timetable finds it again
    assert await run(letter_id=id) == {"state": "sent"}
    assert len(mail.taken) == 1
    assert (await letters())[0].error is None


async def test_it_is_not_tried_for_ever(ada: Account, mail: MailServer) -> None:
    await told(ada, "Reef")
    mail.recipients = ["451 Not now"]
    [id] = await hour_comes()
    states = []
    for _ in range(len(sending.PAUSES) + 1):
        states.append((await run(letter_id=id))["state"])
        await pause_passes()
    assert states == ["waiting"] * len(sending.PAUSES) + ["failed"]
    assert await run(letter_id=id) == {"state": "nothing to send"}


@pytest.mark.parametrize("where", ["recipients", "letters"])
async def test_what_is_refused_is_given_up(ada: Account, mail: MailServer, where: str) -> None:
    await told(ada, "Reef")
    setattr(mail, where, ["550 5.1.1 No such user", "250 OK"])
    [id] = await hour_comes()
    assert await run(letter_id=id) == {"state": "failed"}
    await pause_passes()
    assert await run(letter_id=id) == {"state": "nothing to send"}
    seen = await digest_of(ada)
    assert (seen["last"]["state"], seen["last"]["attempts"]) == ("failed", 1)
    assert "550 5.1.1 No such user" in seen["last"]["error"]
    [following] = await hour_comes()  # what was not told then is told now
    assert await run(letter_id=following) == {"state": "sent"}


async def test_who_is_refused_three_times_gets_no_more(ada: Account, mail: MailServer) -> None:
    await told(ada, "Reef")
    mail.recipients = ["550 5.1.1 No such user"]
    for _ in range(3):
        [id] = await hour_comes()
        assert await run(letter_id=id) == {"state": "failed"}
    seen = await digest_of(ada)
    assert (seen["frequency"], seen["next_at"]) == ("off", None)
    assert "550 5.1.1 No such user" in seen["stopped_reason"]
    assert await hour_comes() == []
    async with transaction() as session:
        await actions.change(session, ada, {"frequency": "weekly"})
    assert (await digest_of(ada))["stopped_reason"] is None


async def test_a_worker_that_dies_before_it_wrote_it_down(ada: Account, mail: MailServer) -> None:
    """It is sent once more, since nobody can know; under the same Message-ID, by which it is recognised."""
    await told(ada, "Reef")
    [id] = await hour_comes()
    async with transaction() as session:
        taken = await sending.take(session, id)
    assert taken is not None
    assert await sending.send(taken) is None
    assert await run(letter_id=id) == {"state": "nothing to send"}  # nobody else, while it may still live
    await pause_passes()
    assert await run(letter_id=id) == {"state": "sent"}
    first, second = mail.taken
    assert first["Message-ID"] == second["Message-ID"] == f"<{id}@example.org>"
    assert first.as_bytes().partition(b"boundary")[0] == second.as_bytes().partition(b"boundary")[0]
    async with transaction() as session:  # and the first comes to life again
        assert await sending.settle(session, taken, None) == "taken"


async def test_a_server_that_hangs_up_after_the_last_byte(ada: Account, mail: MailServer) -> None:
    await told(ada, "Reef")
    mail.hangs_up = True
    [id] = await hour_comes()
    assert await run(letter_id=id) == {"state": "waiting"}
    mail.hangs_up = False
    await pause_passes()
    assert await run(letter_id=id) == {"state": "sent"}
    assert len({one["Message-ID"] for one in mail.taken}) == 1


async def test_a_server_that_is_away(ada: Account, configure: Configure) -> None:
    async with serving() as server:
        configure(server.port)
    await told(ada, "Reef")
    [id] = await hour_comes()
    assert await run(letter_id=id) == {"state": "waiting"}
    assert "127.0.0.1" in (await digest_of(ada))["last"]["error"]


async def test_no_server_at_all(ada: Account, pharos: Settings) -> None:
    await told(ada, "Reef")
    [id] = await hour_comes()
    assert await run(letter_id=id) == {"state": "waiting"}
    assert "PHAROS_SMTP_HOST" in (await digest_of(ada))["last"]["error"]


async def test_a_title_puts_nothing_into_the_headers(ada: Account, mail: MailServer) -> None:
    await told(ada, "Reef\r\nBcc: eve@example.org\r\n\r\n<script>alert(1)</script>")
    [id] = await hour_comes()
    assert await run(letter_id=id) == {"state": "sent"}
    [letter] = mail.taken
    assert mail.to == [ADDRESS]
    assert letter["Bcc"] is None
    assert "Bcc: eve@example.org" in letter["Subject"]
    html = letter.get_body(("html",))
    assert html is not None
    assert "<script>" not in html.get_content()


async def test_a_long_title_of_other_letters(ada: Account, mail: MailServer) -> None:
    await told(ada, "灯台と図書館 " * 40)
    [id] = await hour_comes()
    assert await run(letter_id=id) == {"state": "sent"}
    assert "灯台と図書館" in mail.taken[0]["Subject"]


async def test_many_are_counted(ada: Account, mail: MailServer) -> None:
    await told(ada, *(f"Task {n}" for n in range(sending.MOST_SHOWN + 5)))
    [id] = await hour_comes()
    await run(letter_id=id)
    plain = mail.taken[0].get_body(("plain",))
    assert plain is not None
    assert "And 5 more." in plain.get_content()
    assert mail.taken[0]["Subject"].endswith(f"and {sending.MOST_SHOWN + 4} more")


async def test_what_was_read_meanwhile_is_not_told(ada: Account, mail: MailServer) -> None:
    await told(ada, "Reef")
    [id] = await hour_comes()
    async with transaction() as session:
        await session.execute(update(Notification).values(read_at=datetime.now(UTC)))
    assert await run(letter_id=id) == {"state": "nothing to send"}
    assert mail.taken == []


async def test_who_stops_or_is_disabled_gets_nothing_that_waits(ada: Account, mail: MailServer) -> None:
    ben = await person("ben")
    await subscribe(ben, "ben@example.org")
    await told(ada, "Reef")
    await told(ben, "Fog")
    ids = await hour_comes()
    assert len(ids) == 2
    async with transaction() as session:
        await actions.stop(session, ada.id)
        await session.execute(update(User).where(User.id == ben.id).values(disabled_at=datetime.now(UTC)))
    for id in ids:
        assert await run(letter_id=id) == {"state": "nothing to send"}
    assert mail.taken == []


@pytest.mark.parametrize("at_once", [False, True])
async def test_encrypted_with_a_password(
    ada: Account, configure: Configure, trusted: ssl.SSLContext, at_once: bool
) -> None:
    async with serving(trusted, at_once=at_once, auth=not at_once) as server:
        account = {} if at_once else {"USER": "pharos", "PASSWORD": "right"}
        configure(server.port, HOST="pharos.example", TLS="tls" if at_once else "starttls", **account)
        await told(ada, "Reef")
        [id] = await hour_comes()
        assert await run(letter_id=id) == {"state": "sent"}
        assert server.users == ([] if at_once else [b"pharos"])  # aiosmtpd asks for none there
        assert len(server.taken) == 1


async def test_a_wrong_password_may_be_set_right(ada: Account, configure: Configure, trusted: ssl.SSLContext) -> None:
    async with serving(trusted, auth=True) as server:
        configure(server.port, HOST="pharos.example", TLS="starttls", USER="pharos", PASSWORD="wrong")
        await told(ada, "Reef")
        [id] = await hour_comes()
        assert await run(letter_id=id) == {"state": "waiting"}
        assert "535" in (await digest_of(ada))["last"]["error"]


async def test_nothing_is_sent_to_who_cannot_prove_who_they_are(
    ada: Account, configure: Configure, trusted: ssl.SSLContext
) -> None:
    async with serving(trusted) as server:
        configure(server.port, TLS="starttls")  # by an address that the certificate does not name
        await told(ada, "Reef")
        [id] = await hour_comes()
        assert await run(letter_id=id) == {"state": "waiting"}
        assert server.taken == []
    async with serving() as server:
        configure(server.port, HOST="pharos.example", TLS="starttls")  # which it does not offer
        await pause_passes()
        assert await run(letter_id=id) == {"state": "waiting"}
        assert server.taken == []


def test_a_password_is_not_sent_in_the_clear() -> None:
    with pytest.raises(ValueError, match="unencrypted"):
        Settings(smtp_tls="none", smtp_password="right")  # pyright: ignore[reportArgumentType]
