"""Events that are told, and what people find then."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select

from service.database import reading, transaction
from service.notifications.actions import shown, tell
from service.notifications.concerned import Facts
from service.notifications.tables import Notification
from service.outbox import OutboxRow
from service.security.accounts import Account
from service.settings import Settings
from tests.search.conftest import person

DAY = datetime(2026, 11, 27, 12, tzinfo=UTC)


@pytest.fixture
async def ada(pharos: Settings) -> Account:
    return await person("ada")


@pytest.fixture
async def ben(pharos: Settings) -> Account:
    return await person("ben")


def facts(name: str, audience: UUID | None = None, at: datetime = DAY, **data: Any) -> Facts:
    plain = {field: str(value) if isinstance(value, UUID) else value for field, value in data.items()}
    return Facts(uuid4(), name, plain, audience, at)


async def happened(*events: Facts) -> None:
    for event in events:
        async with transaction() as session:
            await tell(session, event)


async def of(account: Account) -> list[dict[str, Any]]:
    """Return what somebody is told, newest first."""
    async with reading() as session:
        rows = await session.scalars(
            select(Notification).where(Notification.user_id == account.id).order_by(Notification.updated_at.desc())
        )
        return [shown(row) for row in rows]


async def emitted() -> Sequence[OutboxRow]:
    async with reading() as session:
        rows = select(OutboxRow).where(OutboxRow.name == "user.notification").order_by(OutboxRow.seq)
        return (await session.scalars(rows)).all()
