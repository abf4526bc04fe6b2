"""A mail server, and somebody whose notifications it takes."""

import socket
import ssl
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select, update

from service.database import reading, transaction
from service.digests import actions
from service.digests.actions import Link
from service.digests.tables import Digest, DigestLetter
from service.notifications.actions import tell
from service.notifications.tables import Notification
from service.security.accounts import Account
from service.settings import Settings, settings
from tests.digests.mail_server import MailServer, serving
from tests.notifications.conftest import facts
from tests.search.conftest import person

TLS = Path(__file__).parents[1] / "security" / "tls"
ADDRESS = "ada@example.org"

Configure = Callable[..., None]


@pytest.fixture
def configure(pharos: Settings, monkeypatch: pytest.MonkeyPatch) -> Configure:
    """Sets where the mail server is."""

    def set_to(port: int, **more: str) -> None:
        values = {"HOST": "127.0.0.1", "PORT": str(port), "TLS": "none", "FROM": "Pharos <pharos@example.org>", **more}
        for name, value in values.items():
            monkeypatch.setenv(f"PHAROS_SMTP_{name}", value)
        settings.cache_clear()

    return set_to


@pytest.fixture
async def mail(configure: Configure) -> AsyncIterator[MailServer]:
    """A mail server that Pharos uses, without encryption."""
    async with serving() as server:
        configure(server.port)
        yield server


@pytest.fixture
def trusted(monkeypatch: pytest.MonkeyPatch) -> ssl.SSLContext:
    """The encryption of `pharos.example`, which is this machine, and whose certificate is believed."""
    known = socket.getaddrinfo

    def resolved(host: Any, *rest: Any, **more: Any) -> Any:
        return known("127.0.0.1" if host == "pharos.example" else host, *rest, **more)

    monkeypatch.setattr(socket, "getaddrinfo", resolved)
    monkeypatch.setenv("SSL_CERT_FILE", str(TLS / "ca.pem"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(TLS / "server.pem")
    return context


@pytest.fixture
async def ada(pharos: Settings) -> Account:
    """Somebody who confirmed an address and wants a letter each day."""
    who = await person("ada")
    await subscribe(who, ADDRESS)
    return who


async def subscribe(who: Account, address: str, **fields: Any) -> None:
    """Confirm an address and have letters sent."""
    async with transaction() as session:
        await actions.change(session, who, {"frequency": "daily", **fields})
        asked = await actions.ask_address(session, who, address)
    async with transaction() as session:
        await actions.confirm(session, link_of(asked))
        await session.execute(update(Digest).values(told_until=datetime.now(UTC) - timedelta(days=1)))


def link_of(asked: str) -> Link:
    """Return what a link says."""
    said = dict(parse_qsl(asked))
    expires = int(said.get("expires", 0))
    return Link(UUID(said["account"]), said["signature"], said.get("address", ""), expires)


async def told(who: Account, *titles: str) -> None:
    """Tell somebody of tasks that failed, an hour ago."""
    failed = {"queue": "batch", "attempts": 1, "error": "x", "reason": "permanent"}
    for title in titles:
        async with transaction() as session:
            event = facts("background_task.failed", who.id, task_name=title, task_id=str(uuid4()), **failed)
            await tell(session, event)
    async with transaction() as session:
        an_hour_ago = datetime.now(UTC) - timedelta(hours=1)
        await session.execute(update(Notification).values(updated_at=an_hour_ago))


async def hour_comes(now: datetime | None = None) -> list[UUID]:
    """Let the hour of all come; return the ids of the letters that wait."""
    async with transaction() as session:
        await session.execute(
            update(Digest).where(Digest.next_at.is_not(None)).values(next_at=now or datetime.now(UTC))
        )
    async with transaction() as session:
        await actions.announce_due(session)
    async with reading() as session:
        waiting = select(DigestLetter.id).where(DigestLetter.state == "waiting").order_by(DigestLetter.created_at)
        return list(await session.scalars(waiting))


async def letters() -> list[DigestLetter]:
    """Return all letters, oldest first."""
    async with reading() as session:
        return list(await session.scalars(select(DigestLetter).order_by(DigestLetter.period)))


async def digest_of(who: Account) -> dict[str, Any]:
    """Return what somebody sees of their letters."""
    async with reading() as session:
        return await actions.read(session, who)


async def pause_passes() -> None:
    """Let the pause before the next attempt pass, and a lease with it."""
    async with transaction() as session:
        await session.execute(update(DigestLetter).values(due_at=datetime.now(UTC) - timedelta(hours=1)))
