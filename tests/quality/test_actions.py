"""Quality is computed from what the resource is now, once, and told of."""

import pytest
from sqlalchemy import select

from service.database import reading
from service.outbox import OutboxRow
from service.security.accounts import Account
from tests.quality.conftest import TEXT, add, assessed, row

pytestmark = pytest.mark.integration


async def told(name: str) -> list[OutboxRow]:
    async with reading() as session:
        return list(await session.scalars(select(OutboxRow).where(OutboxRow.name == name).order_by(OutboxRow.seq)))


async def test_it_is_computed_once_and_told_once(ada: Account) -> None:
    id = await add(ada, "The keeper of the lighthouse", TEXT)
    assert await assessed(id)
    assert not await assessed(id)
    quality = await row(id)
    [event] = await told("quality.computed")
    dimensions = {name: getattr(quality, name) for name in quality.reasons}
    assert event.data == {"resource_id": str(id), "score": quality.overall, "dimensions": dimensions}
