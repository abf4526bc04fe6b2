"""A hub over a real log, and people who listen."""

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest

from service import queue
from service.database import transaction
from service.event_log import EventRow
from service.live import bell
from service.live import hub as hubs
from service.live.hub import Hub
from service.security import authentication
from service.security.accounts import Account, create_user
from service.security.authentication import Known
from service.security.permissions import effective_scopes
from service.security.tokens import create_token
from service.settings import Settings


@pytest.fixture
async def hub(pharos: Settings, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Hub]:
    monkeypatch.setattr(authentication, "known", Known())
    monkeypatch.setattr(bell, "_quiet_until", 0.0)
    monkeypatch.setattr(hubs, "POLL", 0.1)
    monkeypatch.setattr(hubs, "RECHECK", 0.2)
    async with queue.connected(), hubs.hub() as running:
        yield running


class Person:
    """A user with a token."""

    def __init__(self, account: Account, secret: str, token_id: UUID) -> None:
        self.account, self.secret, self.token_id = account, secret, token_id


NewPerson = Callable[[str], Awaitable[Person]]


@pytest.fixture
def person(pharos: Settings) -> NewPerson:
    async def add(username: str) -> Person:
        async with transaction() as session:
            user = await create_user(session, username, "editor")
            account = Account(user.id, username, "editor", effective_scopes("editor"), signed_in=True)
            token, secret = await create_token(session, account, "browser", ["read", "write"], None)
        return Person(account, secret, token.id)

    return add


def row(audience: UUID | None, name: str, data: dict[str, Any]) -> EventRow:
    """Return an event as the relay logs it."""
    return EventRow(
        id=uuid4(),
        name=name,
        version=1,
        data=data,
        priority=50,
        correlation_id="c",
        cause=None,
        audience=audience,
        subject=None,
        bulk=False,
        timestamp=datetime.now(UTC),
    )


async def log_events(
    count: int = 1, audience: UUID | None = None, name: str = "resource.updated", **data: Any
) -> list[int]:
    """Put events into the log, and return their positions."""
    async with transaction() as session:
        rows = [row(audience, name, {"number": number, **data}) for number in range(count)]
        session.add_all(rows)
        await session.flush()
        return [one.position for one in rows]
